// Package provider is everything in llmpipe that talks to a network.
//
// # One attempt
//
// [Client.Ask] makes one attempt to have one request body answered, and fills a [Reply]: the raw body, the headers, how long it
// took and a [Class]. It never retries, never sleeps and never holds anything back: whether and when to ask again is decided by
// the stream package, from the class, and by the limiter.
//
// # Bytes
//
// The request goes through go-openai, which knows the endpoints, their paths and how each kind of provider wants its key. Its typed
// requests, however, drop fields that they do not know and reorder the rest. So the client is called with a stub, and beneath it
// sits a doer of ours (doer.go) that puts the record's own bytes into the HTTP request and takes the raw bytes out of the response:
// vendor fields, key order and numbers beyond 2^53 arrive as they were written.
//
// # What an answer means
//
// [Rules] is the one table that says what each status, code and failure means (verdict.go). First match wins. The table is data: the
// command's long help prints it from here.
//
// # The simulated provider
//
// [Sim] is an http.Handler that behaves as OpenAI's API does, with latency, limits, headers, usage and faults as asked for. The base
// URL "sim:" serves it in process over a connection without a socket; the sim subcommand serves it over TCP.
package provider
