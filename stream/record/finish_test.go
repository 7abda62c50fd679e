package record

import "testing"

func TestFinishReasons(t *testing.T) {
	for reason, want := range map[string]struct {
		flag   string
		broken bool
	}{
		`"stop"`: {}, `"STOP"`: {}, `"tool_calls"`: {}, `"function_call"`: {}, `"end_turn"`: {}, `"eos_token"`: {},
		`"COMPLETE"`: {}, `"normal"`: {},
		`"length"`: {flag: "length"}, `"MAX_TOKENS"`: {flag: "length"}, `"model_context_window_exceeded"`: {flag: "length"},
		`"content_filter"`: {flag: "content_filter"}, `"content-filter"`: {flag: "content_filter"},
		`"SAFETY"`:     {flag: "content_filter"},
		`"RECITATION"`: {flag: "content_filter"}, `"PROHIBITED_CONTENT"`: {flag: "content_filter"},
		`"sensitive"`:                  {flag: "content_filter"},
		`"content_filter: RECITATION"`: {flag: "content_filter"}, `"refusal"`: {flag: "content_filter"},
		`"IMAGE_SAFETY"`: {flag: "content_filter"},
		`"error"`:        {broken: true}, `"abort"`: {broken: true}, `"network_error"`: {broken: true},
		`"insufficient_system_resource"`: {broken: true},
		`"ERROR"`:                        {broken: true}, `"error: upstream closed"`: {broken: true},
		`"MALFORMED_FUNCTION_CALL"`: {flag: "finish_reason"}, `"OTHER"`: {flag: "finish_reason"}, `"pause_turn"`: {flag: "paused"},
		`null`: {flag: "finish_reason"}, `""`: {flag: "finish_reason"},
	} {
		a, err := ParseAnswer(Chat, []byte(`{"choices":[{"message":{"content":"Once upon a"},"finish_reason":`+reason+`}]}`))
		if err != nil {
			t.Fatal(err)
		}
		flag := a.Flag()
		if want.broken {
			flag = "" // it is no answer, whatever it is flagged as
		}
		if flag != want.flag || a.Broken() != want.broken {
			t.Errorf("%s: flagged %q, broken %t", reason, a.Flag(), a.Broken())
		}
	}
	a, err := ParseAnswer(Chat, []byte(`{"choices":[{"message":{"content":"Once upon a time"}}]}`))
	if err != nil || a.Flag() != "" {
		t.Errorf("without one: %q, %v", a.Flag(), err)
	}
}

// Of several choices, and several embeddings, each counts.
func TestFlagOfSeveral(t *testing.T) {
	for _, c := range []struct {
		endpoint   Endpoint
		body, flag string
		broken     bool
	}{
		{Chat, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"},{"message":{"content":"b"},"finish_reason":"stop"}]}`, "", false},
		{Chat, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"},{"message":{"content":"b"},"finish_reason":"length"}]}`,
			"length", false},
		{Chat, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"},{"message":{"content":"b"},"finish_reason":"error"}]}`,
			"", true},
		{Embeddings, `{"data":[{"embedding":[1]},{"embedding":[2]}]}`, "", false},
		{Embeddings, `{"data":[{"embedding":[1]},{"embedding":[]}]}`, "empty", false},
	} {
		a, err := ParseAnswer(c.endpoint, []byte(c.body))
		if err != nil || a.Broken() != c.broken || !c.broken && a.Flag() != c.flag {
			t.Errorf("%s: flagged %q, broken %t, %v", c.body, a.Flag(), a.Broken(), err)
		}
	}
}

// An embedding with nothing in it is flagged.
func TestEmptyEmbeddings(t *testing.T) {
	for vector, want := range map[string]string{`[]`: "empty", `""`: "empty", `null`: "empty", `[ ]`: "empty", `[0]`: "", `"AAAA"`: ""} {
		a, err := ParseAnswer(Embeddings, []byte(`{"data":[{"embedding":`+vector+`}]}`))
		if err != nil || a.Choices != 1 || a.Flag() != want {
			t.Errorf("%s: %d choices, flagged %q, %v", vector, a.Choices, a.Flag(), err)
		}
	}
}

// What stands beside a good answer in the place of an error, and is none.
func TestErrorsThatSayNothing(t *testing.T) {
	for value, nothing := range map[string]bool{
		`null`: true, `""`: true, `" "`: true, `{}`: true, `[]`: true, `false`: true, `0`: true, `"success"`: true, `"OK"`: true, `"None"`: true,
		`{"message":"","type":"","param":"","code":null}`: true, `{"code":0,"message":"success"}`: true, `[{}]`: true, `{"code":"200"}`: true,
		`"down"`: false, `{"message":"down"}`: false, `{"code":502}`: false, `true`: false, `1`: false, `[{"message":"down"}]`: false,
	} {
		for _, body := range []string{
			`{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"error":` + value + `}`,
			`{"choices":[{"error":` + value + `,"message":{"content":"a"},"finish_reason":"stop"}]}`,
		} {
			a, err := ParseAnswer(Chat, []byte(body))
			if err != nil || (a.Error == nil) != nothing {
				t.Errorf("%s: %s, %v", body, a.Error, err)
			}
		}
	}
	for code, nothing := range map[string]bool{"0": true, "1002": false} {
		a, err := ParseAnswer(Chat, []byte(`{"choices":null,"base_resp":{"status_code":`+code+`,"status_msg":"m"}}`))
		if err != nil || (a.Error == nil) != nothing {
			t.Errorf("base_resp %s: %s, %v", code, a.Error, err)
		}
	}
}
