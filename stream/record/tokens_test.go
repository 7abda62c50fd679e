package record

import (
	"strings"
	"testing"
)

// What counts for nothing where a record must not be refused by guess.
func TestDenseBytes(t *testing.T) {
	const frame = len("modelmmessagesrolecontent") + len("user")
	for _, c := range []struct {
		name, text  string
		least, most int
	}{
		{"words", strings.Repeat("some words ", 100), 1100, 1100},
		{"blanks", strings.Repeat(" ", 400_000), 1, 10},
		{"blanks in lines", strings.Repeat(`      \n\t  `, 40_000), 1, 10},
		{"a table of blanks", strings.Repeat("a"+strings.Repeat(" ", 100), 1000), 9000, 9100},
		{"dashes", strings.Repeat("=- ", 4) + strings.Repeat("-", 400_000) + ".", 10, 25},
		{"Russian, escaped", strings.Repeat(`\u0421\u043b`, 1000), 4000, 4000},
		{"base64", strings.Repeat("iVBORw0KGgo+/9A=", 4096), 0, 0},
	} {
		got := DenseBytes([]byte(`{"model":"m","messages":[{"role":"user","content":"` + c.text + `"}]}`))
		if got < frame+c.least || got > frame+c.most {
			t.Errorf("%s: %d bytes, want %d to %d", c.name, got-frame, c.least, c.most)
		}
	}
}

// A text is estimated the same, whether its letters are escaped or not.
func TestEstimateTokensOfEscapes(t *testing.T) {
	for plain, escaped := range map[string]string{
		"Слово за словом": `\u0421\u043b\u043e\u0432\u043e \u0437\u0430 \u0441\u043b\u043e\u0432\u043e\u043c`,
		"文字":              `\u6587\u5b57`,
		"😀":               `\ud83d\ude00`,
	} {
		want, got := estimateText([]byte(`{"prompt":"`+plain+`"}`)), estimateText([]byte(`{"prompt":"`+escaped+`"}`))
		if got != want {
			t.Errorf("%s: %d tokens, and %d escaped", plain, want, got)
		}
	}
}

// A message costs what frames it, whoever's it is, and the model's name nothing.
func TestEstimateTokensOfMessages(t *testing.T) {
	estimate := func(endpoint Endpoint, line string) int {
		t.Helper()
		d, err := NewDecoder(Options{Endpoint: endpoint})
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		if err := d.Decode(&r, []byte(line)); err != nil {
			t.Fatal(err)
		}
		return r.EstimateTokens(r.Model)
	}
	// "Hello there", of two tokens, from one side or the other, and what the
	// cookbook's function gives for it: 3 and the role a message, and 3 for the reply.
	const user, system = `{"role":"user","content":"Hello there"}`, `{"role":"system","content":"Hello there"}`
	for _, c := range []struct {
		endpoint Endpoint
		line     string
		want     int
	}{
		{Chat, `{"model":"gpt-4o-mini","messages":[` + user + `]}`, 9},
		{Chat, `{"model":"gpt-4o-mini-2024-07-18","messages":[` + user + `]}`, 9},
		{Chat, `{"model":"m","messages":[` + system + "," + user + "," + user + `]}`, 21},
		{Chat, `{"model":"m","prompt":"Hello there"}`, 9},
		{Responses, `{"model":"m","input":"Hello there"}`, 8},
		{Embeddings, `{"model":"m","input":"Hello there"}`, 2},
	} {
		if got := estimate(c.endpoint, c.line); got != c.want {
			t.Errorf("%v %s: %d tokens, want %d", c.endpoint, c.line, got, c.want)
		}
	}
}
