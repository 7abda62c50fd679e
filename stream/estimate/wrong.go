package estimate

import (
	"errors"
	"fmt"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// mostComplaints is how many invalid lines are reported one by one.
const mostComplaints = 10

// complaints report what is wrong with lines, as a run with --format text would.
type complaints struct {
	voice *ui.Voice
	n     int64
}

func (c *complaints) tell(t *flow.Task) {
	if c.n++; c.n <= mostComplaints {
		c.voice.Error(fmt.Errorf("%s: %w", t, t.Err))
	}
}

// end reports how many more invalid lines there are, and whether there is nothing else.
func (c *complaints) end(prompts int64) {
	if more := c.n - mostComplaints; more > 0 {
		c.voice.Error(fmt.Errorf("%s of %s cannot be sent; the first %d are named above",
			ui.Grouped(c.n), ui.Number(c.n+prompts, "line"), mostComplaints))
	}
	switch {
	case prompts > 0:
	case c.n > 0:
		c.voice.Error(ui.WithHint("write a JSON object with a prompt, or a JSON string, on each line; "+
			"-R reads plain text, -p makes prompts from any object",
			errors.New("no line of the input can be sent: there is nothing to estimate")))
	default:
		c.voice.Warn("the input is empty: there is nothing to estimate")
	}
}
