package stream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
)

// poisoned are n records, of which some the embedder refuses.
func poisoned(n int, bad ...int) []byte {
	input := texts(n)
	for _, i := range bad {
		input = bytes.Replace(input, fmt.Appendf(nil, "text number %07d", i), fmt.Appendf(nil, "poison %07d", i), 1)
	}
	return input
}

// A record that is refused fails alone, with what the provider says, and the pack that it came in
// is answered.
func TestPackWithOneBadRecord(t *testing.T) {
	server := startEmbedder(t)
	r := try(t, server.URL, bytes.NewReader(poisoned(1000, 538)), embed(100))
	if s := r.Summary; s.OK != 999 || s.Failed != 1 || r.ExitCode() != ExitIncomplete {
		t.Errorf("exit %d, %+v", r.ExitCode(), s)
	}
	want := `{"id":538,"line":539,"error":{"type":"invalid_request_error","code":"bad_input","status":400,` +
		`"message":"this input cannot be embedded"},"attempts":8}`
	if !strings.Contains(r.out.String(), want+"\n") {
		t.Errorf("no line %s", want)
	}
	// Ten packs, and both halves of seven: 100, 50, 25, 13, 7, 4, 2 or one split less.
	if n := len(server.packs); !about(n, 10+2*6) {
		t.Errorf("%d requests: %v", n, server.packs)
	}
}

// Many bad records make no run hopeless while others are answered, and are all found.
func TestPackWithManyBadRecords(t *testing.T) {
	var bad []int
	for i := range 100 {
		bad = append(bad, i*20+i%20)
	}
	server := startEmbedder(t)
	r := try(t, server.URL, bytes.NewReader(poisoned(2000, bad...)), embed(20))
	if s := r.Summary; s.OK != 1900 || s.Failed != 100 || r.ExitCode() != ExitIncomplete {
		t.Errorf("exit %d, %+v, %v", r.ExitCode(), s, r.Err)
	}
}

// A model that the provider does not know is no record's fault: the first pack says it for twenty.
func TestPackOfUnknownModel(t *testing.T) {
	url, asked := serve(t, http.StatusNotFound, `{"error":{"code":"model_not_found","message":"no such model"}}`)
	r := try(t, url, bytes.NewReader(texts(1000)), embed(100))
	if r.ExitCode() != ExitFailed || asked.Load() > 4 {
		t.Errorf("exit %d after %d requests, %v", r.ExitCode(), asked.Load(), r.Err)
	}
}

// What a pack needs is what its records need together: a failure that passes costs each an attempt,
// and the pack stays whole.
func TestPackAskedAgain(t *testing.T) {
	server := startEmbedder(t)
	server.fault = func(n int, w http.ResponseWriter, _ []string) bool {
		if n == 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return n == 2
	}
	r := try(t, server.URL, bytes.NewReader(texts(300)), embed(100))
	again := strings.Count(r.out.String(), `"attempts":2`)
	if s := r.Summary; s.OK != 300 || s.Retries != int64(again) || again != server.packs[1] || !about(len(server.packs), 4) {
		t.Errorf("%+v in %v, %d asked again", s, server.packs, again)
	}
}

// An input on which the provider fails without end, as against refusing it, fails alone too.
func TestPackWithRecordThatBreaksTheProvider(t *testing.T) {
	server := startEmbedder(t)
	server.fault = func(_ int, w http.ResponseWriter, inputs []string) bool {
		bad := strings.Contains(strings.Join(inputs, " "), "number 0000017")
		if bad {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return bad
	}
	r := try(t, server.URL, bytes.NewReader(texts(100)), func(c *Config) {
		embed(20)(c)
		c.Retries = 1
	})
	if s := r.Summary; s.OK != 99 || s.Failed != 1 {
		t.Errorf("%+v in %v", s, server.packs)
	}
}

// A server that embeds the first of several inputs alone is asked for each alone in the end, and
// that is said.
func TestPackAtServerOfSingleInputs(t *testing.T) {
	url, asked := serve(t, http.StatusOK, `{"data":[{"embedding":[1]}]}`)
	r := try(t, url, bytes.NewReader(texts(16)), embed(8))
	if s := r.Summary; s.OK != 16 || asked.Load() != 2*15 {
		t.Errorf("%d requests, %+v", asked.Load(), s)
	}
	const want = "the answer holds 1 embeddings for 8 inputs; it is sent again in smaller packs"
	if n := strings.Count(r.said.String(), want); n != 1 {
		t.Errorf("said %d times: %s", n, r.said.String())
	}
}

// A pack moves to the next lane as a whole, and each of its records says where it was answered.
func TestPackMoves(t *testing.T) {
	url, _ := serve(t, http.StatusPaymentRequired, `{"error":{"code":"insufficient_quota","message":"no credit"}}`)
	server := startEmbedder(t)
	r := try(t, url, bytes.NewReader(texts(1000)), func(c *Config) {
		embed(100)(c)
		c.Lanes = []lane.Target{{
			Name: "second", Model: "other", Provider: provider.Config{BaseURL: server.URL}, Pace: limiter.Config{Concurrency: 4},
		}}
	})
	if s := r.Summary; s.OK != 1000 || !about(len(server.packs), 10) || strings.Count(r.out.String(), `"provider":"second"`) != 1000 ||
		strings.Count(r.out.String(), `"model":"other"`) != 1000 {
		t.Errorf("%+v in %v", s, server.packs)
	}
}

// A pack that is too large for the limit of a minute goes in parts.
func TestPackTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "sim:", bytes.NewReader(texts(100)), func(c *Config) {
			embed(100)(c)
			c.Pace.TPM = 300
		})
		if s := r.Summary; s.OK != 100 || s.Failed != 0 {
			t.Errorf("%+v, %v", s, r.Err)
		}
	})
}

// A budget ends a run at the first pack whose worst case, a token for each byte, does not fit.
func TestPackAndBudget(t *testing.T) {
	const perToken, worst, left = 20, 100 * len(`"text number 0000000",`), 100 * 5 // a token's price in billionths of a dollar; tokens
	server := startEmbedder(t)
	r := try(t, server.URL, bytes.NewReader(texts(1000)), func(c *Config) {
		embed(100)(c)
		c.Money.Budget = price.Dollars(perToken * (worst + 4*left))
	})
	if s := r.Summary; r.ExitCode() != ExitBudget || s.PromptTokens < 3*left || s.PromptTokens > 5*left || s.Failed != 0 {
		t.Errorf("exit %d, %+v", r.ExitCode(), s)
	}
}

// Whoever feeds records one by one gets each answer without waiting for a full pack; so does one
// who waits for them.
func TestPackWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		var late int
		start := time.Now()
		go func() {
			for i := range 5 {
				fmt.Fprintf(feed, "\"text %d\"\n", i)
				time.Sleep(time.Second)
			}
			_ = feed.Close()
		}()
		r := try(t, "sim:?latency=10ms", in, func(c *Config) {
			embed(100)(c)
			c.Observe = func(_ *flow.Flow, tk *flow.Task) {
				if time.Since(start)%time.Second > lane.PackWait+50*time.Millisecond {
					late++
				}
			}
		})
		if r.Summary.OK != 5 || late > 0 {
			t.Errorf("%d of %+v came late", late, r.Summary)
		}
	})
}

// Records of so many kinds that no pack fills before reading is held back are asked about all the
// same, and each kind in packs of its own.
func TestPacksOfManyKinds(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		server := startEmbedder(t)
		var input bytes.Buffer
		for i := range 2000 {
			fmt.Fprintf(&input, `{"id":%d,"input":"text %d","user":"user %d"}`+"\n", i, i, i*i%97)
		}
		r := try(t, server.URL, &input, func(c *Config) {
			embed(25)(c)
			c.Ordered = ordered
		})
		if s := r.Summary; s.OK != 2000 || len(server.packs) > 1000 {
			t.Errorf("%d requests, %+v", len(server.packs), s)
		}
	}
}

// A pack of long texts stays below what a provider takes in one request.
func TestPackOfLongTexts(t *testing.T) {
	server := startEmbedder(t)
	var input bytes.Buffer
	for i := range 20 {
		fmt.Fprintf(&input, `{"id":%d,"input":"%s"}`+"\n", i, strings.Repeat("long ", 40_000))
	}
	r := try(t, server.URL, &input, embed(100))
	if s := r.Summary; s.OK != 20 || slices.Max(server.packs) != lane.MaxPackBytes/200_002 {
		t.Errorf("%v, %+v", server.packs, s)
	}
}

// When asking ends, what waits to be packed is counted as unsent.
func TestPackUnsent(t *testing.T) {
	url, _ := serve(t, http.StatusUnauthorized, `{"error":{"message":"wrong key"}}`)
	r := try(t, url, bytes.NewReader(texts(1050)), embed(100))
	if s := r.Summary; r.ExitCode() != ExitFailed || s.Unsent != s.In || s.In == 0 || r.lines() != 0 {
		t.Errorf("exit %d, %+v", r.ExitCode(), s)
	}
}

// Through every kind of trouble at once, each record of every pack gets its answer, once.
func TestPackLosesNothingInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 10_000
		const trouble = "sim:?fail=0.1&reset=0.05&pressure=0.05&retry-after=1s&garbage=0.02&hang=0.01"
		r := try(t, trouble, bytes.NewReader(texts(records)), func(c *Config) {
			embed(16)(c)
			c.Provider.Timeout, c.Provider.Connections = 2*time.Second, 16
			c.Pace.Concurrency, c.Retries = 16, 20
			c.Pace.RPM, c.Pace.TPM = 1e6, 1e9
		})
		if s := r.Summary; r.ExitCode() != ExitOK || s.OK != records || r.lines() != records || s.Retries < records/10 {
			t.Errorf("exit %d, %d lines, %+v, %v", r.ExitCode(), r.lines(), s, r.Paused)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(r.out.String()) {
			id, _, _ := strings.Cut(line, ",")
			if seen[id] || !strings.Contains(line, `"embedding":[`) {
				t.Errorf("%s", line)
			}
			seen[id] = true
		}
	})
}
