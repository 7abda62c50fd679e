package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A producer that waits for each answer before it writes the next line is served: nothing waits for
// company.
func TestLineByLine(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerChat(w) })
	for _, c := range []struct {
		name string
		args []string
		line string
	}{
		{"template", []string{"--no-ledger", "-p", "Say {{.text}}"}, `{"id":%d,"text":"a"}`},
		{"with a ledger", []string{"-p", "Say {{.text}}"}, `{"id":%d,"text":"a"}`},
		{"ordered", []string{"--no-ledger", "--ordered"}, `"%d"`},
		{"short lines", []string{"--no-ledger", "-R"}, "%d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := llmpipe(t, t.TempDir(), append(c.args, "--base-url", b.URL, "-m", "m")...)
			p.Stdout = nil
			in, err := p.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			p.starts(t)
			answers := bufio.NewReader(out)
			for i := range 20 {
				if _, err := fmt.Fprintf(in, c.line+"\n", i); err != nil {
					t.Fatal(err)
				}
				if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, `"said"`) {
					t.Fatalf("line %d: %q, %v, %s", i+1, line, err, p.err.String())
				}
			}
			_ = in.Close()
			if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
				t.Errorf("at the end came %q, %v", rest, err)
			}
			if code := p.wait(t); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
}

// What failed in one stage passes the next as it is, unasked, and under its own id.
func TestStagesChained(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerChat(w) })
	dir := t.TempDir()
	first := llmpipe(t, dir, "--base-url", b.URL, "-m", "m")
	first.Stdin = strings.NewReader(`{"id":"a","prompt":"x"}` + "\n" + `{"id":"b","messages":3}` + "\n" + `{"id":"c","prompt":"y"}` + "\n")
	second := llmpipe(t, dir, "--base-url", b.URL, "-m", "m", "-p", "Shorter: {{.content}}")
	var err error
	if second.Stdin, err = func() (io.Reader, error) { first.Stdout = nil; return first.StdoutPipe() }(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*process{first, second} {
		p.starts(t)
	}
	if code := second.wait(t); code != 3 {
		t.Errorf("the second stage: exit %d, %s", code, second.err.String())
	}
	if code := first.wait(t); code != 3 {
		t.Errorf("the first stage: exit %d, %s", code, first.err.String())
	}
	got := map[string]string{}
	for _, line := range second.lines() {
		var r struct {
			ID      string
			Content string
			Error   struct{ Type string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		got[r.ID] = r.Content + r.Error.Type
	}
	if len(got) != 3 || got["a"] != "said" || got["b"] != "upstream" || got["c"] != "said" {
		t.Errorf("the second stage wrote %v", got)
	}
	if n := b.asked.Load(); n != 4 {
		t.Errorf("%d requests were sent, want 2 a stage", n)
	}
}

// When several things end a run, the exit code is that of the gravest.
func TestExitCodePrecedence(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n > 5 {
			answerError(w, http.StatusTooManyRequests, "insufficient_quota")
			return
		}
		answerChat(w)
	})
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "m", "-c", "2", "--summary", "summary.json")
	p.Stdin = strings.NewReader("not JSON\n" + strings.Repeat(`{"prompt":"x"}`+"\n", 50))
	if code := p.exit(t); code != 75 {
		t.Errorf("failed records and a quota used up: exit %d, want 75", code)
	}
	if s := readSummary(t, p.Dir); s.OK != 5 || s.Failed != 1 {
		t.Errorf("summary %+v", s)
	}
}
