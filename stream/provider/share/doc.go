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
//
// # Money
//
// A ledger says what it counts as in all, never what was added: its cap, which is what it has spent
// and may spend with what is lent to it. The caps of all ledgers together are never above the
// budget. A process spends up to its cap without a word to anybody, and asks for a higher one when
// what is left of it runs low: half of its even share of all that is left, or what the next request
// may cost. As the budget runs out the parts become smaller, who holds more gives back, and who
// needs nothing holds nothing while another is short.
//
// What a killed process had is its ledger's cap still. The next process of the ledger takes it
// over, and says what it really was. Ledgers are told apart by the run that began them and by their
// file. A ledger that has the runs of another in it, as one that was moved, or that cat has made of
// several, takes the other's place once that is silent and no more was spent there.
//
// The server may lose everything, at any time, and then nobody but the processes knows what was
// spent. So each of them sees all caps, and records them in its ledger, and says all of them again
// to a server that has lost them; for the first two seconds after that nothing is lent. What others
// say for a process that was killed must not be too little, although it may have taken more since
// they looked. Therefore the cap rises up to a ceiling only, which is announced before: it holds as
// soon as all that live have confirmed that they know it. What is said again is the ceiling.
//
// A server that comes back with older contents than it had, as from a snapshot or a replica that
// lagged, is found out by what each process heard of it last, and counts as one that lost
// everything.
package share
