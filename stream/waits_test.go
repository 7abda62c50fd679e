package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"llmpipe/stream/record"
)

// A reader that waits for what nobody asks any more must not keep the run from ending: here for the
// commit of a chunk, of which a part waits for the worker that would have packed it.
func TestRunEndsWhileItsReaderWaits(t *testing.T) {
	server := startEmbedder(t)
	for range 10 { // where the records of a chunk are when the money is gone is chance
		r := try(t, server.URL, bytes.NewReader(texts(400)), func(c *Config) {
			embed(8)(c)
			c.Chunk, c.Money.Budget = 60, 20_000
		})
		if s := r.Summary; r.ExitCode() != ExitBudget || s.OK == 0 || s.Unsent == 0 {
			t.Errorf("exit %d, %+v", r.ExitCode(), s)
		}
	}
}

// A pack goes out, full or not, where everything else waits for it: in order, recorded results wait
// for a new record before them, and when they have taken all the room nothing more is read.
func TestPackBeforeManyRecordedResults(t *testing.T) {
	const recorded = 1200 // more than the room for results and what is on its way there
	_, recording := keep(t)
	vector := strings.Repeat("1.5,", 10_000) + "1.5"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inputs := bytes.Count([]byte(read(t, r.Body)), []byte("text number"))
		item := `{"index":%d,"embedding":[` + vector + `]}`
		items := make([]string, inputs)
		for i := range items {
			items[i] = fmt.Sprintf(item, i)
		}
		fmt.Fprintf(w, `{"data":[%s],"usage":{"prompt_tokens":5}}`, strings.Join(items, ","))
	}))
	defer server.Close()
	in := func(pack int) func(*Config) {
		return func(c *Config) {
			recording(c)
			c.Decode.Endpoint, c.Decode.Model, c.Pack, c.Ordered, c.Stdout = record.Embeddings, "m", pack, true, io.Discard
		}
	}
	try(t, server.URL, bytes.NewReader(texts(recorded)), in(1))
	first := strings.NewReader(`{"id":"new","prompt":"text number new"}` + "\n")
	r := try(t, server.URL, io.MultiReader(first, bytes.NewReader(texts(recorded))), in(64))
	if s := r.Summary; s.OK != recorded+1 || s.Skipped != recorded {
		t.Errorf("%+v", s)
	}
}

// Recorded results are written before the provider is asked which model it has, which may take
// long.
func TestReplayDoesNotWaitForModels(t *testing.T) {
	const recorded = 10
	_, recording := keep(t)
	written := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/models") {
			<-written
			fmt.Fprint(w, `{"data":[{"id":"m"}]}`)
			return
		}
		fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	var input strings.Builder
	for i := range recorded {
		fmt.Fprintf(&input, `{"id":%d,"prompt":"number %d","model":"m"}`+"\n", i, i)
	}
	try(t, server.URL, strings.NewReader(input.String()), recording)
	input.WriteString(`{"id":"new","prompt":"which model?"}` + "\n")
	out, said := io.Pipe()
	go func() {
		results := bufio.NewReader(out)
		for range recorded {
			if _, err := results.ReadSlice('\n'); err != nil {
				t.Error(err)
				return
			}
		}
		close(written)
		_, _ = io.Copy(io.Discard, results)
	}()
	r := try(t, server.URL, strings.NewReader(input.String()), func(c *Config) {
		recording(c)
		c.Decode.Model, c.Stdout = "", said
	})
	_ = said.Close()
	if s := r.Summary; s.OK != recorded+1 || s.Skipped != recorded {
		t.Errorf("%+v", s)
	}
}
