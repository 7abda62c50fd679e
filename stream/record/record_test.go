package record

import (
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func TestInspect(t *testing.T) {
	completions := Options{Endpoint: Completions}
	tests := []struct {
		line         string
		opt          Options
		model        string
		maxTokens, n int
	}{
		{`{"prompt":"a"}`, Options{}, "", 0, 1},
		{`{"prompt":"a","model":"g\u0070t","max_tokens":5,"n":3}`, Options{}, "gpt", 5, 3},
		{`{"prompt":"a"}`, Options{Model: "m", Set: []Field{{"max_tokens", []byte("7")}}}, "m", 7, 1},
		{`{"messages":[],"max_output_tokens":3,"max_tokens":2,"max_completion_tokens":1}`, Options{}, "", 1, 1},
		{`{"input":"a","max_output_tokens":3}`, Options{Endpoint: Responses}, "", 3, 1},
		{`{"messages":[],"max_tokens":1e3,"n":0}`, Options{}, "", 1000, 1},
		{`{"messages":[],"max_tokens":-1,"n":1.5}`, Options{}, "", 0, 1},
		{`{"messages":[],"max_tokens":1e99,"n":null}`, Options{}, "", 1<<31 - 1, 1},
		{`{"messages":[],"model":"a","model":"b"}`, Options{}, "b", 0, 1},
		{`{"prompt":["a","b"],"n":2,"best_of":3}`, completions, "", 0, 6},
		{`{"prompt":[1,2,3],"n":2}`, completions, "", 0, 2},
		{`{"prompt":[[1],[2],[3]]}`, completions, "", 0, 3},
		{`{"prompt":["a","b"],"n":2000000000}`, completions, "", 0, 1<<31 - 1},
		{`{"custom_id":"a","body":{"model":"m","best_of":4},"url":"/chat/completions"}`, completions, "m", 0, 1},
	}
	for _, test := range tests {
		rec, e := decode(t, test.opt, test.line)
		if e != nil {
			t.Errorf("%s: %v", test.line, e)
			continue
		}
		if rec.Model != test.model || rec.MaxTokens != test.maxTokens || rec.N != test.n {
			t.Errorf("%s: model %q, max tokens %d, n %d", test.line, rec.Model, rec.MaxTokens, rec.N)
		}
	}
}

func TestPriorityAndEndpoint(t *testing.T) {
	rec, e := decode(t, Options{}, `{"custom_id":"a","body":{"input":"x","priority":"p"},"url":"/v1/embedd\u0069ngs","priority":"urgent"}`)
	if e != nil || rec.Priority != "urgent" || rec.Endpoint != Embeddings || string(rec.Body) != `{"input":"x","priority":"p"}` {
		t.Errorf("%v, priority %q, endpoint %s, body %s", e, rec.Priority, rec.Endpoint, rec.Body)
	}
}

// What JSON leaves to the writer does not change a fingerprint; anything else does.
func TestFingerprint(t *testing.T) {
	request := func(o Options, line string) [32]byte {
		rec, e := decode(t, o, line)
		if e != nil {
			t.Fatalf("%s: %v", line, e)
		}
		return rec.Request
	}
	base := request(Options{}, `{"messages":[{"role":"user","content":"a/\n\"é😀"}],"model":"m","v":{"x":1,"y":[1.0,{"b":2,"a":1}]}}`)
	same := []string{
		`{"v":{"y":[1.0,{"a":1,"b":2}],"x":1},"model":"m","messages":[{"content":"a/\n\"é😀","role":"user"}]}`,
		`{ "messages" : [ { "role":"user" ,"content":"a\/\u000a\u0022\u00e9\ud83d\ude00" } ] , "m\u006fdel":"m","v":{"x":1,"y":[ 1.0,` +
			`{"b":2,"a":1}]}, "id":"x" }`,
		`{"custom_id":"1","body":{"messages":[{"role":"user","content":"a/\n\"é😀"}],"model":"m","v":{"x":1,"y":[1.0,{"b":2,"a":1}]}}}`,
	}
	for _, line := range same {
		if request(Options{}, line) != base {
			t.Errorf("another fingerprint: %s", line)
		}
	}
	other := []string{
		`{"messages":[{"role":"user","content":"a/\n\"é😀"}],"model":"m","v":{"x":1,"y":[1,{"b":2,"a":1}]}}`,
		`{"messages":[{"role":"user","content":"a/\n\"é😀"}],"model":"n","v":{"x":1,"y":[1.0,{"b":2,"a":1}]}}`,
		`{"messages":[{"role":"user","content":"a/\n\"é😀"}],"model":"m","v":{"x":1,"y":[{"b":2,"a":1},1.0]}}`,
	}
	for _, line := range other {
		if request(Options{}, line) == base {
			t.Errorf("the same fingerprint: %s", line)
		}
	}
	if request(Options{}, `{"prompt":"a"}`) != request(Options{}, `"a"`) {
		t.Error("a string and a simple record with the same prompt differ")
	}
	body := `{"custom_id":"1","body":{"input":"a"},"url":`
	if request(Options{}, body+`"/v1/embeddings"}`) == request(Options{}, body+`"/v1/responses"}`) {
		t.Error("the endpoint is not in the fingerprint")
	}
	if request(Options{}, `{"prompt":"\ud800"}`) == request(Options{}, `{"prompt":"\ud801"}`) {
		t.Error("two halves of surrogate pairs are taken for the same")
	}
	if request(Options{}, `{"messages":[],"a":1,"a":2}`) == request(Options{}, `{"messages":[],"a":2,"a":1}`) {
		t.Error("the order of names that come twice is lost")
	}
}

// The content's hash knows nothing of flags, so that an id survives them.
func TestContent(t *testing.T) {
	a, _ := decode(t, Options{}, `{"prompt":"p","x":{"b":1,"a":2}}`)
	b, _ := decode(t, Options{Model: "m", Endpoint: Responses}, ` {"x": {"a":2,"b":1}, "prompt":"p"}`)
	c, _ := decode(t, Options{Template: "{{.prompt}}"}, `{"prompt":"p","x":{"b":1,"a":2}}`)
	if a.Content != b.Content || a.Content != c.Content || a.Content == [16]byte{} {
		t.Errorf("hashes %x, %x, %x", a.Content, b.Content, c.Content)
	}
	text, _ := decode(t, Options{Raw: true}, "p")
	quoted, _ := decode(t, Options{}, `"p"`)
	if text.Content != quoted.Content {
		t.Errorf("hashes of a text %x, as JSON %x", text.Content, quoted.Content)
	}
}

func TestWithModel(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{ "model" : "a" ,"n":1,"messages":[]}`, `{ "model" : "b\"" ,"n":1,"messages":[]}`},
		{`{"messages":[],"model":"x","model":"a"}`, `{"messages":[],"model":"x","model":"b\""}`},
		{`{"messages":[]}`, `{"model":"b\"","messages":[]}`},
		{`{ }`, `{"model":"b\"" }`},
	}
	for _, test := range tests {
		rec, e := decode(t, Options{}, `{"custom_id":"x","body":`+test.body+`}`)
		if e != nil {
			t.Fatal(e)
		}
		if got := rec.WithModel([]byte("> "), `b"`); string(got) != "> "+test.want {
			t.Errorf("%s\n got %s\nwant %s", test.body, got, test.want)
		}
	}
}

func TestGeneratedID(t *testing.T) {
	content := [16]byte{0xab, 15: 1}
	for occurrence, want := range map[int]string{
		1:  `"ab000000000000000000000000000001"`,
		2:  `"ab000000000000000000000000000001-2"`,
		10: `"ab000000000000000000000000000001-10"`,
	} {
		if got := GeneratedID(content, occurrence); string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestReset(t *testing.T) {
	rec, _ := decode(t, Options{}, `{"id":"a","prompt":"p","model":"m"}`)
	had := cap(rec.buf)
	rec.Reset()
	if rec.Line != 0 || rec.ID != nil || rec.Body != nil || rec.Model != "" || rec.modelEnd != 0 {
		t.Errorf("not reset: %+v", rec)
	}
	if had == 0 || cap(rec.buf) != had {
		t.Errorf("memory of %d bytes became %d", had, cap(rec.buf))
	}
	rec.buf = make([]byte, keepSize+1)
	if rec.Reset(); rec.buf != nil {
		t.Error("the memory of a huge line is kept")
	}
}

// What one huge line took is not kept for all that follow.
func TestDecoderLetsGo(t *testing.T) {
	d, _ := NewDecoder(Options{})
	var many strings.Builder
	for i := range 2 * keepMembers {
		many.WriteString(`,"v` + strings.Repeat("x", i%7) + `":[]`)
	}
	var rec Record
	for _, line := range []string{
		`{"messages":[]` + many.String() + `}`,
		`"\u0041` + strings.Repeat("x", 2*keepSize) + `"`,
	} {
		if e := d.Decode(&rec, []byte(line)); e != nil {
			t.Fatal(e)
		}
		h := d.hash
		if cap(d.members) > keepMembers || cap(h.entries) > keepMembers || cap(h.nests) > keepMembers {
			t.Errorf("members are kept: %d, %d, %d", cap(d.members), cap(h.entries), cap(h.nests))
		}
		if cap(d.text) > keepSize || cap(h.buf) > keepSize || cap(h.scratch) > keepSize {
			t.Errorf("bytes are kept: %d, %d, %d", cap(d.text), cap(h.buf), cap(h.scratch))
		}
	}
	raw, _ := NewDecoder(Options{Raw: true})
	if e := raw.Decode(&rec, []byte(strings.Repeat("x", 2*keepSize))); e != nil || cap(raw.text) > keepSize {
		t.Errorf("%d bytes are kept, %v", cap(raw.text), e)
	}
}

// A line may nest as deep as JSON is let in.
func TestDecodeDeep(t *testing.T) {
	const depth = 9_990
	line := `{"messages":[],"a":` + strings.Repeat(`{"b":1,"a":`, depth) + "1" + strings.Repeat("}", depth) + "}"
	if _, e := decode(t, Options{}, line); e != nil {
		t.Error(e)
	}
}

// A model that comes again is the same string, not a copy.
func TestModelIsInterned(t *testing.T) {
	d, _ := NewDecoder(Options{})
	var a, b Record
	d.Decode(&a, []byte(`{"prompt":"x","model":"m-1"}`))
	d.Decode(&b, []byte(`{"prompt":"y","model":"m-1"}`))
	if a.Model != "m-1" || unsafe.StringData(a.Model) != unsafe.StringData(b.Model) {
		t.Errorf("models %q and %q", a.Model, b.Model)
	}
}

// Whatever else a record holds arrives as it was written, in its order.
func TestMembersSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{`1.0`, `1e400`, `9007199254740993`, `"\u0041\/"`, `{"id":1,"prompt":[ ]}`, `[1 ,` +
			` 2]`, `null`, `""`})
		var line, want strings.Builder
		member := func(dst *strings.Builder, text string) {
			if dst.Len() > 0 {
				dst.WriteString(",")
			}
			dst.WriteString(text)
		}
		for i := range rapid.IntRange(1, 12).Draw(t, "members") {
			switch rapid.SampledFrom([]string{"id", "custom_id", "priority", "vendor"}).Draw(t, "kind") {
			case "id":
				member(&line, `"id":7`)
			case "custom_id":
				member(&line, `"custom_id":"c"`)
			case "priority":
				member(&line, `"priority":"low"`)
			default:
				text := `"v` + strings.Repeat("i", i) + `":` + value.Draw(t, "value")
				member(&line, text)
				member(&want, text)
			}
		}
		at := rapid.SampledFrom([]string{"first", "last"}).Draw(t, "messages")
		source, expected := line.String()+`,"messages":[]`, `"messages":[]`
		if want.Len() > 0 {
			expected = want.String() + "," + expected
		}
		if at == "first" {
			source, expected = `"messages":[],`+line.String(), strings.TrimSuffix(`"messages":[],`+want.String(), ",")
		}
		d, err := NewDecoder(Options{})
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if e := d.Decode(&rec, []byte("{"+source+"}")); e != nil {
			t.Fatal(e)
		}
		if got := string(rec.Body); got != "{"+expected+"}" {
			t.Fatalf("{%s}\n got %s\nwant {%s}", source, got, expected)
		}
	})
}
