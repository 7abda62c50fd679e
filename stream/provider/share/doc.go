// Package share lets processes on many machines share one budget and one quota, through a Redis or
// Valkey server, version 6 or later.
//
// A process calls one Lua script on the server, at most once per [Interval]; a call that must not
// wait may come sooner. The script decides each call at once, for all processes, by the server's
// clock. It has two halves: money.lua lends parts of the budget, and quota.lua lends parts of what
// a provider allows. A call may leave either out. On this side each half is a [Part] of the [Share]
// that makes the calls.
//
// What is shared belongs to a job. All keys of a job hold its name in braces, so that they are in
// one slot of a cluster.
//
// # Money
//
// A ledger always reports a total, never an increment. That total is its cap: what it has spent,
// plus what it may still spend of what is lent to it. The caps of all ledgers together never exceed
// the budget. A process spends up to its cap without asking. When what is left of the cap runs low,
// it asks for a higher one: for half of its even share of all that is left, or for what the next
// request may cost. As the budget runs out the parts become smaller, and a process that holds more
// gives it back. A process that needs nothing holds nothing while another is short.
//
// The days of a daily budget are those of the server's clock. A process asks what time it is there
// when it starts, and counts its days by that. Clocks drift, so near midnight a process may be in
// another day than the server. Then nothing is lent to it, and what it spent on the day before
// counts for the others until that day is over.
//
// If a process is killed, what it had remains its ledger's cap. The next process of that ledger
// takes the cap over, and reports what was really spent. Ledgers are told apart by the run that
// began them and by their file. A ledger may contain the runs of another, because it was moved, or
// made of several by cat. It replaces that other ledger once the other is silent and has spent no
// more than the containing ledger.
//
// A run without a ledger counts as a ledger of its own, which nothing takes over. So that the
// server does not keep an entry for each that there ever was, those that are over are added up, but
// for the last few.
//
// The server may lose everything at any time. Then only the processes know what was spent. So each
// process sees all caps, records them in its ledger, and repeats them to a server that has lost
// them. For the first two seconds after a loss nothing is lent. What others repeat for a killed
// process must not be too low, although that process may have been lent more since they last
// looked. Therefore a cap rises only up to a ceiling that is announced beforehand. A ceiling takes
// effect once all living processes have confirmed that they know it. What is repeated is the
// ceiling.
//
// A server may come back with older contents, as from a snapshot or a replica that lagged. Then it
// is treated like a server that lost everything, and what it still holds like what a process
// repeats. The script sees that by itself where the contents were written by another process of the
// server: those that were there may be gone, and those that come may know nothing. And the
// processes see it where the server is behind the moment that they or their ledgers last heard of,
// whoever had it go back.
package share
