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
	{name: "latency", usual: "50ms", about: "mean time to an answer, such as 800ms; 400ms..4s/45s rises to 4s and falls back every 45s",
		set: latencyDrift},
	{name: "jitter", usual: "0", about: "how far latency varies, from 0 to 1: 0.5 is up to half of it either way",
		set: share(func(o *Options) *float64 { return &o.Jitter })},
	{name: "rpm", usual: "none", about: "requests a minute; 6000,1800/10s switches every 10s, 600+300/s rises by 300 each second",
		set: rate(func(o *Options) (*int, *Change) { return &o.RPM, &o.RPMChange })},
	{name: "tpm", usual: "none", about: "tokens a minute; may change as rpm does",
		set: rate(func(o *Options) (*int, *Change) { return &o.TPM, &o.TPMChange })},
	{name: "itpm", usual: "none", about: "input tokens a minute, on /v1/messages",
		set: count(func(o *Options) *int { return &o.ITPM })},
	{name: "otpm", usual: "none", about: "output tokens a minute, on /v1/messages",
		set: count(func(o *Options) *int { return &o.OTPM })},
	{name: "burst", usual: "1m", about: "how much of a minute's limit may be used at once, as a time up to 1m",
		set: burst},
	{name: "window", usual: "none", about: "apply limits to fixed windows of this length, not to a bucket that refills",
		set: duration(func(o *Options) *time.Duration { return &o.Window })},
	{name: "sliding", usual: "false", about: "let the window slide; needs window",
		set: boolean(func(o *Options) *bool { return &o.Sliding })},
	{name: "headers", usual: "true", about: "send x-ratelimit-* for the limits that are set",
		set: boolean(func(o *Options) *bool { return &o.Headers })},
	{name: "refund", usual: "false", about: "give back the part of max_tokens that was not used",
		set: boolean(func(o *Options) *bool { return &o.RefundOutput })},
	{name: "retry-after", usual: "0s", about: "how long a refusal says to wait: a time, 0s for the true wait, or none to leave it out",
		set: retryAfter},
	{name: "fail", usual: "0", about: "share of requests answered with 500",
		set: share(func(o *Options) *float64 { return &o.Fail })},
	{name: "reset", usual: "0", about: "share of requests whose connection is reset",
		set: share(func(o *Options) *float64 { return &o.Reset })},
	{name: "garbage", usual: "0", about: "share of requests answered with JSON that breaks off",
		set: share(func(o *Options) *float64 { return &o.Garbage })},
	{name: "hang", usual: "0", about: "share of requests that are never answered",
		set: share(func(o *Options) *float64 { return &o.Hang })},
	{name: "pressure", usual: "0", about: "share of requests refused at random, as if overloaded",
		set: share(func(o *Options) *float64 { return &o.Pressure })},
	{name: "odd", usual: "none", about: "refuse one request in this many, with headers that name another limit",
		set: count(func(o *Options) *int { return &o.Odd })},
	{name: "down", usual: "none", about: "3s/10s: the network goes down for 3s after every 10s",
		set: linkDown},
	{name: "pressure-status", usual: "429", about: "status of refusals by pressure: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.PressureStatus })},
	{name: "empty", usual: "0", about: "share of requests answered with 200 and an empty body",
		set: share(func(o *Options) *float64 { return &o.Empty })},
	{name: "truncate", usual: "0", about: "share of answers cut short, with finish_reason length",
		set: share(func(o *Options) *float64 { return &o.Truncate })},
	{name: "misfit", usual: "0", about: "share of answers that do not fit the requested schema",
		set: share(func(o *Options) *float64 { return &o.Misfit })},
	{name: "lost", usual: "0", about: "share of answers that are billed but lost on the way",
		set: share(func(o *Options) *float64 { return &o.Lost })},
	{name: "lost-status", usual: "504", about: "status sent in place of a lost answer: 500, 502 or 504",
		set: status(LostStatuses, func(o *Options) *int { return &o.LostStatus })},
	{name: "outage", repeats: true, usual: "none", about: "10s-20s: down from second 10 to second 20; repeatable",
		set: outage},
	{name: "outage-status", usual: "503", about: "status during an outage: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.OutageStatus })},
	{name: "inflight", usual: "none", about: "most requests served at once; others are refused",
		set: count(func(o *Options) *int { return &o.MaxInFlight })},
	{name: "inflight-status", usual: "503", about: "status of refusals by inflight: 429, 500, 503 or 529",
		set: status(Statuses, func(o *Options) *int { return &o.InFlightStatus })},
	{name: "threads", usual: "none", about: "most connections served at once; others wait, as on llama.cpp",
		set: count(func(o *Options) *int { return &o.Threads })},
	{name: "slow", usual: "none", about: "number of concurrent requests beyond which latency grows, as on one GPU",
		set: count(func(o *Options) *int { return &o.Slow })},
	{name: "stragglers", usual: "0", about: "share of answers that take straggler-latency",
		set: share(func(o *Options) *float64 { return &o.Stragglers })},
	{name: "straggler-latency", usual: "10x", about: "time that a straggler takes; by default ten times latency",
		set: duration(func(o *Options) *time.Duration { return &o.StragglerLatency })},
	{name: "quota", usual: "none", about: "number of answers after which the account is out of money",
		set: count(func(o *Options) *int { return &o.Quota })},
	{name: "batch-latency", usual: "200ms", about: "time from a batch's creation to its end",
		set: duration(func(o *Options) *time.Duration { return &o.BatchLatency })},
	{name: "batch-window", usual: "24h", about: "time after which a batch expires with the answers that it has",
		set: duration(func(o *Options) *time.Duration { return &o.BatchWindow })},
	{name: "batch-expire", usual: "0", about: "share of a batch's requests left unanswered; the batch then expires",
		set: share(func(o *Options) *float64 { return &o.BatchExpire })},
	{name: "batch-expire-first", usual: "all", about: "number of batches, from the first, that batch-expire applies to",
		set: count(func(o *Options) *int { return &o.BatchExpireFirst })},
	{name: "batch-fail", usual: "0", about: "share of a batch's requests answered with 500",
		set: share(func(o *Options) *float64 { return &o.BatchFail })},
	{name: "batch-tokens", usual: "none", about: "prompt tokens that unfinished batches may hold together",
		set: count(func(o *Options) *int { return &o.BatchTokens })},
	{name: "batch-lost", usual: "0", about: "number of batches whose creation is not confirmed",
		set: count(func(o *Options) *int { return &o.BatchLost })},
	{name: "batch-max", usual: "50000", about: "most requests in a batch",
		set: count(func(o *Options) *int { return &o.BatchMax })},
	{name: "batch-foreign", usual: "0", about: "number of batches that other clients create after the first",
		set: count(func(o *Options) *int { return &o.BatchForeign })},
	{name: "file-lost", usual: "0", about: "number of uploads that are not confirmed",
		set: count(func(o *Options) *int { return &o.FileLost })},
	{name: "file-max", usual: "none", about: "most bytes in an upload",
		set: count(func(o *Options) *int { return &o.FileMax })},
	{name: "file-delay", usual: "0s", about: "time until an uploaded file can be found",
		set: duration(func(o *Options) *time.Duration { return &o.FileDelay })},
	{name: "dialect", usual: "openai", about: "whose Batch API to imitate: openai, azure, groq, together, mistral, gemini or novita",
		set: dialect},
	{name: "output", usual: "20", about: "mean completion tokens of an answer",
		set: count(func(o *Options) *int { return &o.Output })},
	{name: "overrun", usual: "none", about: "what may exceed max_tokens: all, or only reasoning",
		set: overrun},
	{name: "bill", usual: "none", about: "whose usage and prices to imitate: " + strings.Join(slices.Sorted(maps.Keys(billings)), ", "),
		set: billAs},
	{name: "key", usual: "none", about: "the only key that is accepted",
		set: func(o *Options, v string) error { o.Key = v; return nil }},
	{name: "models", repeats: true, usual: "any", about: "the only models there are, separated by commas",
		set: models},
	{name: "pretty", usual: "false", about: "indent the JSON",
		set: boolean(func(o *Options) *bool { return &o.Pretty })},
	{name: "seed", usual: "0", about: "varies the answers and what fails",
		set: seed},
}
