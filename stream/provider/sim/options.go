package sim

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options says how a simulated provider behaves. The zero value answers
// everything at once and never fails; ParseOptions has friendlier defaults.
type Options struct {
	// Latency is the mean time to an answer. Refusals (limits, outages,
	// pressure, bad requests) come at once.
	Latency time.Duration
	// Jitter spreads an answer's latency evenly over Latency*(1±Jitter); 0 to 1.
	Jitter float64

	// RPM and TPM are requests and tokens a minute, 0 for no limit. They refill
	// continuously. A request is charged when it arrives, with its prompt and
	// the output it may ask for (max_tokens times n, else the expected output);
	// what fails later stays charged. What a limit refuses is not charged, so
	// that the time it is told to wait is true.
	RPM, TPM int
	// Burst is how much of a minute's limit may be spent at once; 0 means a
	// minute. With 1s, 60 RPM are one request a second. A full bucket grants
	// any request up to the minute's limit.
	Burst time.Duration
	// Headers sends x-ratelimit-* for the limits that are set.
	Headers bool
	// RefundOutput gives the part of max_tokens that was not used back when the
	// answer is ready. OpenAI does not.
	RefundOutput bool
	// RetryAfter is what a 429 of a limit, a pressure or an outage says. 0 means the
	// true time until there is room for a limit, 1s for pressure, and no such
	// header in an outage.
	RetryAfter time.Duration

	// Shares of requests, 0 to 1 and together at most 1, that are answered
	// with 500, a connection reset, a 200 whose JSON breaks off, nothing until
	// the client goes away, a 429 with Retry-After, a 200 with an empty
	// body, and a completion cut short with finish_reason length. Calls about
	// files and batches meet Fail, Reset, Hang and Pressure before anything is
	// done; inside a batch there is only Truncate.
	Fail, Reset, Garbage, Hang, Pressure, Empty, Truncate float64
	// Outage is when everything is answered with 503.
	Outage []Window
	// MaxInFlight is the number of requests at once beyond which the answer is
	// 503 with code "overloaded" and no Retry-After; 0 for no bound.
	MaxInFlight int
	// Slow is the number of requests at once beyond which latency grows in
	// proportion, as on a server of one's own; 0 for never.
	Slow int
	// Quota is the number of answers after which the rest are refused with 429
	// insufficient_quota; 0 for no bound.
	Quota int

	// BatchLatency is the time from the making of a batch to its end. Cancelling
	// takes a tenth of it. RPM and TPM do not apply to what is in a batch.
	BatchLatency time.Duration
	// BatchWindow is the time after which a batch expires with what it has; 0
	// means the 24 hours that it is asked for.
	BatchWindow time.Duration
	// BatchExpire is the share of a batch's requests, 0 to 1, that nobody gets
	// to: the batch ends as expired, with an error line for each of them.
	// BatchExpireFirst is the number of batches that this happens to, from the
	// first; 0 means all.
	BatchExpire      float64
	BatchExpireFirst int
	// BatchFail is the share of a batch's requests, 0 to 1, that end as 500 in
	// its error file.
	BatchFail float64
	// BatchTokens is the number of prompt tokens that the unfinished batches of
	// one model may hold together; a batch beyond it ends as failed, with
	// token_limit_exceeded. 0 for no bound.
	BatchTokens int
	// BatchLost and FileLost are the number of batches and of uploads, from the
	// first, whose making succeeds and whose answer is lost in a connection
	// reset.
	BatchLost, FileLost int
	// FileDelay is the time after an upload until a batch finds the file; for
	// half of it there is no such file, then its status is "uploaded".
	FileDelay time.Duration

	// Output is the mean number of visible completion tokens; 0 means 20.
	Output int
	// Key, if set, is the only key let in: others get 401.
	Key string
	// Models, if set, are the only models there are: others get 404. If not,
	// any name will do, and GET /v1/models lists gpt-4o-mini.
	Models []string
	// Pretty indents the bodies, as some servers do.
	Pretty bool
	// Seed varies the answers, their lengths, and what fails.
	Seed uint64
}

// Window is a stretch of time since the simulator's start, From included, To not.
type Window struct{ From, To time.Duration }

const (
	output  = 20                    // Options.Output's default, in tokens
	latency = 50 * time.Millisecond // ParseOptions' default

	batchLatency = 200 * time.Millisecond // ParseOptions' default
)

func (o Options) withDefaults() Options {
	if o.Burst <= 0 || o.Burst > time.Minute {
		o.Burst = time.Minute
	}
	if o.Output <= 0 {
		o.Output = output
	}
	return o
}

// ParseOptions reads the query of a `sim:` URL, like
//
//	latency=800ms&jitter=0.5&rpm=500&tpm=150000&fail=0.02&outage=10s-20s&seed=1
//
// The names are those of Options in lower case, with hyphens between words (retry-after,
// batch-latency), but for inflight (MaxInFlight) and refund (RefundOutput); outage and models may
// be given more than once, models also with commas. Latency is 50ms and batch-latency 200ms unless
// given, and headers are sent when there is a limit unless headers=false. An unknown name or a bad
// value is an error, which lists the names that there are.
func ParseOptions(query string) (Options, error) {
	o := Options{Latency: latency, BatchLatency: batchLatency}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Options{}, optionError(err)
	}
	for _, option := range options {
		given := values[option.name]
		delete(values, option.name)
		if len(given) > 1 && !option.repeats {
			return Options{}, optionError(fmt.Errorf("%s is given %d times", option.name, len(given)))
		}
		for _, v := range given {
			if err := option.set(&o, v); err != nil {
				return Options{}, optionError(fmt.Errorf("%s=%s: %w", option.name, v, err))
			}
		}
		if option.name == "headers" && given == nil {
			o.Headers = o.RPM > 0 || o.TPM > 0
		}
	}
	if unknown := slices.Sorted(maps.Keys(values)); len(unknown) > 0 {
		return Options{}, optionError(fmt.Errorf("unknown option %q", unknown[0]))
	}
	if sum := o.Fail + o.Reset + o.Garbage + o.Hang + o.Pressure + o.Empty + o.Truncate; sum > 1+1e-9 {
		return Options{}, optionError(fmt.Errorf("the shares of failing requests add up to %.4g, more than 1", sum))
	}
	return o, nil
}

func optionError(err error) error {
	names := make([]string, len(options))
	for i, option := range options {
		names[i] = option.name
	}
	return fmt.Errorf("simulator options: %w (there are: %s)", err, strings.Join(names, ", "))
}

// option is one name in the query of a sim: URL.
type option struct {
	name    string
	repeats bool
	set     func(o *Options, value string) error
}

// options lists them all; headers comes after the limits it depends on.
var options = []option{
	{name: "latency", set: duration(func(o *Options) *time.Duration { return &o.Latency })},
	{name: "jitter", set: share(func(o *Options) *float64 { return &o.Jitter })},
	{name: "rpm", set: count(func(o *Options) *int { return &o.RPM })},
	{name: "tpm", set: count(func(o *Options) *int { return &o.TPM })},
	{name: "burst", set: burst},
	{name: "headers", set: boolean(func(o *Options) *bool { return &o.Headers })},
	{name: "refund", set: boolean(func(o *Options) *bool { return &o.RefundOutput })},
	{name: "retry-after", set: duration(func(o *Options) *time.Duration { return &o.RetryAfter })},
	{name: "fail", set: share(func(o *Options) *float64 { return &o.Fail })},
	{name: "reset", set: share(func(o *Options) *float64 { return &o.Reset })},
	{name: "garbage", set: share(func(o *Options) *float64 { return &o.Garbage })},
	{name: "hang", set: share(func(o *Options) *float64 { return &o.Hang })},
	{name: "pressure", set: share(func(o *Options) *float64 { return &o.Pressure })},
	{name: "empty", set: share(func(o *Options) *float64 { return &o.Empty })},
	{name: "truncate", set: share(func(o *Options) *float64 { return &o.Truncate })},
	{name: "outage", repeats: true, set: window},
	{name: "inflight", set: count(func(o *Options) *int { return &o.MaxInFlight })},
	{name: "slow", set: count(func(o *Options) *int { return &o.Slow })},
	{name: "quota", set: count(func(o *Options) *int { return &o.Quota })},
	{name: "batch-latency", set: duration(func(o *Options) *time.Duration { return &o.BatchLatency })},
	{name: "batch-window", set: duration(func(o *Options) *time.Duration { return &o.BatchWindow })},
	{name: "batch-expire", set: share(func(o *Options) *float64 { return &o.BatchExpire })},
	{name: "batch-expire-first", set: count(func(o *Options) *int { return &o.BatchExpireFirst })},
	{name: "batch-fail", set: share(func(o *Options) *float64 { return &o.BatchFail })},
	{name: "batch-tokens", set: count(func(o *Options) *int { return &o.BatchTokens })},
	{name: "batch-lost", set: count(func(o *Options) *int { return &o.BatchLost })},
	{name: "file-lost", set: count(func(o *Options) *int { return &o.FileLost })},
	{name: "file-delay", set: duration(func(o *Options) *time.Duration { return &o.FileDelay })},
	{name: "output", set: count(func(o *Options) *int { return &o.Output })},
	{name: "key", set: func(o *Options, v string) error { o.Key = v; return nil }},
	{name: "models", repeats: true, set: models},
	{name: "pretty", set: boolean(func(o *Options) *bool { return &o.Pretty })},
	{name: "seed", set: seed},
}

func duration(field func(*Options) *time.Duration) func(*Options, string) error {
	return func(o *Options, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			return errors.New("want a time like 800ms or 1m30s")
		}
		*field(o) = d
		return nil
	}
}

func share(field func(*Options) *float64) func(*Options, string) error {
	return func(o *Options, v string) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return errors.New("want a number from 0 to 1")
		}
		*field(o) = f
		return nil
	}
}

func count(field func(*Options) *int) func(*Options, string) error {
	return func(o *Options, v string) error {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return errors.New("want a whole number, 0 or more")
		}
		*field(o) = int(n)
		return nil
	}
}

// boolean takes a name without a value (pretty) as yes.
func boolean(field func(*Options) *bool) func(*Options, string) error {
	return func(o *Options, v string) error {
		b := true
		if v != "" {
			var err error
			if b, err = strconv.ParseBool(v); err != nil {
				return errors.New("want true or false")
			}
		}
		*field(o) = b
		return nil
	}
}

func burst(o *Options, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 || d > time.Minute {
		return errors.New("want a time above 0 and up to 1m")
	}
	o.Burst = d
	return nil
}

func window(o *Options, v string) error {
	from, to, _ := strings.Cut(v, "-")
	begin, err1 := time.ParseDuration(from)
	end, err2 := time.ParseDuration(to)
	if err1 != nil || err2 != nil || begin < 0 || end <= begin {
		return errors.New("want a stretch of time like 10s-20s")
	}
	o.Outage = append(o.Outage, Window{From: begin, To: end})
	return nil
}

func models(o *Options, v string) error {
	for name := range strings.SplitSeq(v, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return errors.New("want the names of models, with commas between")
		}
		o.Models = append(o.Models, name)
	}
	return nil
}

func seed(o *Options, v string) error {
	seed, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		return errors.New("want a whole number, 0 or more")
	}
	o.Seed = seed
	return nil
}
