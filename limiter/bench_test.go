package limiter

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"
)

// BenchmarkPermit is the cost of a permit, from Acquire to Settle, with 256
// goroutines after them: with room for all, for half of them, and for 8.
func BenchmarkPermit(b *testing.B) {
	for _, bb := range []struct {
		name   string
		config Config
	}{
		{"room for all", Config{Concurrency: 256, Clock: System}},
		{"room for half", Config{Concurrency: 128, Clock: System}},
		{"room for 8", Config{Concurrency: 8, Clock: System}},
		{"all gates", Config{RPM: 1e12, TPM: 1e15, Clock: System}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l := New(bb.config)
			defer l.Close()
			ctx := context.Background()
			request := Request{PromptBytes: 1000, MaxTokens: 100}
			outcome := Outcome{Kind: Success, FirstTry: true, PromptTokens: 250, CompletionTokens: 50}
			const workers = 256
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for range (b.N + w) / workers {
						p, err := l.Acquire(ctx, request)
						if err != nil {
							b.Error(err)
							return
						}
						p.Settle(outcome)
					}
				})
			}
			wg.Wait()
		})
	}
}

func BenchmarkParseQuota(b *testing.B) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	none := http.Header{"Content-Type": {"application/json"}, "Date": {"Fri, 02 Jan 2026 03:04:05 GMT"}}
	openai := none.Clone()
	for key, value := range openAIHeaders {
		openai.Set(key, value)
	}
	for _, bb := range []struct {
		name string
		h    http.Header
	}{{"none", none}, {"openai", openai}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseQuota(bb.h, now)
			}
		})
	}
}

var openAIHeaders = map[string]string{
	"x-ratelimit-limit-requests":     "10000",
	"x-ratelimit-remaining-requests": "9999",
	"x-ratelimit-reset-requests":     "6ms",
	"x-ratelimit-limit-tokens":       "200000",
	"x-ratelimit-remaining-tokens":   "199500",
	"x-ratelimit-reset-tokens":       "150ms",
}
