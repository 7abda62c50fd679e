package limiter

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestParseReset(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1s":                            time.Second,
		"6m0s":                          6 * time.Minute,
		"12ms":                          12 * time.Millisecond,
		"2m59.56s":                      2*time.Minute + 59_560*time.Millisecond,
		"1h2m3s":                        time.Hour + 2*time.Minute + 3*time.Second,
		"20":                            20 * time.Second,
		" 20 ":                          20 * time.Second,
		"0.5":                           500 * time.Millisecond,
		"0":                             0,
		"-3":                            0,
		"-3s":                           0,
		"1e300":                         1<<63 - 1,
		"2026-03-04T12:00:41Z":          41 * time.Second,
		"2026-03-04T13:00:41+01:00":     41 * time.Second,
		"2026-03-04T11:59:00Z":          0,
		"Wed, 04 Mar 2026 12:01:00 GMT": time.Minute,
	} {
		if got, ok := ParseReset(s, noon); !ok || got != want {
			t.Errorf("ParseReset(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", " ", "soon", "NaN", "inf", "1 s", "12:00", "0x", "."} {
		if got, ok := ParseReset(s, noon); ok {
			t.Errorf("ParseReset(%q) = %v, want none", s, got)
		}
	}
}

func TestParseQuota(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers map[string]string
		want    Quota
	}{
		{"none", nil, Quota{}},
		{"OpenAI", openAIHeaders, Quota{
			Requests: Window{Limit: 10_000, Remaining: 9_999, Known: true, Reset: 6 * time.Millisecond},
			Tokens:   Window{Limit: 200_000, Remaining: 199_500, Known: true, Reset: 150 * time.Millisecond},
		}},
		{"Azure, without limits", map[string]string{
			"x-ratelimit-remaining-requests": "0",
			"x-ratelimit-remaining-tokens":   "119000",
		}, Quota{
			Requests: Window{Known: true},
			Tokens:   Window{Remaining: 119_000, Known: true},
		}},
		{"Groq, requests by the day", map[string]string{
			"x-ratelimit-limit-requests":     "14400",
			"x-ratelimit-remaining-requests": "14300",
			"x-ratelimit-reset-requests":     "10m0s",
			"x-ratelimit-limit-tokens":       "18000",
			"x-ratelimit-remaining-tokens":   "17997",
			"x-ratelimit-reset-tokens":       "7.66s",
		}, Quota{Tokens: Window{Limit: 18_000, Remaining: 17_997, Known: true, Reset: 7660 * time.Millisecond}}},
		{"Anthropic", map[string]string{
			"anthropic-ratelimit-requests-limit":          "4000",
			"anthropic-ratelimit-requests-remaining":      "3999",
			"anthropic-ratelimit-requests-reset":          "2026-03-04T12:00:01Z",
			"anthropic-ratelimit-input-tokens-limit":      "400000",
			"anthropic-ratelimit-input-tokens-remaining":  "399000",
			"anthropic-ratelimit-input-tokens-reset":      "2026-03-04T12:00:02Z",
			"anthropic-ratelimit-output-tokens-limit":     "80000",
			"anthropic-ratelimit-output-tokens-remaining": "0",
			"anthropic-ratelimit-output-tokens-reset":     "2026-03-04T12:00:03Z",
			"anthropic-ratelimit-tokens-limit":            "480000",
			"anthropic-ratelimit-tokens-remaining":        "399000",
		}, Quota{
			Requests: Window{Limit: 4_000, Remaining: 3_999, Known: true, Reset: time.Second},
			Input:    Window{Limit: 400_000, Remaining: 399_000, Known: true, Reset: 2 * time.Second},
			Output:   Window{Limit: 80_000, Known: true, Reset: 3 * time.Second},
		}},
		{"Anthropic, tokens together", map[string]string{
			"anthropic-ratelimit-tokens-limit":     "480000",
			"anthropic-ratelimit-tokens-remaining": "399000",
		}, Quota{Tokens: Window{Limit: 480_000, Remaining: 399_000, Known: true}}},
		{"nonsense", map[string]string{
			"x-ratelimit-limit-requests":     "many",
			"x-ratelimit-remaining-requests": "-1",
			"x-ratelimit-limit-tokens":       "",
		}, Quota{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := make(http.Header)
			for key, value := range tt.headers {
				h.Set(key, value)
			}
			if got := ParseQuota(h, noon); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if n := testing.AllocsPerRun(10, func() { ParseQuota(h, noon) }); len(tt.headers) == 0 && n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}
