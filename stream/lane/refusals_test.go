package lane

import (
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

func repeat(err *record.Error, n int) []*record.Error {
	all := make([]*record.Error, n)
	for i := range all {
		all[i] = err
	}
	return all
}
