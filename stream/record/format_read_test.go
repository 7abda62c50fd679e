package record

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// linesToRead are lines of results and failures in every format that names its record, each with
// what it says.
func linesToRead(t *testing.T) map[string]Result {
	t.Helper()
	body := []byte(`{"model":"m","choices":[{"message":{"content":"it costs ,\"cost_usd\":1 \"{\\"},"finish_reason":"stop"}]}`)
	answer, err := ParseAnswer(Chat, body)
	if err != nil {
		t.Fatal(err)
	}
	results := make(map[string]Result)
	for i, id := range []string{`"r1"`, `"a \"quoted\" one\\"`, `17`, `-1.5e3`, `"batch_req_1"`, `""`} {
		results[fmt.Sprintf("answered %d", i)] = Result{
			ID: []byte(id), Answer: &answer, Response: body, Attempts: 1, CostKnown: true, CostNanos: 13800,
		}
		failure := &Error{Type: "timeout", Message: "no answer"}
		results[fmt.Sprintf("failed %d", i)] = Result{ID: []byte(id), Line: 12, Err: failure, Attempts: 6}
	}
	results["of a file"] = Result{Line: 3, File: `a,"line":1.jsonl`, Err: &Error{Type: "bad_input", Message: "not JSON"}}
	refusal := &Error{Type: "bad_request", Status: 400, Code: "x", Message: "no"}
	results["refused"] = Result{ID: []byte(`"r1"`), Line: 3, Err: refusal, Attempts: 1}
	return results
}

func TestReadLineReadsWhatIsWritten(t *testing.T) {
	for name, r := range linesToRead(t) {
		for _, f := range []Format{FormatResult, FormatBatch, FormatRaw} {
			for _, input := range []string{"", `{"id":5}`} {
				if r.Input = nil; input != "" {
					r.Input = []byte(input)
				}
				line := f.Append(nil, &r)
				want := LineAnswered
				if r.Err != nil {
					want = LineFailed
				}
				id, kind := ReadLine(line)
				if kind != want || string(bytes.Trim(id, `"`)) != strings.Trim(idText(&r), `"`) {
					t.Errorf("%s, %s: %s is of %s, kind %d", name, f, line, id, kind)
				}
				// Cut anywhere it says less, and nothing else.
				told := false
				for n := range line {
					id, kind := ReadLine(line[:n])
					if kind != LineShort && kind != want || told && kind != want {
						t.Fatalf("%s, %s: %q is of kind %d", name, f, line[:n], kind)
					}
					if told = kind == want; told && string(bytes.Trim(id, `"`)) != strings.Trim(idText(&r), `"`) {
						t.Fatalf("%s, %s: %q is of %s", name, f, line[:n], id)
					}
				}
				if !told {
					t.Errorf("%s, %s: %q is not known before its end", name, f, line)
				}
			}
		}
	}
}

func idText(r *Result) string {
	if r.ID == nil {
		return "null"
	}
	return string(r.ID)
}

func TestReadLineKnowsItsOwnLinesAlone(t *testing.T) {
	for _, line := range []string{
		"note", `"id"`, `{"name":1}`, `{ "id":1}`, `{"id":1}`, `{"id":1,"note":2}`, `{"id":{"a":1},"content":"x"}`, `[{"id":1}]`, "\x00\x00",
		`{"id":1,"line":"x"}`, `{"id":1,"line":5,"note":1}`, `{"id":"batch_req_1","custom_id":"x","note":1}`, `{"id":,"content":1}`,
	} {
		if id, kind := ReadLine([]byte(line)); kind != LineOther || id != nil {
			t.Errorf("%s is of %s, kind %d", line, id, kind)
		}
	}
}

// A half line begins the result's that it was written for, also where what stands at its end is
// written otherwise, and no other's.
func TestBeginsIsOfTheResultAlone(t *testing.T) {
	results := linesToRead(t)
	for name, r := range results {
		if r.Err != nil {
			continue
		}
		for _, f := range []Format{FormatResult, FormatBatch, FormatRaw} {
			written := r
			written.Input, written.Provider, written.CostNanos = []byte(`{"prompt":"p"}`), "another", 0
			line := f.Append(nil, &written)
			for n := 1; n < len(line); n++ {
				if !f.Begins(line[:n], &r) {
					t.Fatalf("%s, %s: %q does not begin it", name, f, line[:n])
				}
				if id, _ := ReadLine(line[:n]); id == nil {
					continue
				}
				for other, o := range results {
					if other != name && o.Err == nil && f.Begins(line[:n], &o) {
						t.Fatalf("%s, %s: %q begins %s", name, f, line[:n], other)
					}
				}
			}
		}
	}
}
