package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"llmpipe/ledger"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
)

// embedder is a server of embeddings that remembers what it was asked for. It refuses inputs that
// hold "poison".
type embedder struct {
	URL string

	mu     sync.Mutex
	packs  []int          // inputs of each request, in the order in which they came
	asked  map[string]int // input -> how often
	tokens int64          // billed
	fault  func(n int, w http.ResponseWriter, inputs []string) bool
}

func startEmbedder(t *testing.T) *embedder {
	e := &embedder{asked: map[string]int{}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.URL = server.URL
	return e
}

// ServeHTTP implements http.Handler.
func (e *embedder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model string
		Input json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		panic(err)
	}
	var inputs []string
	if json.Unmarshal(q.Input, &inputs) != nil {
		var one string
		if err := json.Unmarshal(q.Input, &one); err != nil {
			panic(err)
		}
		inputs = []string{one}
	}
	n := e.note(inputs)
	if e.fault != nil && e.fault(n, w, inputs) {
		return
	}
	tokens := int64(0)
	out := []byte(`{"object":"list","data":[`)
	for i, input := range inputs {
		if strings.Contains(input, "poison") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"this input cannot be embedded","type":"invalid_request_error","code":"bad_input"}}`)
			return
		}
		if i > 0 {
			out = append(out, ',')
		}
		// The last first: the order is the indexes', not the array's.
		at := len(inputs) - 1 - i
		out = fmt.Appendf(out, `{"object":"embedding","index":%d,"embedding":%s}`, at, embeddingFor(inputs[at]))
		tokens += int64(len(input)+3) / 4
	}
	out = fmt.Appendf(out, `],"model":%q,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`, q.Model, tokens, tokens)
	e.mu.Lock()
	e.tokens += tokens
	e.mu.Unlock()
	_, _ = w.Write(out)
}

func (e *embedder) note(inputs []string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, input := range inputs {
		e.asked[input]++
	}
	e.packs = append(e.packs, len(inputs))
	return len(e.packs)
}

// embeddingFor is a vector that depends on the input alone.
func embeddingFor(input string) string {
	h := fnv.New32a()
	_, _ = io.WriteString(h, input)
	return fmt.Sprintf("[%d.25,-0.5]", h.Sum32())
}

// texts are n records, all of whose inputs are of one length.
func texts(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"prompt":"text number %07d"}`+"\n", i, i)
	}
	return b.Bytes()
}

func embed(pack int) func(*Config) {
	return func(c *Config) {
		c.Decode.Endpoint, c.Decode.Model, c.Pack = record.Embeddings, "text-embedding-3-small", pack
	}
}

var latency = regexp.MustCompile(`"latency_ms":\d+`)

// lineSet are a run's lines without what differs from run to run, sorted.
func (r *trial) lineSet() []string {
	lines := strings.Split(strings.TrimSuffix(latency.ReplaceAllString(r.out.String(), `"latency_ms":0`), "\n"), "\n")
	slices.Sort(lines)
	return lines
}

// checkSame compares the lines of two runs.
func checkSame(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d is\n%s, want\n%s", i, got[i], want[i])
		}
	}
}

// about reports whether n packs are as many as are wanted, or a few more: a machine that gives the
// reader no time for as long as packs wait has them closed too soon.
func about(n, want int) bool { return n >= want && n <= want+5 }

// A hundred thousand embeddings in packs of 100 are 1,000 requests, and each record's line is the
// one that it gets alone.
func TestPacked(t *testing.T) {
	const records = 100_000
	server := startEmbedder(t)
	r := try(t, server.URL, bytes.NewReader(texts(records)), embed(100))
	if n := len(server.packs); !about(n, records/100) {
		t.Errorf("%d requests", n)
	}
	want := make([]string, records)
	for i := range want {
		want[i] = fmt.Sprintf(`{"id":%d,"embedding":%s,"model":"text-embedding-3-small","usage":{"prompt_tokens":5,"completion_tokens":0,`+
			`"total_tokens":5},"cost_usd":0.0000001,"attempts":1,"latency_ms":0}`, i, embeddingFor(fmt.Sprintf("text number %07d", i)))
	}
	slices.Sort(want)
	checkSame(t, r.lineSet(), want)
	if s := r.Summary; s.OK != records || s.PromptTokens != 5*records || *s.CostUSD != records*100 || s.Retries != 0 {
		t.Errorf("summary %+v", s)
	}
}

// In every format, whatever else is asked of the run, a record's line is the one that it gets
// unpacked.
func TestPackedAsUnpacked(t *testing.T) {
	input := texts(1000)
	input = append(input, `{"id":1,"prompt":"another text"}`+"\nno JSON\n"...)
	input = append(input, `{"id":"many","input":["one","two"]}`+"\n"+`{"id":"small","input":"text of another kind","dimensions":3}`+"\n"...)
	for name, adapt := range map[string]func(*Config){
		"result":  func(*Config) {},
		"raw":     func(c *Config) { c.Format = record.FormatRaw },
		"batch":   func(c *Config) { c.Format = record.FormatBatch },
		"ordered": func(c *Config) { c.Ordered, c.KeepInput = true, true },
		"chunks":  func(c *Config) { c.Chunk = 130 },
		"limit":   func(c *Config) { c.Limit = 777 },
		"ledger": func(c *Config) {
			c.Ledger = journal.Config{Path: filepath.Join(t.TempDir(), "ledger.jsonl"), Fsync: ledger.FsyncNever}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startEmbedder(t)
			input := input
			if name == "ledger" { // without one it depends on the time whether a twin shares its twin's answer or is asked about too
				input = slices.Concat(input, texts(100))
			}
			var runs [2]*trial
			var requests [2]int
			for i, pack := range [2]int{1, 70} {
				server.packs = nil
				runs[i] = try(t, server.URL, bytes.NewReader(input), func(c *Config) {
					embed(pack)(c)
					adapt(c)
				})
				requests[i] = len(server.packs)
			}
			alone, packed := runs[0], runs[1]
			if name == "ordered" && latency.ReplaceAllString(packed.out.String(), "") != latency.ReplaceAllString(alone.out.String(), "") {
				t.Error("the order differs")
			}
			checkSame(t, packed.lineSet(), alone.lineSet())
			alone.Summary.ElapsedS = packed.Summary.ElapsedS
			if a, b := fmt.Sprint(packed.Summary), fmt.Sprint(alone.Summary); a != b {
				t.Errorf("packed %s, alone %s", a, b)
			}
			if requests[1] > 30 {
				t.Errorf("%d requests, %d unpacked", requests[1], requests[0])
			}
		})
	}
}

// What packs used and cost is shared out to the last token, whatever the lengths of their inputs.
func TestPackedUsageAddsUp(t *testing.T) {
	server := startEmbedder(t)
	var input bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&input, "%q\n", strings.Repeat("words ", i%37)+fmt.Sprint(i))
	}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	r := try(t, server.URL, &input, func(c *Config) {
		embed(64)(c)
		c.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever}
	})
	var tokens int64
	var cost float64
	for line := range strings.Lines(r.out.String()) {
		var l struct {
			Usage   struct{ Prompt_tokens, Total_tokens int64 }
			CostUSD float64 `json:"cost_usd"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Usage.Total_tokens != l.Usage.Prompt_tokens {
			t.Fatal(line, err)
		}
		tokens += l.Usage.Prompt_tokens
		cost += l.CostUSD * 1e9
	}
	const price = 20 // of a token, in billionths of a dollar
	s := r.Summary
	if tokens != server.tokens || s.PromptTokens != tokens || math.Round(cost) != float64(price*tokens) || int64(*s.CostUSD) != price*tokens {
		t.Errorf("the lines say %d tokens and %f, the summary %+v, the server %d", tokens, cost, s, server.tokens)
	}
}

// After an end in the middle of a pack's commit, only those of its records are asked about that
// have no result.
func TestResumeAmidPack(t *testing.T) {
	const records, recorded = 1000, 437
	server := startEmbedder(t)
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	adapt := func(c *Config) {
		embed(100)(c)
		c.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever}
	}
	first := try(t, server.URL, bytes.NewReader(texts(records)), adapt)
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end, kept := 0, 0
	for line := range bytes.Lines(lines) {
		if bytes.Contains(line, []byte(`"embedding"`)) {
			if kept++; kept > recorded {
				break
			}
		}
		end += len(line)
	}
	if err := os.WriteFile(path, lines[:end], 0o600); err != nil {
		t.Fatal(err)
	}
	server.packs, server.asked = nil, map[string]int{}
	again := try(t, server.URL, bytes.NewReader(texts(records)), adapt)
	checkSame(t, again.lineSet(), first.lineSet())
	if s := again.Summary; s.Skipped != recorded || len(server.asked) != records-recorded || !about(len(server.packs), 6) {
		t.Errorf("%d texts were asked about again, in %v; %+v", len(server.asked), server.packs, s)
	}
}
