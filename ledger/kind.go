package ledger

import "bytes"

// Kind is what a line is about.
type Kind string

const (
	KindRun     Kind = "run"     // a run begins
	KindResult  Kind = "result"  // a request was answered
	KindFailure Kind = "failure" // a record got no answer
	KindEmitted Kind = "emitted" // results were written to a file
	KindBatch   Kind = "batch"   // a shard took a step
)

// kindOf returns the kind of a line that verify has passed, without an allocation for those that are known.
func kindOf(line []byte) Kind {
	name, _, _ := bytes.Cut(line[len(lineStart):], []byte(`"`))
	for _, k := range []Kind{KindRun, KindResult, KindFailure, KindEmitted, KindBatch} {
		if string(name) == string(k) {
			return k
		}
	}
	return Kind(name)
}
