package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"llmpipe/stream/record/rawjson"

	"llmpipe/stream/record/usage"
)

// What the parts get is the amount, and none is a whole unit away from its exact share.
func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 1<<31-1), 1, 50).Draw(t, "weights")
		amount := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 1<<62)).Draw(t, "amount")
		var s Shares
		all := new(big.Int)
		for _, w := range weights {
			s = s.Add(w)
			all.Add(all, big.NewInt(int64(w)))
		}
		var sum int64
		for i, w := range weights {
			got := s.Of(amount, i, i+1)
			sum += got
			// |got*all - amount*w| < all
			off := new(big.Int).Mul(big.NewInt(got), all)
			off.Sub(off, new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(w))))
			if off.CmpAbs(all) >= 0 {
				t.Fatalf("part %d of %d gets %d", i, amount, got)
			}
		}
		if n := len(weights); sum != amount || s.Of(amount, 0, n/2)+s.Of(amount, n/2, n) != amount {
			t.Fatalf("the parts get %d of %d", sum, amount)
		}
	})
}

// packable decodes a line for the embeddings endpoint.
func packable(t testing.TB, line string) (*Record, Packable, bool) {
	t.Helper()
	d, err := NewDecoder(Options{Endpoint: Embeddings, Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	rec := &Record{Line: 1}
	if err := d.Decode(rec, []byte(line)); err != nil {
		t.Fatal(err)
	}
	p, ok := rec.Packable()
	return rec, p, ok
}

func TestPackable(t *testing.T) {
	for line, weight := range map[string]int{
		`"four"`:                     4,
		`""`:                         1,
		`{"input":"a\"b","x":1}`:     4,
		`{"input" : [ 15, 16, 17 ]}`: 3,
		`{"input":["one"]}`:          0,
		`{"input":[[1],[2]]}`:        0,
		`{"input":[1,"one"]}`:        0,
		`{"input":[]}`:               0,
		`{"input":null}`:             0,
		`{"input":"a","input":"b"}`:  0,
		`{"custom_id":"a","url":"/v1/chat/completions","body":{"messages":[],"input":"a"}}`: 0,
	} {
		if _, p, ok := packable(t, line); ok != (weight > 0) || ok && p.Weight != weight {
			t.Errorf("%s: %t, weight %d", line, ok, p.Weight)
		}
	}
}

// Only requests that differ in nothing but their input are of one kind.
func TestPackKind(t *testing.T) {
	kind := func(line string) string {
		_, p, ok := packable(t, line)
		if !ok {
			t.Fatal(line)
		}
		return string(p.AppendKind(nil))
	}
	want := kind(`{"id":1,"input":"a","dimensions":3}`)
	if got := kind(`{"input":"another","dimensions":3}`); got != want {
		t.Errorf("%q and %q", got, want)
	}
	for _, line := range []string{
		`{"input":[1],"dimensions":3}`, `{"input":"a","dimensions":4}`, `{"input":"a"}`, `{"input":"a","dimensions":3,"model":"n"}`,
		`{"dimensions":3,"input":"a"}`,
	} {
		if kind(line) == want {
			t.Errorf("%s is of the same kind", line)
		}
	}
}

func TestPack(t *testing.T) {
	for _, c := range []struct{ first, second, want, other string }{
		{
			`{"id":7,"input":"a"}`, `{"input":"bc"}`,
			`{"model":"m","input":["a","bc"]}`, `{"model":"longer","input":["a","bc"]}`,
		},
		{
			`{"input": [1,2] ,"user":"u","model":"x"}`, `{"input": [3] ,"user":"u","model":"x"}`,
			`{"input": [[1,2],[3]] ,"user":"u","model":"x"}`, `{"input": [[1,2],[3]] ,"user":"u","model":"longer"}`,
		},
	} {
		first, a, _ := packable(t, c.first)
		_, b, _ := packable(t, c.second)
		var rec Record
		rec.Pack([]Packable{a, b})
		if string(rec.Body) != c.want || rec.TextBytes != len(c.want) || rec.Endpoint != Embeddings || rec.Model != first.Model || rec.N != 1 {
			t.Errorf("%s, %+v", rec.Body, rec)
		}
		if got := string(rec.WithModel(nil, "longer")); got != c.other {
			t.Errorf("with another model %s", got)
		}
		if string(rec.ID) != string(first.ID) || rec.Line != 1 {
			t.Errorf("it is called %s, line %d", rec.ID, rec.Line)
		}
	}
}

// Everything but the embedding and its part of the usage stays, byte for byte.
func TestUnpack(t *testing.T) {
	shares := Shares{}.Add(1).Add(3)
	for _, c := range []struct{ name, body, first, second string }{
		{
			"plain", `{"data":[{"index":0,"embedding":[0.10,-1e-9]},{"index":1,"embedding":"AAAA"}],"model":"m","usage":{"prompt_tokens":9}}`,
			`{"data":[{"index":0,"embedding":[0.10,-1e-9]}],"model":"m","usage":{"prompt_tokens":2}}`,
			`{"data":[{"index":0,"embedding":"AAAA"}],"model":"m","usage":{"prompt_tokens":7}}`,
		},
		{
			"the other way round, usage first, with white space",
			` {"usage" : { "total_tokens": 8 }, "data" : [ {"embedding":[2],"index":1}, {"embedding":[1], "index":0} ] , "id":"e-1" } `,
			` {"usage" : { "total_tokens": 2 }, "data" : [{"embedding":[1], "index":0}] , "id":"e-1" } `,
			` {"usage" : { "total_tokens": 6 }, "data" : [{"embedding":[2],"index":0}] , "id":"e-1" } `,
		},
		{
			"no index, and a usage that is all sorts of things",
			`{"data":[{"embedding":[1]},{"embedding":[2]}],"usage":{"total_tokens":4.0,"cost":0.5,"d":{"cached_tokens":4},"x":null,"y":-1,"z":"4"}}`,
			`{"data":[{"embedding":[1]}],"usage":{"total_tokens":1,"cost":0.125,"d":{"cached_tokens":1},"x":null,"y":-1,"z":"4"}}`,
			`{"data":[{"embedding":[2]}],"usage":{"total_tokens":3,"cost":0.375,"d":{"cached_tokens":3},"x":null,"y":-1,"z":"4"}}`,
		},
	} {
		p, err := ParsePacked([]byte(c.body), 2)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range [...]string{c.first, c.second} {
			if got := string(p.Append(nil, i, shares)); got != want {
				t.Errorf("%s: input %d gets\n%s, want\n%s", c.name, i, got, want)
			}
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                                   "0 embeddings for 2 inputs",
		`{"data":null}`:                        "0 embeddings for 2 inputs",
		`{"data":[{}]}`:                        "1 embeddings for 2 inputs",
		`{"data":[{},{},{}]}`:                  "3 embeddings for 2 inputs",
		`{"data":[],"data":[{},{}]}`:           "for 2 inputs",
		`{"data":[{"index":0},{"index":0}]}`:   "do not match the 2 inputs",
		`{"data":[{"index":1},{"index":2}]}`:   "do not match the 2 inputs",
		`{"data":[{"index":0},{"index":-1}]}`:  "do not match the 2 inputs",
		`{"data":[{"index":0},{"index":"1"}]}`: "do not match the 2 inputs",
		`{"data":[{"index":0},{}]}`:            "only 1 of the answer's 2 embeddings have an index",
	} {
		if _, err := ParsePacked([]byte(body), 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Whatever the inputs and the usage, the answers of all inputs hold together what the answer to the
// pack held.
func TestUnpackedUsageAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 10_000), 1, 40).Draw(t, "weights")
		whole := usage.Counts{Prompt: rapid.Int64Range(0, 1e6).Draw(t, "prompt"), Cached: rapid.Int64Range(0, 1e6).Draw(t, "cached")}
		var shares Shares
		var items []string
		for i, w := range weights {
			shares = shares.Add(w)
			items = append(items, fmt.Sprintf(`{"index":%d,"embedding":[%d]}`, i, i))
		}
		order := rapid.Permutation(items).Draw(t, "order")
		body := fmt.Appendf(nil, `{"usage":{"prompt_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}},"data":[%s]}`,
			whole.Prompt, whole.Prompt, whole.Cached, strings.Join(order, ","))
		p, err := ParsePacked(body, len(weights))
		if err != nil {
			t.Fatal(err)
		}
		var sum usage.Counts
		for i := range weights {
			a, err := ParseAnswer(Embeddings, p.Append(nil, i, shares))
			if err != nil || a.Choices != 1 || string(a.Embedding) != fmt.Sprintf("[%d]", i) || a.Usage.Total != a.Usage.Prompt {
				t.Fatalf("input %d: %+v, %v", i, a, err)
			}
			sum.Prompt += a.Usage.Prompt
			sum.Cached += a.Usage.Cached
		}
		if sum != whole {
			t.Fatalf("%+v of %+v", sum, whole)
		}
	})
}

// An answer is the provider's to write: whatever it is, taking it apart fails or gives JSON.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":3,"d":{"c":1e3}}}`))
	f.Add([]byte(` {"usage":[1],"data":[{},[]],"usage":{"a":9e99,"b":{}}}`))
	f.Add([]byte(`{"data":[1,"index"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAnswer(Embeddings, body)
		if err != nil {
			return
		}
		p, err := ParsePacked(body, 2)
		if err != nil {
			return
		}
		if a.Choices != 2 {
			t.Fatalf("%d embeddings were read as two", a.Choices)
		}
		for i := range 2 {
			if alone := p.Append(nil, i, Shares{}.Add(1).Add(2)); !rawjson.Valid(alone) {
				t.Fatalf("%s became %s", body, alone)
			}
		}
	})
}

// BenchmarkUnpack takes apart the answer to a hundred inputs, of 1,536 dimensions each.
func BenchmarkUnpack(b *testing.B) {
	vector, err := json.Marshal(make([]float32, 1536))
	if err != nil {
		b.Fatal(err)
	}
	vector = bytes.ReplaceAll(vector, []byte("0"), []byte("-0.012345678"))
	var shares Shares
	body := []byte(`{"object":"list","data":[`)
	for i := range 100 {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"object":"embedding","index":%d,"embedding":%s}`, i, vector)
		shares = shares.Add(50)
	}
	body = append(body, `],"model":"m","usage":{"prompt_tokens":1200,"total_tokens":1200}}`...)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		p, err := ParsePacked(body, 100)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			dst = p.Append(dst[:0], i, shares)
		}
	}
}

// The inputs of a request for embeddings are counted however they are written.
func TestEmbeddingInputs(t *testing.T) {
	for body, want := range map[string]int{
		`{"model":"m","input":"text"}`: 1, `{"input":["a","b","c"]}`: 3, `{"input":[[1,2],[3]]}`: 2, `{"input":[1,2,3]}`: 1,
		`{"input":[]}`: 1, `{"model":"m"}`: 1, `{"input":["a"],"input":["a","b"]}`: 2,
	} {
		if got := EmbeddingInputs([]byte(body)); got != want {
			t.Errorf("%s has %d inputs, want %d", body, got, want)
		}
	}
}
