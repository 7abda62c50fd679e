package sim

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"llmpipe/stream/naming"
)

// ParseOptions reads the query of a `sim:` URL, like
//
//	latency=800ms&jitter=0.5&rpm=500&tpm=150000&fail=0.02&outage=10s-20s&seed=1
//
// The names are those of Options in lower case, with hyphens between words (retry-after,
// batch-latency), except inflight (MaxInFlight), inflight-status (InFlightStatus) and refund
// (RefundOutput). outage and models may be given more than once, and models also with commas. A
// limit or a time that changes is written as one value:
//
//	latency=400ms..4s/45s   LatencyDrift: from the first to the second and back in 45 seconds
//	rpm=6000,1800/10s       RPMChange: these take turns of 10 seconds; tpm is written alike
//	rpm=600+300/s           RPMChange: 300 more each second
//	down=3s/10s             LinkDown and LinkUp
//
// retry-after=none means NoRetryAfter. By default latency is 50ms, batch-latency is 200ms, and
// headers are sent if there is a limit. It is an error if a name is unknown, if a value is bad, or
// if options contradict each other.
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
		return Options{}, optionError(unknownOption(unknown[0]))
	}
	if sum := o.Fail + o.Reset + o.Garbage + o.Hang + o.Pressure + o.Empty + o.Truncate + o.Lost; sum > 1+1e-9 {
		return Options{}, optionError(fmt.Errorf("the shares of failing requests add up to %.4g, more than 1", sum))
	}
	if err := o.contradiction(); err != nil {
		return Options{}, optionError(err)
	}
	return o, nil
}

// contradiction returns an error if options contradict each other.
func (o *Options) contradiction() error {
	switch {
	case o.Window > 0 && o.Burst > 0:
		return errors.New("a window has no burst: give either window or burst")
	case o.Window > 0 && o.RefundOutput:
		return errors.New("a window refunds nothing: give either window or refund")
	case o.Sliding && o.Window == 0:
		return errors.New("sliding needs a window: give one too, such as window=1m")
	}
	return nil
}

// optionError says what is wrong with the options.
func optionError(err error) error { return fmt.Errorf("simulator options: %w", err) }

// unknownOption is the error for a name that no option has.
func unknownOption(name string) error {
	names := make([]string, len(options))
	for i, option := range options {
		names[i] = option.name
	}
	if near := naming.Nearest(name, names); near != "" {
		return fmt.Errorf("unknown option %q: did you mean %s?", naming.Short(name), near)
	}
	return fmt.Errorf("unknown option %q", naming.Short(name))
}
