// Package flow is what passes between the stages of a run, and what they share: the [Task] that is
// one record on its way, the [Gate] that counts what is held between reading and the commit, the
// records in flight by key, the [Shutdown], and the counts. It knows no stage.
package flow
