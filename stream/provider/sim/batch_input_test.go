package sim

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is wrong with an input file fails the batch, later, and says where.
func TestSimBatchInput(t *testing.T) {
	const chat = "/v1/chat/completions"
	good := inputLine("a", chat, hello)
	tests := []struct {
		name, input string
		code, param string // of the last flaw
		line        int
	}{
		{"not JSON", good + "{\n", "invalid_json_line", "", 2},
		{"not an object", good + "[]\n" + inputLine("b", chat, hello), "invalid_json_line", "", 2},
		{"two values", good + strings.TrimSpace(inputLine("b", chat, hello)) + " 1\n", "invalid_json_line", "", 2},
		{"a blank line", good + "\n", "invalid_json_line", "", 2},
		{"cut off", good + strings.TrimSuffix(inputLine("b", chat, hello), "}\n"), "invalid_json_line", "", 2},
		{"no custom_id", `{"method":"POST","url":"` + chat + `","body":{}}`, "missing_required_parameter", "custom_id", 1},
		{"empty custom_id", inputLine("", chat, hello), "missing_required_parameter", "custom_id", 1},
		{"null custom_id", strings.Replace(good, `"a"`, "null", 1), "missing_required_parameter", "custom_id", 1},
		{"a number for a custom_id", strings.Replace(good, `"a"`, "1", 1), "invalid_type", "custom_id", 1},
		{"the id of another line", good + good, "duplicate_custom_id", "custom_id", 2},
		{"the same id, written otherwise", good + strings.Replace(good, `"a"`, `"\u0061"`, 1), "duplicate_custom_id", "custom_id", 2},
		{"no method", `{"custom_id":"a","url":"` + chat + `","body":{}}`, "missing_required_parameter", "method", 1},
		{"another method", strings.Replace(good, "POST", "GET", 1), "invalid_method", "method", 1},
		{"unknown url", good + inputLine("b", "/v1/poems", hello), "invalid_url", "url", 2},
		{"another url", good + inputLine("b", "/v1/responses", hello), "url_mismatch", "url", 2},
		{"no body", `{"custom_id":"a","method":"POST","url":"` + chat + `"}`, "missing_required_parameter", "body", 1},
		{"a body that is text", inputLine("a", chat, `"x"`), "invalid_type", "body", 1},
		{"another model", good + inputLine("b", chat, strings.Replace(hello, "mini", "maxi", 1)), "model_mismatch", "body.model", 2},
		{"unknown model", inputLine("a", chat, strings.Replace(hello, "gpt-4o-mini", "x", 1)), "model_not_found", "body.model", 1},
		{"empty", "", "empty_file", "", 0},
		{"too many", strings.Repeat(good, batchRequests+1), "duplicate_custom_id", "custom_id", batchFlaws + 1},
		{"a long line", good + `{"custom_id":"` + strings.Repeat("x", 600<<10) + "\"\n", "invalid_json_line", "", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{BatchLatency: time.Hour, Models: []string{"gpt-4o-mini", "gpt-4o-maxi"}})
				defer s.Close()
				made := makeBatch(t, s, test.input)
				if made.Status != stateValidating {
					t.Errorf("made as %+v", made)
				}
				end := endOf(t, s, made.ID)
				if end.Status != stateFailed || end.Errors == nil || end.Errors.Object != "list" || end.OutputFileID != nil || end.ErrorFileID != nil ||
					*end.FailedAt != end.CreatedAt+360 {
					t.Fatalf("ended as %+v", end)
				}
				last := end.Errors.Data[len(end.Errors.Data)-1]
				param, line := "", 0
				if last.Param != nil {
					param = *last.Param
				}
				if last.Line != nil {
					line = *last.Line
				}
				if last.Code != test.code || param != test.param || line != test.line || last.Message == "" {
					t.Errorf("failed with %s of %q in line %d: %s", last.Code, param, line, last.Message)
				}
			})
		})
	}
}

func TestSimBatchLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		over := makeBatch(t, s, batchLines(batchRequests+1))
		if end := endOf(t, s, over.ID); end.Status != stateFailed || end.Errors.Data[0].Code != "too_many_tasks" {
			t.Errorf("one request too many: %+v", end)
		}
		for _, size := range []int64{batchBytes, batchBytes + 1} {
			file := upload(t, s, batchLines(1))
			stored := s.files.find(file.ID)
			stored.bytes = size
			if end := endOf(t, s, makeBatchOf(t, s, file.ID, "/v1/chat/completions").ID); (end.Status == stateFailed) != (size > batchBytes) {
				t.Errorf("%d bytes: %+v", size, end)
			}
		}
	})
}

// A batch of a file that it does not find fails; it is not refused.
func TestSimBatchWithoutFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{FileDelay: 10 * time.Hour})
		defer s.Close()
		fresh := upload(t, s, batchLines(1)).ID
		old := upload(t, s, batchLines(1)).ID
		for _, id := range []string{"file-none", fresh} {
			end := endOf(t, s, makeBatchOf(t, s, id, "/v1/chat/completions").ID)
			if end.Status != stateFailed || !strings.Contains(end.Errors.Data[0].Message, "Cannot find file "+id) {
				t.Errorf("%s: %+v", id, end)
			}
		}
		time.Sleep(10 * time.Hour)
		if err := os.Remove(s.files.find(old).path); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{fresh: stateCompleted, old: stateFailed} {
			if end := endOf(t, s, makeBatchOf(t, s, id, "/v1/chat/completions").ID); end.Status != want {
				t.Errorf("%s: %+v", id, end)
			}
		}
	})
}

// Whatever a line holds, reading it neither panics nor lets a line pass that
// lacks something.
func FuzzSimBatchLine(f *testing.F) {
	for _, line := range []string{
		inputLine("a", "/v1/chat/completions", hello), `{"custom_id":"a","body":{}`, `{"custom_id":null,"url":[],"body":null}`, `x`, "",
	} {
		f.Add([]byte(line))
	}
	var l batchLine
	f.Fuzz(func(t *testing.T, text []byte) {
		flaw := l.parse(text, false)
		if flaw == nil && (len(l.customID) == 0 || len(l.body) == 0 || l.body[0] != '{') {
			t.Errorf("%q passes with custom_id %q and body %q", text, l.customID, l.body)
		}
		if flaw != nil && (flaw.Code == "" || flaw.Message == "") {
			t.Errorf("%q: %+v", text, flaw)
		}
	})
}
