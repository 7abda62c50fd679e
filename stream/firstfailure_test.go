package stream

import (
	"strings"
	"testing"

	"llmpipe/stream/record"
)

// The first failure is told; the others are in the output alone.
func TestFirstFailureIsTold(t *testing.T) {
	const lines = "{\"id\":1,\"prompt\":\"a\"}\n{\"id\":2,\"prompt\":\n[3]\n[4]\n"
	for name, test := range map[string]struct {
		adapt func(*Config)
		want  []string
	}{
		"result": {func(*Config) {}, []string{"llmpipe: line 2 failed: not JSON at byte 18: the line ends inside a value\n"}},
		"text": {func(c *Config) { c.Format = record.FormatText }, []string{
			"llmpipe: error: line 2: invalid_input invalid_json", "llmpipe: error: line 3: invalid_input not_a_record",
			"llmpipe: error: line 4: invalid_input not_a_record",
		}},
		"quiet":            {func(c *Config) { c.Quiet = true }, nil},
		"the stage before": {func(c *Config) { c.Stdin = strings.NewReader(`{"id":1,"error":{"message":"no"}}`) }, nil},
	} {
		r := try(t, "sim:?latency=1ms", strings.NewReader(lines), func(c *Config) {
			c.Ordered = true
			test.adapt(c)
		})
		said, told := r.said.String(), strings.Count(r.said.String(), ": line ")
		for _, want := range test.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said, but\n%s", name, want, said)
			}
		}
		if told != len(test.want) || strings.Contains(said, "hint") {
			t.Errorf("%s: %d failures are told, want %d:\n%s", name, told, len(test.want), said)
		}
	}
}
