package sim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// admitMessage charges a request to Anthropic's API and its input, or returns the refusal. It
// writes the state of the limits after that to h. The output is not known yet: some of the output
// limit must be left.
func (l *limits) admitMessage(h http.Header, input int, now time.Duration) *apiError {
	l.input.advance(now)
	l.output.advance(now)
	refusal := l.refuseMessage(input, now)
	if refusal == nil {
		l.requests.spend(1)
		l.input.spend(input)
	}
	if l.headers {
		l.describeMessage(h, now)
	}
	return refusal
}

func (l *limits) refuseMessage(input int, now time.Duration) *apiError {
	for _, one := range [...]struct {
		limit  *limit
		charge int
		unit   string
	}{{&l.requests, 1, "requests"}, {&l.input, input, "input tokens"}, {&l.output, 1, "output tokens"}} {
		wait := ceil(one.limit.wait(one.charge))
		if most := one.limit.course.most(); most > 0 && one.charge > most {
			wait = time.Minute // in truth it would never fit
		}
		if wait == 0 {
			continue
		}
		if l.retry != 0 {
			wait = l.retry
		}
		return &apiError{status: http.StatusTooManyRequests, kind: "rate_limit_error", retryAfter: wait,
			message: fmt.Sprintf("This request would exceed your organization's rate limit of %d %s per minute "+
				"(org: org-simulated). For details, refer to: https://platform.claude.com/docs/en/api/rate-limits.",
				int(one.limit.course.at(now)), one.unit)}
	}
	return nil
}

// spendOutput charges the output of an answer in Anthropic's API, and writes the state of the
// output limit after that to h.
func (l *limits) spendOutput(h http.Header, tokens int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.start)
	l.output.advance(now)
	l.output.spend(tokens)
	if l.headers {
		l.output.describeAnthropic(h, "Output-Tokens", 1000, l.start, now)
	}
}

// describeMessage writes the headers of Anthropic's limits. The tokens that remain are rounded to
// thousands.
func (l *limits) describeMessage(h http.Header, now time.Duration) {
	l.requests.describeAnthropic(h, "Requests", 1, l.start, now)
	l.input.describeAnthropic(h, "Input-Tokens", 1000, l.start, now)
	l.output.describeAnthropic(h, "Output-Tokens", 1000, l.start, now)
}

// describeAnthropic writes the headers that show a limit as it is now. What remains is rounded to a
// multiple of to.
func (l *limit) describeAnthropic(h http.Header, unit string, to float64, start time.Time, now time.Duration) {
	if l.meter == nil {
		return
	}
	name := "Anthropic-Ratelimit-" + unit
	left := max(0, math.Round(l.meter.left()/to)*to)
	h[name+"-Limit"] = []string{strconv.Itoa(int(l.course.at(now)))}
	h[name+"-Remaining"] = []string{strconv.Itoa(int(left))}
	h[name+"-Reset"] = []string{start.Add(now + l.meter.full()).UTC().Format(time.RFC3339)}
}
