// Package sim is the simulated provider: an http.Handler that behaves as OpenAI's API does, with
// latency, limits, headers, usage, batches and faults as its [Options] say. If a request asks for
// an object that fits a schema, or for a function call, the simulator makes one up.
//
// It serves in three ways: in process over connections without a socket ([Server.DialContext]), on
// a listener ([Server.Serve]), and as a handler in tests. Its counts are served under /stats.
package sim
