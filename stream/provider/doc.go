// Package provider is everything in llmpipe that talks to a network.
//
// # One attempt
//
// [Client.Ask] makes one attempt to get one request body answered, and fills a [Reply]: the raw
// body, the headers, the latency and a [Class]. It never retries, never sleeps and never holds
// anything back: the stream package decides from the class whether to ask again, and the limiter
// decides when.
//
// # Bytes
//
// The request goes through go-openai, which knows the endpoints and their paths. Its typed
// requests, however, drop fields that they do not know and reorder the rest. So the client is
// called with a stub. Beneath it our own HTTPDoer (doer.go) puts the record's bytes into the HTTP
// request and takes the raw bytes out of the response. Vendor fields, key order and numbers beyond
// 2^53 arrive as they were written. Anthropic's own API needs no library: its stub is made here
// (messages.go) and takes the same path.
//
// # Keys
//
// Package key supplies the API key: a fixed one, or the output of a command. After a 401 the
// command runs again and the attempt is repeated once; only then does the table judge the answer.
//
// # Files and batches
//
// [Client.Call] makes every other call. It sends the same key and headers as the requests to an
// endpoint, and streams both bodies (call.go). The dialects of the Batch API are in package
// batchapi. A failed call returns a [CallError], which is judged by the same table. It also tells
// whether the provider may have acted all the same, because a batch that is created twice is billed
// twice. [Reply.JudgeBatch] judges a line of a batch's output as if it had come over HTTP.
//
// # Connections
//
// A client keeps its connections open (connections.go): as many as were in use lately, and none
// that has been silent for so long that it may be dead. The Reply says what a request learned about
// its connection: Shared, Stale and Sent. Accounting depends on Sent. Errors of a proxy named in
// the environment are told apart from those of the provider behind it (proxy.go).
//
// # What an answer means
//
// [Rules] is the one table that says what each status, code and failure means (verdict.go). The
// first match wins. The table is data: the command's long help prints it from here.
//
// # The simulated provider
//
// Package sim is an http.Handler that behaves as OpenAI's API does. The base URL "sim:" serves it
// in process over a connection without a socket; the sim subcommand serves it over TCP.
package provider
