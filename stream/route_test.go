package stream

import (
	"io"
	"testing"

	"llmpipe/stream/ui"
)

// A lane may open again in the moment in which a record finds all of them closed: that is no end of the run.
func TestNowhereButForALaneThatOpens(t *testing.T) {
	f := NewFlow(t.Context(), ui.NewVoice(io.Discard, false, false), func() int { return 1 })
	defer f.stop.release()
	all := &lanes{flow: f, all: []*lane{{}}}
	if all.nowhere(newRequest(new(Task))) || f.stop.ending() {
		t.Error("the run ends although its only lane is open")
	}
}
