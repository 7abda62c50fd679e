package provider

import (
	"net/http"
	"testing"

	"llmpipe/stream/record"
)

// A 200 that is no answer says what it is: with the words of whoever failed behind a router, where
// there are any.
func TestJudgeA200ThatIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		body          string
		class         Class
		code, message string
	}{
		{"", Transient, "", "the answer is empty"},
		{"<html>busy</html>", Transient, "", "the answer is a web page, not JSON: <html>busy</html>"},
		{`["x"]`, Transient, "", "reading the answer: it is an array, not an object"},
		{`{"choices":[]}`, Transient, "", "the answer has no choice and no embedding"},
		{`{"error":{"code":400,"message":"bad"}}`, Refused, "400", "bad"},
		{`{"id":"gen-1","choices":[{"error":{"code":429,"message":"slow down"},"finish_reason":"error"}]}`, Pressure, "429", "slow down"},
		{`{"choices":[{"error":{"code":502,"message":"upstream"},"message":{"content":"half"}}]}`, Transient, "502", "upstream"},
	} {
		r := Reply{Status: http.StatusOK, Header: http.Header{}, Body: []byte(c.body)}
		r.judge(record.Chat, nil, room{})
		if r.Class != c.class || r.Err == nil || r.Err.Code != c.code || r.Err.Message != c.message {
			t.Errorf("%s: %s, %+v", c.body, r.Class, r.Err)
		}
	}
}

// A line of a batch's files means what the same answer means over HTTP.
func TestJudgeBatch(t *testing.T) {
	r := Reply{Body: make([]byte, 0, 1<<10), BodyInUse: true}
	for _, c := range []struct {
		name, line string
		class      Class
		kind, code string
		status     int
	}{
		{"answered", `{"custom_id":"r","response":{"status_code":200,"body":` + answeredBody + `},"error":null}`, OK, "", "", 200},
		{"answered, without a status", `{"custom_id":"r","response":{"body":` + answeredBody + `}}`, OK, "", "", 200},
		{"expired", `{"custom_id":"r","response":null,"error":{"code":"batch_expired","message":"m"}}`, Transient, "batch", "batch_expired", 0},
		{"cancelled", `{"custom_id":"r","response":null,"error":{"code":"batch_cancelled","message":"m"}}`,
			Transient, "batch", "batch_cancelled", 0},
		{"an error without a code", `{"custom_id":"r","response":null,"error":{"message":"m"}}`, Transient, "batch", "", 0},
		{"out of money on the way", `{"custom_id":"r","response":null,"error":{"code":"insufficient_quota","message":"m"}}`,
			Exhausted, "quota", "insufficient_quota", 0},
		{"an error with a status for its code", `{"custom_id":"r","response":null,"error":{"type":"t","code":400,"message":"m"}}`,
			Refused, "t", "400", 0},
		{"refused", `{"custom_id":"r","response":{"status_code":400,"body":{"error":{"type":"t","code":"c","message":"m"}}},"error":null}`,
			Refused, "t", "c", 400},
		{"refused, said beside the answer", `{"custom_id":"r","response":{"status_code":400,"body":null},` +
			`"error":{"type":"t","code":"c","message":"m"}}`,
			Refused, "t", "c", 400},
		{"a limit", `{"custom_id":"r","response":{"status_code":429,"body":{"error":{"code":"c","message":"m"}}}}`,
			Pressure, "rate_limit", "c", 429},
		{"a fault", `{"custom_id":"r","response":{"status_code":500,"body":{"error":{"code":"c","message":"m"}}}}`,
			Transient, "server_error", "c", 500},
		{"no choice", `{"custom_id":"r","response":{"status_code":200,"body":{"choices":[]}}}`, Transient, "bad_response", "", 200},
		{"no body", `{"custom_id":"r","response":{"status_code":200,"body":null}}`, Transient, "bad_response", "", 200},
		{"an error in the place of a body", `{"custom_id":"r","response":{"status_code":200},"error":{"code":"c","message":"m"}}`,
			Transient, "bad_response", "c", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out record.BatchOutput
			line := []byte(c.line)
			if err := record.ParseBatchOutput(line, &out); err != nil {
				t.Fatal(err)
			}
			body := string(out.Body)
			r.JudgeBatch(record.Chat, &out)
			clear(line) // what is in the reply is its own
			if r.Class != c.class || r.Status != c.status || string(r.Body) != body || !r.BodyInUse {
				t.Errorf("%v, %d, %s", r.Class, r.Status, r.Body)
			}
			if c.class == OK {
				if r.Err != nil || string(r.Answer.Content) != `"yes"` {
					t.Errorf("%v, %s", r.Err, r.Answer.Content)
				}
				return
			}
			if r.Err == nil || r.Err.Type != c.kind || r.Err.Code != c.code || r.Err.Status != c.status || r.Err.Message == "" {
				t.Errorf("error %+v", r.Err)
			}
		})
	}
}
