package line

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAnyResultIsReadBackAsItWas(t *testing.T) {
	text := rapid.String()
	count := rapid.Int64Range(0, math.MaxInt64)
	var got Result // one for all, as a replay has it
	rapid.Check(t, func(t *rapid.T) {
		id, err := json.Marshal(text.Draw(t, "id"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := json.Marshal(rapid.MapOf(text, text).Draw(t, "response"))
		if err != nil {
			t.Fatal(err)
		}
		want := Result{
			Record: Record{
				ID:       id,
				Request:  [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "request")),
				Endpoint: text.Draw(t, "endpoint"), Model: text.Draw(t, "model"), Provider: text.Draw(t, "provider"),
				Shard:        text.Draw(t, "shard"),
				PromptTokens: count.Draw(t, "prompt"), CompletionTokens: count.Draw(t, "completion"),
				CostKnown: rapid.Bool().Draw(t, "known"), CostPartial: rapid.Bool().Draw(t, "partial"),
				Attempts: rapid.IntRange(0, math.MaxInt).Draw(t, "attempts"), LatencyMS: count.Draw(t, "latency"),
				Time:      time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "time")).UTC(),
				Simulated: rapid.Bool().Draw(t, "simulated"),
			},
			DowngradedFrom: text.Draw(t, "downgraded"), CostStated: rapid.Bool().Draw(t, "stated"),
			CachedTokens: count.Draw(t, "cached"), ReasoningTokens: count.Draw(t, "reasoning"),
			Response: response,
		}
		for range rapid.IntRange(0, 2).Draw(t, "attachments") {
			want.Attachments = append(want.Attachments, Attachment{
				Path: text.Draw(t, "path"), Size: count.Draw(t, "size"),
				ModTime: time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "mtime"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
				Sum:     [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "sum")),
			})
		}
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 1:
			want.Fits = true
		case 2:
			want.Misfit = text.Draw(t, "misfit")
		}
		if turns := rapid.IntRange(0, 3).Draw(t, "turns"); turns > 0 {
			want.Earlier = Earlier{
				Turns: turns, Attempts: rapid.IntRange(0, math.MaxInt).Draw(t, "attempts before"),
				CostNanos:   count.Draw(t, "cost before"),
				CostUnknown: rapid.Bool().Draw(t, "unknown before"), CostPartial: rapid.Bool().Draw(t, "partial before"),
				PromptTokens: count.Draw(t, "prompt before"), CompletionTokens: count.Draw(t, "completion before"),
				TotalTokens: count.Draw(t, "total before"), CachedTokens: count.Draw(t, "cached before"),
				ReasoningTokens: count.Draw(t, "reasoning before"),
			}
		}
		if want.CostKnown {
			want.CostNanos = count.Draw(t, "cost")
		}
		if rapid.Bool().Draw(t, "kept") {
			want.MayCostNanos = count.Draw(t, "may cost")
		}
		line, err := AppendResult(nil, &want, want.Run, want.Simulated)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if err := Verify(line); err != nil {
			t.Fatal(err)
		}
		h, ok := ParseHead(line)
		if !ok || h.Kind != KindResult || h.Key != KeyOf(want.ID, &want.Request) || h.CostNanos != want.CostNanos ||
			h.CostKnown != want.CostKnown || h.Simulated != want.Simulated || h.MayCost != want.MayCostNanos {
			t.Fatalf("head %+v of %s", h, line)
		}
		if err := got.Decode(line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if g, w := describe(got), describe(want); g != w {
			t.Fatalf("read back\n%s\nwant\n%s", g, w)
		}
	})
}

// describe is all that a result says, in words.
func describe(r Result) string {
	r.fields, r.kept = fields{}, nil
	return fmt.Sprintf("id %s response %s %+v", r.ID, r.Response, r)
}

func TestAnyFailureIsReadBackAsItWas(t *testing.T) {
	text := rapid.String()
	count := rapid.Int64Range(0, math.MaxInt64)
	var got Failure // one for all, as a scan has it
	rapid.Check(t, func(t *rapid.T) {
		id, err := json.Marshal(text.Draw(t, "id"))
		if err != nil {
			t.Fatal(err)
		}
		want := Failure{
			Record: Record{
				ID: id, Request: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "request")),
				Endpoint: text.Draw(t, "endpoint"), Model: text.Draw(t, "model"), Provider: text.Draw(t, "provider"),
				Shard:        text.Draw(t, "shard"),
				PromptTokens: count.Draw(t, "prompt"), CompletionTokens: count.Draw(t, "completion"),
				CostKnown: true, CostPartial: rapid.Bool().Draw(t, "partial"),
				Attempts: rapid.IntRange(0, math.MaxInt).Draw(t, "attempts"), LatencyMS: count.Draw(t, "latency"),
				Time:      time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "time")).UTC(),
				Simulated: rapid.Bool().Draw(t, "simulated"), MayCostNanos: count.Draw(t, "may cost"),
			},
			Type: text.Draw(t, "type"), Code: text.Draw(t, "code"), Message: text.Draw(t, "message"),
			Status: rapid.IntRange(0, 999).Draw(t, "status"),
			Billed: rapid.Bool().Draw(t, "billed"),
		}
		if want.Billed {
			want.CostKnown = rapid.Bool().Draw(t, "known")
		}
		if want.Billed && want.CostKnown {
			want.CostNanos = 1 + count.Draw(t, "cost")/2
		}
		line, err := AppendFailure(nil, &want, want.Run, want.Simulated)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		h, ok := ParseHead(line)
		if !ok || Verify(line) != nil || h.Kind != KindFailure || h.CostNanos != want.CostNanos || h.CostKnown != want.CostKnown {
			t.Fatalf("head %+v of %s", h, line)
		}
		if err := got.Decode(line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got.fields = fields{}
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("read back\n%s\nwant\n%s", g, w)
		}
	})
}
