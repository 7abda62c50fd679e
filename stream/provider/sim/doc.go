// Package sim is the simulated provider: an http.Handler that behaves as OpenAI's API does, with
// latency, limits, headers, usage, batches and faults as its [Options] say. Where a request asks
// for an object that fits a schema, or for a function's call, it makes one up.
//
// It serves three ways: in process over connections without a socket ([Server.DialContext]), on a
// listener ([Server.Serve]), and as a handler in tests. What it counted stands under /stats.
package sim
