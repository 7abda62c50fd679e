package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// option is one name in the query of a sim: URL.
type option struct {
	name    string
	repeats bool
	usual   string // its default, for people
	about   string // what it is and in which unit, for people
	set     func(o *Options, value string) error
}

// helpWidth bounds a line of OptionsHelp, in bytes.
const helpWidth = 100

// OptionsHelp explains each option: its name, its default, and what it does.
func OptionsHelp() string {
	var b strings.Builder
	for _, o := range options {
		width, _ := fmt.Fprintf(&b, "  %-19s%-7s", o.name, o.usual)
		for _, word := range strings.Fields(o.about) {
			if width+1+len(word) > helpWidth {
				width, _ = fmt.Fprintf(&b, "\n%28s", "")
			}
			n, _ := fmt.Fprintf(&b, " %s", word)
			width += n
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// options lists all options. headers comes after the limits that its default depends on.
var options = []option{
	{name: "latency", usual: "50ms", about: "mean time to an answer, such as 800ms; 400ms..4s/45s moves between the two",
		set: latencyDrift},
	{name: "jitter", usual: "0", about: "how far latency varies: 0.5 is half of it up or down, 1 at most",
		set: share(func(o *Options) *float64 { return &o.Jitter })},
	{name: "rpm", usual: "none", about: "requests a minute; 6000,1800/10s takes turns, 600+300/s rises",
		set: rate(func(o *Options) (*int, *Change) { return &o.RPM, &o.RPMChange })},
	{name: "tpm", usual: "none", about: "tokens a minute; moves as rpm does",
		set: rate(func(o *Options) (*int, *Change) { return &o.TPM, &o.TPMChange })},
	{name: "itpm", usual: "none", about: "input tokens a minute, on /v1/messages",
		set: count(func(o *Options) *int { return &o.ITPM })},
	{name: "otpm", usual: "none", about: "output tokens a minute, on /v1/messages",
		set: count(func(o *Options) *int { return &o.OTPM })},
	{name: "burst", usual: "1m", about: "how much of a minute's limit may be used at once: a time up to 1m",
		set: burst},
	{name: "window", usual: "none", about: "a time: limits hold for windows of it, instead of a bucket that refills",
		set: duration(func(o *Options) *time.Duration { return &o.Window })},
	{name: "sliding", usual: "false", about: "the window slides; needs window",
		set: boolean(func(o *Options) *bool { return &o.Sliding })},
	{name: "headers", usual: "true", about: "send x-ratelimit-* for the limits that are set",
		set: boolean(func(o *Options) *bool { return &o.Headers })},
	{name: "refund", usual: "false", about: "give back the part of max_tokens that was not used",
		set: boolean(func(o *Options) *bool { return &o.RefundOutput })},
	{name: "retry-after", usual: "0s", about: "how long a refusal says to wait: a time, or none for no header; 0s is the true time",
		set: retryAfter},
	{name: "fail", usual: "0", about: "share of requests answered with 500",
		set: share(func(o *Options) *float64 { return &o.Fail })},
	{name: "reset", usual: "0", about: "share of requests whose connection is reset",
		set: share(func(o *Options) *float64 { return &o.Reset })},
	{name: "garbage", usual: "0", about: "share of requests answered with JSON that breaks off",
		set: share(func(o *Options) *float64 { return &o.Garbage })},
	{name: "hang", usual: "0", about: "share of requests that are never answered",
		set: share(func(o *Options) *float64 { return &o.Hang })},
	{name: "pressure", usual: "0", about: "share of requests refused with 429 by chance",
		set: share(func(o *Options) *float64 { return &o.Pressure })},
	{name: "odd", usual: "none", about: "every so many requests one is refused, naming another limit in its headers",
		set: count(func(o *Options) *int { return &o.Odd })},
	{name: "down", usual: "none", about: "3s/10s: the network is down for 3s after each 10s",
		set: linkDown},
	{name: "pressure-status", usual: "429", about: "status of pressure: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.PressureStatus })},
	{name: "empty", usual: "0", about: "share of requests answered with 200 and nothing",
		set: share(func(o *Options) *float64 { return &o.Empty })},
	{name: "truncate", usual: "0", about: "share of answers cut short, with finish_reason length",
		set: share(func(o *Options) *float64 { return &o.Truncate })},
	{name: "misfit", usual: "0", about: "share of answers that do not fit the schema asked for",
		set: share(func(o *Options) *float64 { return &o.Misfit })},
	{name: "lost", usual: "0", about: "share of answers that are billed and lost on their way",
		set: share(func(o *Options) *float64 { return &o.Lost })},
	{name: "lost-status", usual: "504", about: "status in place of a lost answer: 500, 502 or 504",
		set: status(LostStatuses, func(o *Options) *int { return &o.LostStatus })},
	{name: "outage", repeats: true, usual: "none", about: "10s-20s: down from second 10 to second 20; repeatable",
		set: outage},
	{name: "outage-status", usual: "503", about: "status in an outage: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.OutageStatus })},
	{name: "inflight", usual: "none", about: "requests served at once; more are refused",
		set: count(func(o *Options) *int { return &o.MaxInFlight })},
	{name: "inflight-status", usual: "503", about: "status of that refusal: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.InFlightStatus })},
	{name: "threads", usual: "none", about: "connections served at once; others wait, as on llama.cpp",
		set: count(func(o *Options) *int { return &o.Threads })},
	{name: "slow", usual: "none", about: "requests at once beyond which latency grows, as on one GPU",
		set: count(func(o *Options) *int { return &o.Slow })},
	{name: "stragglers", usual: "0", about: "share of answers that take straggler-latency",
		set: share(func(o *Options) *float64 { return &o.Stragglers })},
	{name: "straggler-latency", usual: "10x", about: "time of a straggler; ten times latency unless given",
		set: duration(func(o *Options) *time.Duration { return &o.StragglerLatency })},
	{name: "quota", usual: "none", about: "answers until the account is out of money",
		set: count(func(o *Options) *int { return &o.Quota })},
	{name: "batch-latency", usual: "200ms", about: "time from a batch's creation to its end",
		set: duration(func(o *Options) *time.Duration { return &o.BatchLatency })},
	{name: "batch-window", usual: "24h", about: "time after which a batch expires with what it has",
		set: duration(func(o *Options) *time.Duration { return &o.BatchWindow })},
	{name: "batch-expire", usual: "0", about: "share of a batch's requests left when it expires",
		set: share(func(o *Options) *float64 { return &o.BatchExpire })},
	{name: "batch-expire-first", usual: "all", about: "number of batches that this happens to",
		set: count(func(o *Options) *int { return &o.BatchExpireFirst })},
	{name: "batch-fail", usual: "0", about: "share of a batch's requests that end as 500",
		set: share(func(o *Options) *float64 { return &o.BatchFail })},
	{name: "batch-tokens", usual: "none", about: "prompt tokens that may be in batches at once",
		set: count(func(o *Options) *int { return &o.BatchTokens })},
	{name: "batch-lost", usual: "0", about: "number of batches whose creation is not confirmed",
		set: count(func(o *Options) *int { return &o.BatchLost })},
	{name: "batch-max", usual: "50000", about: "requests that a batch may have",
		set: count(func(o *Options) *int { return &o.BatchMax })},
	{name: "batch-foreign", usual: "0", about: "number of batches that others create after the first",
		set: count(func(o *Options) *int { return &o.BatchForeign })},
	{name: "file-lost", usual: "0", about: "number of uploads that are not confirmed",
		set: count(func(o *Options) *int { return &o.FileLost })},
	{name: "file-max", usual: "none", about: "bytes that an upload may have",
		set: count(func(o *Options) *int { return &o.FileMax })},
	{name: "file-delay", usual: "0s", about: "time until an uploaded file is found",
		set: duration(func(o *Options) *time.Duration { return &o.FileDelay })},
	{name: "dialect", usual: "openai", about: "whose Batch API: openai, azure, groq, together, mistral, gemini or novita",
		set: dialect},
	{name: "output", usual: "20", about: "mean completion tokens of an answer",
		set: count(func(o *Options) *int { return &o.Output })},
	{name: "overrun", usual: "none", about: "all ignores max_tokens; reasoning comes on top of it",
		set: overrun},
	{name: "bill", usual: "none", about: "whose usage and prices: " + strings.Join(slices.Sorted(maps.Keys(billings)), ", "),
		set: billAs},
	{name: "key", usual: "none", about: "the only key that is let in",
		set: func(o *Options, v string) error { o.Key = v; return nil }},
	{name: "models", repeats: true, usual: "any", about: "the only models there are, with commas between",
		set: models},
	{name: "pretty", usual: "false", about: "indent the JSON",
		set: boolean(func(o *Options) *bool { return &o.Pretty })},
	{name: "seed", usual: "0", about: "varies the answers and what fails",
		set: seed},
}
