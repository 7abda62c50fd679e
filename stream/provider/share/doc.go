// Package share lets processes on many machines share one budget and one quota, through a Redis or
// Valkey from version 6 on.
//
// A process calls one Lua script there, at most four times a second, and whatever it asked is
// decided at once for all of them, by the server's clock. The script has two halves, of which a
// call may leave either out: money.lua lends parts of the budget, quota.lua parts of what a
// provider allows. On this side each is a [Part] of the [Share] that makes the calls.
//
// What is shared is under the name of a job: all its keys hold that in braces, so that they are in
// one slot of a cluster.
package share
