package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whoever the simulator bills like, its answers are JSON with a usage, and the sum that it charged
// is that of its invoices.
func TestBillings(t *testing.T) {
	for name, b := range billings {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Bill: name, Seed: 1})
			defer s.Close()
			path, form := "/v1/chat/completions", `"messages":[{"role":"user","content":"some words to be answered, number %d"}]`
			switch name {
			case "responses":
				path, form = "/v1/responses", `"input":"some words to be answered, number %d"`
			case "voyage":
				path, form = "/v1/embeddings", `"input":"some words to be answered, number %d"`
			}
			var want int64
			for i := range 20 {
				body := fmt.Sprintf(`{"model":"m","max_tokens":50,`+form+`,"metadata":{"cache_control":"1h"}}`, i)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
				said, _ := io.ReadAll(w.Body)
				var answer struct {
					Model string         `json:"model"`
					Usage map[string]any `json:"usage"`
				}
				if err := json.Unmarshal(said, &answer); err != nil || w.Code != http.StatusOK || len(answer.Usage) == 0 {
					t.Fatalf("%d %v: %s", w.Code, err, said)
				}
				if b.model != "" && answer.Model != b.model {
					t.Errorf("%s answered", answer.Model)
				}
				q := new(request)
				e := map[string]*endpoint{"/v1/responses": responses, "/v1/embeddings": embeddings}[path]
				if e == nil {
					e = chat
				}
				if fault := q.parse(e, &s.options, []byte(body)); fault != nil {
					t.Fatal(fault)
				}
				a := q.answer(&s.options, false)
				want += b.bill(q, a.usage).nanos
			}
			if got := s.Stats().Billed; got != want || got == 0 {
				t.Errorf("billed %d, want %d", got, want)
			}
		})
	}
}

// An invoice charges each part of the prompt once, at its own rate, and a tier its part of it all.
func TestInvoice(t *testing.T) {
	rates := tariff{input: 10, cached: 1, write: 12, hour: 20, output: 100, audioIn: 1000, audioOut: 5000, fee: 7}
	u := usage{prompt: 120, completion: 30, reasoning: 10}
	for _, tt := range []struct {
		name    string
		billing billing
		request request
		want    int64
	}{
		{"plain", billing{}, request{}, 120*10 + 30*100 + 7},
		{"cached", billing{caches: true}, request{}, 80*10 + 40*1 + 30*100 + 7},
		{"written without a mark", billing{writes: true}, request{}, 120*10 + 30*100 + 7},
		{"written", billing{writes: true}, request{body: []byte(`"cache_control"`)}, 90*10 + 30*12 + 30*100 + 7},
		{"for an hour", billing{writes: true}, request{body: []byte(`"cache_control" "1h"`)}, 90*10 + 15*12 + 15*20 + 30*100 + 7},
		{"sound", billing{speaks: true}, request{}, 60*10 + 60*1000 + 20*100 + 10*5000 + 7},
		{"flex", billing{tiers: true}, request{tier: "flex"}, (120*10+30*100)/2 + 7},
		{"priority", billing{tiers: true}, request{tier: "priority"}, (120*10+30*100)*2 + 7},
		{"priority where there is none", billing{}, request{tier: "priority"}, 120*10 + 30*100 + 7},
	} {
		tt.billing.tariff = rates
		if got := tt.billing.bill(&tt.request, u).nanos; got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
