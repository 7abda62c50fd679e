package line

import "bytes"

// Kind is what a line is about.
type Kind string

// The kinds of format 1.
const (
	KindRun     Kind = "run"     // a run begins
	KindResult  Kind = "result"  // a request was answered
	KindFailure Kind = "failure" // a record got no answer
	KindEmitted Kind = "emitted" // results were written to a file
	KindBatch   Kind = "batch"   // a shard took a step
	KindRisk    Kind = "risk"    // records are about to be asked about
	KindEnd     Kind = "end"     // a run ends
	KindShare   Kind = "share"   // what was seen of a job's money
)

// KindOf returns the kind of a line that [Verify] has passed, even an unknown one. It does not
// allocate for known kinds.
func KindOf(line []byte) Kind {
	name, _, _ := bytes.Cut(line[len(lineStart):], []byte(`"`))
	for _, k := range []Kind{KindRun, KindResult, KindFailure, KindEmitted, KindBatch, KindRisk, KindEnd, KindShare} {
		if string(name) == string(k) {
			return k
		}
	}
	return Kind(name)
}
