package estimate

import (
	"fmt"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// mostComplaints is how many lines that cannot be asked are told of one by one.
const mostComplaints = 100

// complaints tell what is wrong with lines, as the run would with --format text.
type complaints struct {
	voice *ui.Voice
	n     int64
}

func (c *complaints) tell(t *flow.Task) {
	if c.n++; c.n <= mostComplaints {
		c.voice.Error(fmt.Errorf("%s: %w", t, t.Err))
	}
}

// end says how many more there are.
func (c *complaints) end() {
	if more := c.n - mostComplaints; more > 0 {
		c.voice.Error(fmt.Errorf("%s more cannot be asked either", ui.Number(more, "line")))
	}
}
