// Package provider is everything in llmpipe that talks to a network.
//
// # One attempt
//
// [Client.Ask] makes one attempt to have one request body answered, and fills a [Reply]: the raw
// body, the headers, how long it took and a [Class]. It never retries, never sleeps and never holds
// anything back: whether and when to ask again is decided by the stream package, from the class,
// and by the limiter.
//
// # Bytes
//
// The request goes through go-openai, which knows the endpoints and their paths. Its typed
// requests, however, drop fields that they do not know and reorder the rest. So the client is
// called with a stub, and beneath it sits a doer of ours (doer.go) that puts the record's own bytes
// into the HTTP request and takes the raw bytes out of the response: vendor fields, key order and
// numbers beyond 2^53 arrive as they were written. Anthropic's own API needs no library: its stub
// is made here (messages.go), and goes the same way.
//
// # Keys
//
// Package key hands out what a request is shown with: a key that stays, or what a command prints. A
// 401 has the command run again, and the attempt made once more, before the table is asked.
//
// # Files and batches
//
// [Client.Call] makes every other call: it carries what an endpoint's requests carry, and streams
// what is sent and what comes back (call.go). The dialects of the Batch API are in package
// batchapi. What goes wrong is a [CallError], judged by the same table; the one thing that it adds
// is whether the provider may have acted all the same, because a batch that is made twice is paid
// twice. [Reply.JudgeBatch] judges a line of a batch's output as if it had come over HTTP.
//
// # Connections
//
// A client's requests go over connections that are kept (connections.go): as many as were of use
// lately, and none whose silence makes it doubtful. What a request learns of the one that it met
// stands in its Reply: Shared, Stale, and Sent, which is what money is reckoned by. A proxy that
// the environment names is told from the provider behind it (proxy.go).
//
// # What an answer means
//
// [Rules] is the one table that says what each status, code and failure means (verdict.go). First
// match wins. The table is data: the command's long help prints it from here.
//
// # The simulated provider
//
// Package sim is an http.Handler that behaves as OpenAI's API does. The base URL "sim:" serves it
// in process over a connection without a socket; the sim subcommand serves it over TCP.
package provider
