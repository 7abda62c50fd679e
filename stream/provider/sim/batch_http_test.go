package sim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

func TestSimBatchRefused(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	file := upload(t, s, batchLines(1)).ID
	with := func(rest string) string {
		return `{"input_file_id":"` + file + `","endpoint":"/v1/chat/completions","completion_window":"24h"` + rest + `}`
	}
	pairs := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`"k%d":"v"`, i)
		}
		return strings.Join(all, ",")
	}
	tests := []struct {
		name, body, want string
	}{
		{"not JSON", `{`, "could not parse"},
		{"no file", `{"endpoint":"/v1/chat/completions","completion_window":"24h"}`, "'input_file_id'"},
		{"no endpoint", `{"input_file_id":"f","completion_window":"24h"}`, "'endpoint'"},
		{"odd endpoint", `{"input_file_id":"f","endpoint":"/v1/poems","completion_window":"24h"}`, "'endpoint'"},
		{"no window", `{"input_file_id":"f","endpoint":"/v1/embeddings"}`, "'completion_window'"},
		{"odd window", `{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"1h"}`, "expected '24h'"},
		{"17 pairs", with(`,"metadata":{` + pairs(17) + `}`), "at most 16 pairs"},
		{"long key", with(`,"metadata":{"` + strings.Repeat("é", 65) + `":""}`), "at most 64 characters"},
		{"long value", with(`,"metadata":{"k":"` + strings.Repeat("é", 513) + `"}`), "at most 512 characters"},
		{"a number in metadata", with(`,"metadata":{"k":1}`), "'metadata.k': expected a string"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := post(s, "/v1/batches", test.body)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
	for _, good := range []string{
		with(`,"metadata":{` + pairs(16) + `}`), with(`,"metadata":{"` + strings.Repeat("é", 64) + `":"` + strings.Repeat("é", 512) + `"}`),
		with(`,"metadata":null,"output_expires_after":{"anchor":"created_at","seconds":3600}`),
	} {
		if w := post(s, "/v1/batches", good); w.Code != http.StatusOK {
			t.Errorf("refused %s: %d %s", good, w.Code, w.Body)
		}
	}
	for _, call := range [][2]string{{"GET", "/v1/batches/none"}, {"POST", "/v1/batches/none/cancel"}} {
		w := do(s, call[0], call[1], "", http.NoBody)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "No batch found with id 'none'") {
			t.Errorf("%s: %d %s", call, w.Code, w.Body)
		}
	}
}

// The list is how a client finds a batch whose making it did not hear of: every
// batch is in it once, newest first, with its metadata.
func TestSimBatchList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		file := upload(t, s, batchLines(1)).ID
		var made []string
		for i := range 45 {
			w := post(s, "/v1/batches", fmt.Sprintf(`{"input_file_id":%q,"endpoint":"/v1/chat/completions","completion_window":"24h",`+
				`"metadata":{"shard":"%d"}}`, file, i))
			made = append([]string{decode[batchObject](t, w).ID}, made...)
		}
		var listed []string
		for after, pages := "", 0; ; pages++ {
			path := "/v1/batches" + after
			page := ids(t, s, path)
			listed = append(listed, page...)
			more := decode[struct {
				HasMore bool `json:"has_more"`
			}](t, get(s, path)).HasMore
			if more != (pages < 2) {
				t.Fatalf("%s: has more is %v", path, more)
			}
			if !more {
				break
			}
			after = "?after=" + page[len(page)-1]
		}
		if fmt.Sprint(listed) != fmt.Sprint(made) {
			t.Errorf("listed %v, made %v", listed, made)
		}
		if got := ids(t, s, "/v1/batches?limit=100"); len(got) != 45 {
			t.Errorf("a page of 100 holds %d", len(got))
		}
		for _, query := range []string{"limit=0", "limit=101", "limit=x", "after=none"} {
			if w := get(s, "/v1/batches?"+query); w.Code != http.StatusBadRequest {
				t.Errorf("%s: %d %s", query, w.Code, w.Body)
			}
		}
		if end := endOf(t, s, made[0]); end.Metadata["shard"] != "44" {
			t.Errorf("the last of 45 is %+v", end)
		}
	})
}

// A key is asked for here as anywhere.
func TestSimBatchKey(t *testing.T) {
	s := New(Options{Key: "k"})
	defer s.Close()
	for _, path := range []string{"/v1/files", "/v1/batches"} {
		if w := get(s, path); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d", path, w.Code)
		}
	}
}
