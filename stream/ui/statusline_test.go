package ui

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmpipe/ledger/price"
)

func dollars(s string) price.Dollars {
	d, err := price.ParseDollars(s)
	if err != nil {
		panic(err)
	}
	return d
}

// busy is a run in the middle of its work.
func busy() Status {
	return Status{
		Done: 6712, Total: 10_000, Estimated: true, PerSecond: 93.4, ETA: 35, InFlight: 20, Allowed: 24, Sleeping: 12,
		RPM: 482, RPMLimit: 500, TPM: 148_210, TPMLimit: 150_000, Spent: dollars("1.23"), Budget: dollars("5"),
	}
}

func TestStatusLine(t *testing.T) {
	for _, test := range []struct {
		name  string
		adapt func(*Status)
		want  map[int]string // by width
	}{
		{"busy", func(*Status) {}, map[int]string{
			200: "[=========>    ] 6,712/~10,000  67%  93/s  in flight 20/24  rpm 482/500  tpm 148k/150k  retry 12  $1.23/$5.00  eta 35s",
			80:  "[=========>    ] 6,712/~10,000  67%  93/s  retry 12  $1.23/$5.00  eta 35s",
			40:  "6,712/~10,000  67%  $1.23/$5.00  eta 35s",
			39:  "6,712/~10,000  $1.23/$5.00  eta 35s",
			20:  "6,712/~10,000  67%",
			10:  "eta 35s",
			2:   "6,",
			0:   "",
		}},
		{"a pipe", func(s *Status) { s.Total, s.ETA = 0, 0 }, map[int]string{
			200: "6,712  93/s  in flight 20/24  rpm 482/500  tpm 148k/150k  retry 12  $1.23/$5.00",
			80:  "6,712  93/s  in flight 20/24  rpm 482/500  tpm 148k/150k  retry 12  $1.23/$5.00",
			40:  "6,712  93/s  retry 12  $1.23/$5.00",
		}},
		{"all read", func(s *Status) { s.Estimated = false }, map[int]string{
			40: "6,712/10,000  67%  $1.23/$5.00  eta 35s",
		}},
		{"provider down", func(s *Status) { s.State, s.ETA, s.PerSecond = "provider down, next probe in 8s", 0, 0 }, map[int]string{
			200: "[=========>    ] 6,712/~10,000  67%  provider down, next probe in 8s  in flight 20/24  " +
				"rpm 482/500  tpm 148k/150k  retry 12  $1.23/$5.00",
			80: "6,712/~10,000  67%  provider down, next probe in 8s  retry 12  $1.23/$5.00",
			40: "67%  provider down, next probe in 8s",
			20: "6,712/~10,000  67%",
			2:  "pr",
		}},
		{"no limit, no price", func(s *Status) { s.RPMLimit, s.TPMLimit, s.Spent, s.Budget, s.Sleeping = 0, 0, 0, 0, 0 }, map[int]string{
			200: "[=========>    ] 6,712/~10,000  67%  93/s  in flight 20/24  eta 35s",
		}},
		{"a rehearsal", func(s *Status) { s.Rehearsal = true }, map[int]string{
			80: "[=========>    ] 6,712/~10,000  67%  93/s  $1.23/$5.00 (simulated)  eta 35s",
			40: "6,712/~10,000  $1.23/$5.00 (simulated)",
		}},
		{"a rehearsal at no price", func(s *Status) { s.Rehearsal, s.Spent, s.Budget = true, 0, 0 }, map[int]string{
			40: "6,712/~10,000  67%  (simulated)  eta 35s",
		}},
		{"a simulated lane", func(s *Status) { s.SimulatedSpent = dollars("0.25") }, map[int]string{
			80: "[=========>    ] 6,712/~10,000  67%  $1.23/$5.00 ($0.2500 simulated)  eta 35s",
		}},
		{"held back", func(s *Status) { s.Held = 1234 }, map[int]string{
			200: "[=========>    ] 6,712/~10,000  67%  93/s  in flight 20/24  rpm 482/500  tpm 148k/150k  retry 12  held back 1,234  " +
				"$1.23/$5.00  eta 35s",
		}},
		{"done", func(s *Status) { s.Done, s.ETA = 10_000, 0 }, map[int]string{
			40: "10,000/~10,000  100%  93/s  $1.23/$5.00",
			80: "[==============] 10,000/~10,000  100%  93/s  in flight 20/24  $1.23/$5.00",
		}},
		{"nothing yet", func(s *Status) { *s = Status{Allowed: 8} }, map[int]string{200: "0  in flight 0/8", 10: "0"}},
	} {
		s := busy()
		test.adapt(&s)
		for width, want := range test.want {
			if got := s.line(width); got != want {
				t.Errorf("%s, %d columns:\n%q, want\n%q", test.name, width, got, want)
			}
		}
	}
}

// A line that is too long would wrap, and could not be redrawn.
func TestStatusLineFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Range(0, 1<<50)
		s := Status{
			State: rapid.SampledFrom([]string{"", "stopping", "provider down, next probe in 8s"}).Draw(t, "state"),
			Done:  number.Draw(t, "done"), Total: number.Draw(t, "total"), PerSecond: rapid.Float64Range(0, 1e6).Draw(t, "speed"),
			ETA: rapid.Float64Range(0, 1e7).Draw(t, "eta"), InFlight: rapid.IntRange(0, 1e6).Draw(t, "in flight"),
			TPM: rapid.IntRange(0, 1e9).Draw(t, "tpm"), TPMLimit: rapid.IntRange(0, 1e9).Draw(t, "tpm limit"),
			Spent: price.Dollars(number.Draw(t, "spent")),
		}
		width := rapid.IntRange(0, 250).Draw(t, "width")
		line := s.line(width)
		if len(line) > width {
			t.Errorf("%d columns: %q", width, line)
		}
		if strings.Trim(line, " ") != line && len(line) < width {
			t.Errorf("%q has space around it", line)
		}
	})
}

func TestNumbersForPeople(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Grouped(0), "0"}, {Grouped(999), "999"}, {Grouped(1000), "1,000"}, {Grouped(1234567), "1,234,567"}, {Grouped(-1234), "-1,234"},
		{Grouped(-123), "-123"},
		{short(9999), "9999"}, {short(10_000), "10k"}, {short(9_999_999), "9999k"}, {short(12_345_678), "12M"},
		{perTime(0), ""}, {perTime(0.005), "0.3/min"}, {perTime(0.5), "30/min"}, {perTime(4.25), "4.2/s"}, {perTime(93.4), "93/s"},
		{perTime(12345), "12,345/s"},
		{Duration(0), "0s"}, {Duration(59 * time.Second), "59s"}, {Duration(65 * time.Second), "1m05s"},
		{Duration(65 * time.Minute), "1h05m"}, {Duration(100 * time.Hour), "4d04h"},
		{Wait(time.Millisecond), "1s"}, {Wait(8 * time.Second), "8s"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestSummaryForPeople(t *testing.T) {
	cost := dollars("1.5")
	for want, s := range map[string]Summary{
		"6 in: 6 ok (1 flagged), 0 failed; 90 + 88 tokens in 0.1 s": {
			In: 6, OK: 6, Flagged: 1, PromptTokens: 90, CompletionTokens: 88, ElapsedS: 0.1,
		},
		"10,000 in: 9,900 ok (1,000 recorded before, 3 flagged), 20 failed, 80 unsent\n" +
			"1,204,332 + 2,443,123 tokens, $1.50 in 2m14s, 67/s, 12 retries, 3 times 429; by the cheaper model from line 5 on": {
			In: 10_000, OK: 9900, Skipped: 1000, Flagged: 3, Failed: 20, Unsent: 80, PromptTokens: 1_204_332, CompletionTokens: 2_443_123,
			CostUSD: &cost, ElapsedS: 134, Retries: 12, Status429: 3, DowngradedAt: 5,
		},
		"3 in: 3 ok, 0 failed; 90 + 88 tokens, $1.50 (simulated) in 0.1 s": {
			In: 3, OK: 3, PromptTokens: 90, CompletionTokens: 88, ElapsedS: 0.1, CostUSD: &cost,
			Rehearsal: true, Simulated: 3, SimulatedUSD: cost,
		},
		"3 in: 3 ok, 0 failed; 90 + 88 tokens (simulated) in 0.1 s": {
			In: 3, OK: 3, PromptTokens: 90, CompletionTokens: 88, ElapsedS: 0.1, Rehearsal: true, Simulated: 3,
		},
		"3 in: 3 ok (1 simulated), 0 failed\n90 + 88 tokens, $1.50 ($0.2500 of it simulated) in 0.1 s": {
			In: 3, OK: 3, PromptTokens: 90, CompletionTokens: 88, ElapsedS: 0.1, CostUSD: &cost,
			Simulated: 1, SimulatedUSD: dollars("0.25"),
		},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want\n%q", got, want)
		}
	}
}
