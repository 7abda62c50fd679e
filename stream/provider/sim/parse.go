package sim

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ParseOptions reads the query of a `sim:` URL, like
//
//	latency=800ms&jitter=0.5&rpm=500&tpm=150000&fail=0.02&outage=10s-20s&seed=1
//
// The names are those of Options in lower case, with hyphens between words (retry-after,
// batch-latency), but for inflight (MaxInFlight) and refund (RefundOutput); outage and models may
// be given more than once, models also with commas. What moves is written in one value:
//
//	latency=400ms..4s/45s   LatencyDrift: to the second and back in 45 seconds
//	rpm=6000,1800/10s       RPMChange, and so for tpm: these take turns of 10 seconds
//	rpm=600+300/s           the same: 300 more each second
//	down=3s/10s             LinkDown and LinkUp
//
// and retry-after=none is NoRetryAfter. Latency is 50ms and batch-latency 200ms unless given, and
// headers are sent when there is a limit unless headers=false. An unknown name or a bad value, or
// options that contradict each other, are an error, which lists the names that there are.
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
			o.Headers = o.RPM > 0 || o.TPM > 0 || o.ITPM > 0 || o.OTPM > 0
		}
	}
	if unknown := slices.Sorted(maps.Keys(values)); len(unknown) > 0 {
		return Options{}, optionError(fmt.Errorf("unknown option %q", unknown[0]))
	}
	if sum := o.Fail + o.Reset + o.Garbage + o.Hang + o.Pressure + o.Empty + o.Truncate + o.Lost; sum > 1+1e-9 {
		return Options{}, optionError(fmt.Errorf("the shares of failing requests add up to %.4g, more than 1", sum))
	}
	if err := o.contradiction(); err != nil {
		return Options{}, optionError(err)
	}
	return o, nil
}

// contradiction says which options do not go together.
func (o *Options) contradiction() error {
	switch {
	case o.Window > 0 && o.Burst > 0:
		return errors.New("a window has no burst: give window or burst")
	case o.Window > 0 && o.RefundOutput:
		return errors.New("a window gives nothing back: give window or refund")
	case o.Sliding && o.Window == 0:
		return errors.New("sliding is how a window moves: give window too, such as window=1m")
	}
	return nil
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
	{name: "latency", set: latencyDrift},
	{name: "jitter", set: share(func(o *Options) *float64 { return &o.Jitter })},
	{name: "rpm", set: rate(func(o *Options) (*int, *Change) { return &o.RPM, &o.RPMChange })},
	{name: "tpm", set: rate(func(o *Options) (*int, *Change) { return &o.TPM, &o.TPMChange })},
	{name: "itpm", set: count(func(o *Options) *int { return &o.ITPM })},
	{name: "otpm", set: count(func(o *Options) *int { return &o.OTPM })},
	{name: "burst", set: burst},
	{name: "window", set: duration(func(o *Options) *time.Duration { return &o.Window })},
	{name: "sliding", set: boolean(func(o *Options) *bool { return &o.Sliding })},
	{name: "headers", set: boolean(func(o *Options) *bool { return &o.Headers })},
	{name: "refund", set: boolean(func(o *Options) *bool { return &o.RefundOutput })},
	{name: "retry-after", set: retryAfter},
	{name: "fail", set: share(func(o *Options) *float64 { return &o.Fail })},
	{name: "reset", set: share(func(o *Options) *float64 { return &o.Reset })},
	{name: "garbage", set: share(func(o *Options) *float64 { return &o.Garbage })},
	{name: "hang", set: share(func(o *Options) *float64 { return &o.Hang })},
	{name: "pressure", set: share(func(o *Options) *float64 { return &o.Pressure })},
	{name: "odd", set: count(func(o *Options) *int { return &o.Odd })},
	{name: "down", set: linkDown},
	{name: "pressure-status", set: status(Statuses, func(o *Options) *int { return &o.PressureStatus })},
	{name: "empty", set: share(func(o *Options) *float64 { return &o.Empty })},
	{name: "truncate", set: share(func(o *Options) *float64 { return &o.Truncate })},
	{name: "misfit", set: share(func(o *Options) *float64 { return &o.Misfit })},
	{name: "lost", set: share(func(o *Options) *float64 { return &o.Lost })},
	{name: "lost-status", set: status(LostStatuses, func(o *Options) *int { return &o.LostStatus })},
	{name: "outage", repeats: true, set: outage},
	{name: "outage-status", set: status(Statuses, func(o *Options) *int { return &o.OutageStatus })},
	{name: "inflight", set: count(func(o *Options) *int { return &o.MaxInFlight })},
	{name: "inflight-status", set: status(Statuses, func(o *Options) *int { return &o.InFlightStatus })},
	{name: "threads", set: count(func(o *Options) *int { return &o.Threads })},
	{name: "slow", set: count(func(o *Options) *int { return &o.Slow })},
	{name: "stragglers", set: share(func(o *Options) *float64 { return &o.Stragglers })},
	{name: "straggler-latency", set: duration(func(o *Options) *time.Duration { return &o.StragglerLatency })},
	{name: "quota", set: count(func(o *Options) *int { return &o.Quota })},
	{name: "batch-latency", set: duration(func(o *Options) *time.Duration { return &o.BatchLatency })},
	{name: "batch-window", set: duration(func(o *Options) *time.Duration { return &o.BatchWindow })},
	{name: "batch-expire", set: share(func(o *Options) *float64 { return &o.BatchExpire })},
	{name: "batch-expire-first", set: count(func(o *Options) *int { return &o.BatchExpireFirst })},
	{name: "batch-fail", set: share(func(o *Options) *float64 { return &o.BatchFail })},
	{name: "batch-tokens", set: count(func(o *Options) *int { return &o.BatchTokens })},
	{name: "batch-lost", set: count(func(o *Options) *int { return &o.BatchLost })},
	{name: "batch-max", set: count(func(o *Options) *int { return &o.BatchMax })},
	{name: "batch-foreign", set: count(func(o *Options) *int { return &o.BatchForeign })},
	{name: "file-lost", set: count(func(o *Options) *int { return &o.FileLost })},
	{name: "file-max", set: count(func(o *Options) *int { return &o.FileMax })},
	{name: "file-delay", set: duration(func(o *Options) *time.Duration { return &o.FileDelay })},
	{name: "dialect", set: dialect},
	{name: "output", set: count(func(o *Options) *int { return &o.Output })},
	{name: "overrun", set: overrun},
	{name: "bill", set: billAs},
	{name: "key", set: func(o *Options, v string) error { o.Key = v; return nil }},
	{name: "models", repeats: true, set: models},
	{name: "pretty", set: boolean(func(o *Options) *bool { return &o.Pretty })},
	{name: "seed", set: seed},
}
