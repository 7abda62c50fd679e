// Package flow holds what passes between the stages of a run, and what they share: the [Task],
// which is one record on its way; the [Gate], which counts what is held between reading and the
// commit; the records in flight by key; the [Shutdown]; and the counts. It knows no stage.
package flow
