package lane

import (
	"testing"

	"llmpipe/stream/flow"
)

// A lane may open again in the moment in which a record finds all of them closed: that is no end of
// the run.
func TestNowhereButForALaneThatOpens(t *testing.T) {
	f := newFlow(t)
	defer f.Stop.Release()
	all := &Lanes{flow: f, all: []*Lane{{}}}
	if all.nowhere(newRequest(new(flow.Task))) || f.Stop.Ending() {
		t.Error("the run ends although its only lane is open")
	}
}
