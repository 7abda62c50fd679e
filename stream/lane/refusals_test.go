package lane

import (
	"net/http"
	"testing"

	"llmpipe/stream/record"
)

func TestSameError(t *testing.T) {
	notFound := &record.Error{Type: "invalid_request_error", Code: "model_not_found", Status: 404, Message: "no such model"}
	other := &record.Error{Type: "invalid_request_error", Code: "missing", Status: 400}
	long := &record.Error{Type: "invalid_request_error", Code: "context_length_exceeded", Status: 400}
	for _, c := range []struct {
		name     string
		replies  []*record.Error // nil: an answer
		hopeless int             // after which reply, 0: never
	}{
		{"all alike", repeat(notFound, 25), AlikeRefusals},
		{"one too few", repeat(notFound, AlikeRefusals-1), 0},
		{"an answer first", append([]*record.Error{nil}, repeat(notFound, 40)...), 0},
		{"an answer between", append(append(repeat(notFound, 19), nil), repeat(notFound, 40)...), 0},
		{"another error between", append(append(repeat(notFound, 19), other), repeat(notFound, 40)...), 0},
		{"about the records", repeat(long, 40), 0},
	} {
		var s refusals
		got := 0
		for i, err := range c.replies {
			switch {
			case err == nil:
				s.clear()
			case s.repeats(err, 1) && got == 0:
				got = i + 1
			}
		}
		if got != c.hopeless {
			t.Errorf("%s: hopeless after %d, want %d", c.name, got, c.hopeless)
		}
	}
}

// A 404 is blamed on the address only if it may come from a server without an API.
func TestHintAtNotFound(t *testing.T) {
	const elsewhere = "the server has nothing at this address: check the host and the port"
	for _, c := range []struct {
		message string
		found   bool // a call about a file or a batch was answered before
		want    string
	}{
		{"404 page not found", false, elsewhere},
		{"404 page not found", true, ""},
		{"File Not Found", false, elsewhere},
		{"No such File object: file-abc", false, ""},
		{"Previous response with id 'resp_123' not found.", false, ""},
		{"the model 'm' does not exist", true, `the provider does not know the model "m": name another with -m`},
	} {
		l := testLane(t)
		l.base, l.lanes.cfg.Lanes = "http://localhost:1/v1", make([]Target, 1)
		if c.found {
			l.Found()
		}
		err := &record.Error{Type: "invalid_request_error", Status: http.StatusNotFound, Message: c.message}
		if got := l.hint(err, "m"); got != c.want {
			t.Errorf("%s, found %t: %q, want %q", c.message, c.found, got, c.want)
		}
	}
}

func repeat(err *record.Error, n int) []*record.Error {
	all := make([]*record.Error, n)
	for i := range all {
		all[i] = err
	}
	return all
}
