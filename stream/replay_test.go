package stream

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
)

// keep returns what makes a run remember in a ledger of its own.
func keep(t *testing.T) (path string, adapt func(*Config)) {
	path = filepath.Join(t.TempDir(), "ledger.jsonl")
	return path, func(c *Config) { c.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever} }
}

// A recorded result is written before more input is waited for, although it could have company.
func TestReplayDoesNotWaitForInput(t *testing.T) {
	_, recording := keep(t)
	lines := slices.Collect(strings.Lines(read(t, prompts(200))))
	try(t, "sim:?latency=0", strings.NewReader(strings.Join(lines, "")), recording)

	in, feed := io.Pipe()
	out, said := io.Pipe()
	go func() {
		defer feed.Close()
		results := bufio.NewReader(out)
		for n := 1; len(lines) > 0; n *= 3 { // 1, 3, 9 … lines at a time, each lot after the results of the one before
			lot := lines[:min(n, len(lines))]
			lines = lines[len(lot):]
			if _, err := io.WriteString(feed, strings.Join(lot, "")); err != nil {
				t.Error(err)
				return
			}
			for range lot {
				if _, err := results.ReadSlice('\n'); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	r := try(t, "sim:?latency=0", in, func(c *Config) {
		recording(c)
		c.Stdout = said
	})
	if r.Summary.Skipped != 200 || r.Summary.OK != 200 {
		t.Errorf("%+v", r.Summary)
	}
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Results of many megabytes pass one after the other, in order where that was asked for.
func TestReplayOfLargeResults(t *testing.T) {
	const records, size = 20, 5 << 20
	_, recording := keep(t)
	answer := fmt.Sprintf(`{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}`, strings.Repeat("x", size))
	url, asked := serve(t, 200, answer)
	for _, ordered := range []bool{false, true} {
		most := int64(0)
		r := try(t, url, prompts(records), func(c *Config) {
			recording(c)
			c.Ordered, c.Stdout = ordered, io.Discard
			c.Observe = func(_ *flow.Flow, t *flow.Task) {
				_, result := t.Held()
				most = max(most, result)
			}
		})
		if r.Summary.OK != records || asked.Load() != records {
			t.Errorf("%+v, asked %d times", r.Summary, asked.Load())
		}
		if ordered && most < size {
			t.Errorf("a result of %d bytes counts as %d", size, most)
		}
	}
}

// Where another record's result has a record's hashes, it is not taken for the record's, which is
// asked.
func TestReplayOfAnotherRecordsResult(t *testing.T) {
	path, recording := keep(t)
	try(t, "sim:?latency=0", prompts(100), recording)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var forged []byte
	for line := range bytes.Lines(content) {
		const sum = `,"crc":"00000000"}` + "\n"
		if other := bytes.Replace(line, []byte(`"id":42,`), []byte(`"id":24,`), 1); !bytes.Equal(other, line) {
			line = other[:len(other)-len(sum)]
			crc := crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli))
			line = append(line, `,"crc":"`+hex.EncodeToString([]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)})+"\"}\n"...)
		}
		forged = append(forged, line...)
	}
	if err := os.WriteFile(path, forged, 0o600); err != nil {
		t.Fatal(err)
	}
	r := try(t, "sim:?latency=0", prompts(100), recording)
	if s := r.Summary; s.OK != 100 || s.Skipped != 99 || r.lines() != 100 {
		t.Errorf("%d lines, %+v", r.lines(), s)
	}
	if !strings.Contains(r.out.String(), "prompt number 42") {
		t.Error("record 42 has another's answer")
	}
}
