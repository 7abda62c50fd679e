package provider

import (
	"net/http"
	"testing"

	"llmpipe/stream/record"
)

// A 200 that is no answer says what it is: with the words of whoever failed behind a router, where there are any.
func TestJudgeA200ThatIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		body          string
		class         Class
		code, message string
	}{
		{"", Transient, "", "the answer is empty"},
		{"<html>busy</html>", Transient, "", "the answer is a web page: reading the answer: not JSON: <html>busy</html>"},
		{`["x"]`, Transient, "", "reading the answer: it is an array, not an object"},
		{`{"choices":[]}`, Transient, "", "the answer holds no choice and no embedding"},
		{`{"error":{"code":400,"message":"bad"}}`, Refused, "400", "bad"},
		{`{"id":"gen-1","choices":[{"error":{"code":429,"message":"slow down"},"finish_reason":"error"}]}`, Pressure, "429", "slow down"},
		{`{"choices":[{"error":{"code":502,"message":"upstream"},"message":{"content":"half"}}]}`, Transient, "502", "upstream"},
	} {
		r := Reply{Status: http.StatusOK, Header: http.Header{}, Body: []byte(c.body)}
		r.judge(record.Chat, nil)
		if r.Class != c.class || r.Err == nil || r.Err.Code != c.code || r.Err.Message != c.message {
			t.Errorf("%s: %s, %+v", c.body, r.Class, r.Err)
		}
	}
}
