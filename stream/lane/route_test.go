package lane

import (
	"io"
	"testing"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// A lane may open again in the moment in which a record finds all of them closed: that is no end of
// the run.
func TestNowhereButForALaneThatOpens(t *testing.T) {
	f := flow.New(t.Context(), ui.NewVoice(io.Discard, false, false), func() int { return 1 })
	defer f.Stop.Release()
	all := &Lanes{flow: f, all: []*Lane{{}}}
	if all.nowhere(newRequest(new(flow.Task))) || f.Stop.Ending() {
		t.Error("the run ends although its only lane is open")
	}
}
