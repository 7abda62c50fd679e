package stream

import (
	"encoding/json"
	"strings"
	"testing"

	"llmpipe/stream/ui"
)

// What a run says as JSON is one object a line; the last of them is its end.
func TestProgressJSON(t *testing.T) {
	r := try(t, "sim:?latency=1ms", prompts(50), func(c *Config) { c.Progress = ui.ProgressJSON })
	var last ui.Status
	objects := 0
	for line := range strings.Lines(r.said.String()) {
		if strings.HasPrefix(line, "llmpipe: ") {
			continue
		}
		objects++
		last = ui.Status{}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if objects == 0 || last.Done != 50 || last.OK != 50 || last.Total != 50 || last.Estimated || last.InFlight != 0 {
		t.Errorf("%d objects, the last %+v", objects, last)
	}
}

// Without a terminal nobody sees a line being redrawn, and -q asks for nothing at all.
func TestProgressUnasked(t *testing.T) {
	for name, adapt := range map[string]func(*Config){
		"auto":           func(*Config) {},
		"never":          func(c *Config) { c.Progress = ui.ProgressNever },
		"quiet and json": func(c *Config) { c.Quiet, c.Progress = true, ui.ProgressJSON },
	} {
		r := try(t, "sim:?latency=1ms", prompts(10), adapt)
		if said := r.said.String(); strings.ContainsAny(said, "{\r\x1b") || strings.Contains(said, "in flight") {
			t.Errorf("%s: %q", name, said)
		}
	}
}
