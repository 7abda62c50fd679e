package sim

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Whatever a body holds, the simulator answers with JSON: 200, or 400 with an
// error that says why.
func FuzzSimBody(f *testing.F) {
	for _, body := range []string{
		hello,
		`{"model":"m","input":["a",[1,2]],"prompt":[1,2],"n":2,"max_tokens":3}`,
		`{"model":"o3","input":[{"role":"user","content":[{"type":"input_text","text":"\ud800\u0041"}]}],"instructions":null}`,
		`{"m\u006fdel":"m","prompt":null,"prompt":["",""],"messages":[{"content":"x"}],"dimensions":3,"encoding_format":"base64"}`,
		`{"model":"` + "\xff" + `","messages":[{"role":1,"content":{"a":[]}}],"tools":[{}],"stream":false}`,
		`{"model":"m","messages":[{}]} x`,
		`{"instructions"`,
		`[`,
	} {
		f.Add([]byte(body))
	}
	s := New(Options{})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/v1/completions"} {
			w := post(s, path, string(body))
			switch w.Code {
			case http.StatusOK:
				if !json.Valid(w.Body.Bytes()) {
					t.Errorf("%s answered %s", path, w.Body)
				}
			case http.StatusBadRequest:
				if got := decode[wireError](t, w); got.Error.Message == "" || got.Error.Type == "" {
					t.Errorf("%s answered %s", path, w.Body)
				}
			default:
				t.Errorf("%s answered %d %s", path, w.Code, w.Body)
			}
		}
	})
}
