package sim

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// Misfit spoils that share of the objects that a schema asks for, in each way as often as in
// another, and no other answers; and the same request is spoilt again.
func TestSimMisfit(t *testing.T) {
	const asked = 2000
	s := New(Options{Misfit: 0.5})
	defer s.Close()
	whole := 0
	ask := func(content string) string {
		format := `"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object",` +
			`"properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a","b"],"additionalProperties":false}}}`
		w := post(s, "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"`+content+`"}],`+format+`}`)
		var body struct {
			Choices []struct {
				Message struct{ Content string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Choices) != 1 {
			t.Fatal(err, w.Body)
		}
		return body.Choices[0].Message.Content
	}
	for i := range asked {
		var value struct {
			A *string `json:"a"`
			B *int    `json:"b"`
		}
		content := ask(strings.Repeat("x", i+1))
		if json.Unmarshal([]byte(content), &value) == nil && value.A != nil && value.B != nil {
			whole++
		}
	}
	counts, spoilt := s.Stats().Faults, int64(0)
	for _, kind := range misfits {
		n := counts[string(kind)]
		spoilt += n
		if want := asked * 0.5 / float64(len(misfits)); math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: %d, want about %.0f", kind, n, want)
		}
	}
	if int64(whole) != asked-spoilt {
		t.Errorf("%d fit, and %d of %d were spoilt", whole, spoilt, asked)
	}
	if first := ask("x"); first != ask("x") {
		t.Error("one request has two answers")
	}
	before := s.Stats().Faults
	for range 100 {
		post(s, "/v1/chat/completions", hello)
	}
	for _, kind := range misfits {
		if n := s.Stats().Faults[string(kind)]; n != before[string(kind)] {
			t.Errorf("%s without a schema", kind)
		}
	}
}
