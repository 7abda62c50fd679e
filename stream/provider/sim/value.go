package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions below make setters of options. Each setter reads one kind of value into a field.

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

// status takes one of the statuses.
func status(statuses []int, field func(*Options) *int) func(*Options, string) error {
	return func(o *Options, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || !slices.Contains(statuses, n) {
			return fmt.Errorf("want one of %s", strings.ReplaceAll(strings.Trim(fmt.Sprint(statuses), "[]"), " ", ", "))
		}
		*field(o) = n
		return nil
	}
}

func retryAfter(o *Options, v string) error {
	if v == "none" {
		o.RetryAfter = NoRetryAfter
		return nil
	}
	if duration(func(o *Options) *time.Duration { return &o.RetryAfter })(o, v) != nil {
		return errors.New("want a time like 800ms or 1m30s, or none")
	}
	return nil
}

func overrun(o *Options, v string) error {
	switch o.Overrun = Overrun(v); o.Overrun {
	case OverrunAll, OverrunReasoning:
		return nil
	}
	return errors.New("want all or reasoning")
}

// latencyDrift takes 800ms, or 400ms..4s/45s for a latency that goes from the first to the second
// and back in 45 seconds.
func latencyDrift(o *Options, v string) error {
	means, period, drifts := strings.Cut(v, "/")
	from, to, both := strings.Cut(means, "..")
	if !drifts && !both {
		return duration(func(o *Options) *time.Duration { return &o.Latency })(o, v)
	}
	var err1, err2, err3 error
	o.Latency, err1 = time.ParseDuration(from)
	o.LatencyDrift.To, err2 = time.ParseDuration(to)
	o.LatencyDrift.Period, err3 = time.ParseDuration(period)
	if errors.Join(err1, err2, err3) != nil || min(o.Latency, o.LatencyDrift.To) < 0 || o.LatencyDrift.Period <= 0 {
		return errors.New("want a time like 800ms or 1m30s, or a drift like 400ms..4s/45s")
	}
	return nil
}

// linkDown takes 3s/10s for a link that is down for three seconds after each ten.
func linkDown(o *Options, v string) error {
	down, up, _ := strings.Cut(v, "/")
	var err1, err2 error
	o.LinkDown, err1 = time.ParseDuration(down)
	o.LinkUp, err2 = time.ParseDuration(up)
	if err1 != nil || err2 != nil || min(o.LinkDown, o.LinkUp) <= 0 {
		return errors.New("want the time down and the time up, like 3s/10s")
	}
	return nil
}

func burst(o *Options, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 || d > time.Minute {
		return errors.New("want a time above 0 and up to 1m")
	}
	o.Burst = d
	return nil
}

func outage(o *Options, v string) error {
	from, to, _ := strings.Cut(v, "-")
	begin, err1 := time.ParseDuration(from)
	end, err2 := time.ParseDuration(to)
	if err1 != nil || err2 != nil || begin < 0 || end <= begin {
		return errors.New("want a start and a later end, like 10s-20s")
	}
	o.Outage = append(o.Outage, Window{From: begin, To: end})
	return nil
}

func models(o *Options, v string) error {
	for name := range strings.SplitSeq(v, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return errors.New("want the names of models, separated by commas")
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
