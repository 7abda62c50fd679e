// Package hint reads how long a provider asks us to wait, from the headers and bodies of its
// answers in their many forms.
package hint

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Of returns how long the provider asks us to wait. It looks at retry-after-ms, retry-after and
// similar headers, then in the body for words such as "try again in 41.7s" and members such as
// retry_after. Failing these, it takes the latest reset among the rate limits that are used up. It
// returns 0 if the provider says nothing, or nothing credible.
func Of(h http.Header, body []byte, now time.Time) time.Duration {
	now = theirTime(h, now)
	for _, name := range retryHeaders {
		if d, ok := headerWait(name, h.Get(name), now); ok {
			return d
		}
	}
	for name, values := range h {
		if !strings.Contains(name, "Retry-After") || len(values) == 0 {
			continue
		}
		if d, ok := headerWait(name, values[0], now); ok {
			return d
		}
	}
	if d, ok := waitInBody(body, now); ok {
		return d
	}
	return latestReset(h, now)
}

// theirTime returns the time by the server's clock, because the server's dates follow that clock.
// If the server does not give its time, it returns now.
func theirTime(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

// retryHeaders are the headers that say how long to wait, the most exact first: OpenAI's and
// Azure's in milliseconds, and HTTP's own. Gateways' variants of these names come after them.
var retryHeaders = [...]string{"Retry-After-Ms", "X-Ms-Retry-After-Ms", "Retry-After"}

// headerWait reads the value of such a header.
func headerWait(name, value string, now time.Time) (time.Duration, bool) {
	if strings.HasSuffix(name, "-Ms") && value != "" {
		value += "ms"
	}
	if d, ok := parseWait(value, now); ok {
		return d, true
	}
	return leadingWait(value, now)
}

// believed is the longest credible wait that is given as a number or a duration. A longer one has
// another unit, or comes from a wrong clock. A date is credible up to believedDate ahead: a year.
const (
	believed     = 24 * time.Hour
	believedDate = 366 * 24 * time.Hour
)

// parseWait reads a wait as providers write it: seconds ("20", "1.5"), a duration ("6m0s", "12ms",
// "02:12:34"), a Unix time in seconds or a smaller unit, an HTTP date, or a date and time as in RFC
// 3339 or similar. A wait that is already over does not count.
func parseWait(s string, now time.Time) (time.Duration, bool) {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return waitOf(n, time.Second, now)
	}
	if d, err := time.ParseDuration(s); err == nil {
		return bounded(d, believed)
	}
	if t, ok := parseDate(s); ok {
		return bounded(t.Sub(now), believedDate)
	}
	return parseClock(s)
}

// waitOf returns a wait of n units, or until the Unix time n if n can only be that.
func waitOf(n float64, unit time.Duration, now time.Time) (time.Duration, bool) {
	if unix, ok := unixTime(n); ok {
		return bounded(unix.Sub(now), believedDate)
	}
	if math.IsNaN(n) || n*float64(unit) > float64(believed) {
		return 0, false
	}
	return bounded(time.Duration(n*float64(unit)), believed)
}

// unixTime reads a Unix time in seconds, milliseconds, microseconds or nanoseconds. Only one of
// these units puts n between the years 2001 and 2286.
func unixTime(n float64) (time.Time, bool) {
	for _, unit := range [...]float64{1, 1e3, 1e6, 1e9} {
		if seconds := n / unit; seconds >= 1e9 && seconds < 1e10 {
			return time.Unix(0, int64(seconds*1e9)), true
		}
	}
	return time.Time{}, false
}

// bounded returns d if that wait is not over and no longer than longest.
func bounded(d, longest time.Duration) (time.Duration, bool) {
	if d <= 0 || d > longest {
		return 0, false
	}
	return d, true
}

// dates are the forms of a date and time. A date without a zone is taken as UTC.
var dates = [...]string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC,
}

func parseDate(s string) (time.Time, bool) {
	for _, form := range dates {
		t, err := time.Parse(form, s)
		if zone, offset := t.Zone(); err == nil && (offset != 0 || zone == "UTC" || zone == "GMT" || zone == "") {
			return t, true // time.Parse accepts other zone names without knowing their offsets
		}
	}
	return time.Time{}, false
}

// parseClock reads a duration in hours, minutes and seconds, as Azure API Management writes it:
// 02:12:34.
func parseClock(s string) (time.Duration, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, false
	}
	var sum float64
	for _, part := range parts {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil || n < 0 {
			return 0, false
		}
		sum = 60*sum + n
	}
	return bounded(time.Duration(min(sum, 1e9)*float64(time.Second)), believed)
}

// waitWords precede a wait, or the date at which it ends, in the messages of OpenAI, Azure, Groq,
// Gemini, Anthropic, LiteLLM, GitHub Models, Azure API Management and gateways.
var waitWords = []string{
	"try again in ", "try again after ", "try again at ", "retry after ", "retry in ", "retry at ", "please wait ", "wait for ", "wait ",
	"resets at: ", "resets at ", "reset at ", "resets in ", "reset in ", "reset after ", "replenished in ", "available in ", "available at ",
	"available again in ", "available again at ", "将在 ",
}

// waitMembers are the members of a body that say how long to wait, at any depth. Their names are in
// lower case and hold letters only. Each has the unit of a bare number. OpenRouter repeats the
// headers in its metadata, Gemini has RetryInfo, and ChatGPT's plans have resets_at.
var waitMembers = map[string]time.Duration{
	"retryafter": time.Second, "retryafterseconds": time.Second, "retryafterms": time.Millisecond, "retrydelay": time.Second,
	"retryin": time.Second, "retryinseconds": time.Second, "waitseconds": time.Second, "resetsinseconds": time.Second,
	"resetinseconds": time.Second, "secondsuntilreset": time.Second, "cooldownseconds": time.Second, "quotaresetdelay": time.Second,
	"xratelimitreset": time.Second, "ratelimitreset": time.Second, "resetat": time.Second, "resetsat": time.Second, "resettime": time.Second,
	"quotaresettimestamp": time.Second, "retryat": time.Second,
}

// waitInBody looks for a wait in the words of a body, then in its members.
func waitInBody(body []byte, now time.Time) (time.Duration, bool) {
	body = body[:min(len(body), 8<<10)]
	lower := bytes.ToLower(body)
	for _, words := range waitWords {
		for at := 0; ; {
			i := bytes.Index(lower[at:], []byte(words))
			if i < 0 {
				break
			}
			at += i + len(words)
			if d, ok := leadingWait(string(body[min(at, len(body)):min(at+48, len(body))]), now); ok {
				return d, true
			}
		}
	}
	return waitMember(lower, now)
}

// waitMember looks at everything between two quotes and before a colon, including JSON that is
// quoted in a string.
func waitMember(lower []byte, now time.Time) (time.Duration, bool) {
	_, rest, more := bytes.Cut(lower, []byte(`"`))
	for more {
		var name []byte
		if name, rest, more = bytes.Cut(rest, []byte(`"`)); !more {
			break
		}
		value := bytes.TrimLeft(rest, " ")
		if len(value) == 0 || value[0] != ':' {
			continue
		}
		unit, ok := waitMembers[squeezed(name)]
		if !ok {
			continue
		}
		if d, ok := memberWait(string(value[1:min(len(value), 64)]), unit, now); ok {
			return d, true
		}
	}
	return 0, false
}

// memberWait reads the value of such a member from the start of text, which is in lower case.
func memberWait(text string, unit time.Duration, now time.Time) (time.Duration, bool) {
	text = strings.TrimLeft(text, ` {`)
	text = strings.TrimLeft(strings.TrimPrefix(text, `"seconds"`), ` :`) // a duration as protobuf may write it
	end := `,}]`
	if bare := strings.TrimLeft(text, `\"`); bare != text {
		text, end = bare, `\"`
	}
	if i := strings.IndexAny(text, end); i >= 0 {
		text = text[:i]
	}
	if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
		return waitOf(n, unit, now)
	}
	if d, ok := parseWait(strings.ToUpper(text), now); ok { // dates have upper-case letters
		return d, true
	}
	return parseWait(text, now)
}

// squeezed returns a lower-case name with only its letters.
func squeezed(name []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, string(name))
}

// leadingWait reads "41.7s", "1m30.5s", "350ms", "6 seconds", "2 hours 5 minutes", "02:12:34", a
// Unix time or a date from the start of s.
func leadingWait(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimLeft(s, `: "'~`)
	for _, word := range [...]string{"about ", "approximately ", "another ", "at least ", "up to ", "less than "} {
		s = strings.TrimPrefix(s, word)
	}
	const shortest, longest = len("2006-01-02 15:04:05"), len("2006-01-02T15:04:05.999999999+07:00")
	for n := min(len(s), longest); n >= shortest; n-- {
		if t, ok := parseDate(strings.TrimRight(s[:n], ".,; ")); ok {
			return bounded(t.Sub(now), believedDate)
		}
	}
	if len(s) > 10 && s[4] == '-' && s[7] == '-' { // a date of another form, not a number of seconds
		return 0, false
	}
	var sum time.Duration
	for {
		d, rest, ok := leadingPart(s, now)
		if !ok {
			return bounded(sum, believedDate)
		}
		sum += d
		s = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, ", "), "and "), " ")
	}
}

// leadingPart reads one number and its unit from the start of s, or a duration made of several.
func leadingPart(s string, now time.Time) (d time.Duration, rest string, ok bool) {
	end := 0
	for end < len(s) && strings.IndexByte("0123456789.:hmsuµ", s[end]) >= 0 {
		end++
	}
	token := strings.TrimRight(s[:end], ".:")
	rest = s[end:]
	if d, err := time.ParseDuration(token); err == nil && token != "0" {
		d, ok = bounded(d, believed)
		return d, rest, ok
	}
	if d, ok := parseClock(token); ok {
		return d, rest, true
	}
	end = 0
	for end < len(s) && strings.IndexByte("0123456789.", s[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseFloat(strings.TrimRight(s[:end], "."), 64)
	if err != nil {
		return 0, "", false
	}
	word := strings.TrimLeft(s[end:], " ")
	letters := 0
	for letters < len(word) && (word[letters]|0x20) >= 'a' && (word[letters]|0x20) <= 'z' {
		letters++
	}
	unit, known := unitOf(strings.ToLower(word[:letters]))
	if !known {
		return 0, "", false // another number, such as the day of a month
	}
	d, ok = waitOf(n, unit, now)
	return d, word[letters:], ok
}

// unitOf returns the unit of time that a word names. It is a second if there is no word, or if the
// word continues the sentence.
func unitOf(word string) (unit time.Duration, known bool) {
	switch {
	case word == "ms", strings.HasPrefix(word, "milli"):
		return time.Millisecond, true
	case word == "m", strings.HasPrefix(word, "min"):
		return time.Minute, true
	case word == "h", strings.HasPrefix(word, "hour"), strings.HasPrefix(word, "hr"):
		return time.Hour, true
	case word == "d", strings.HasPrefix(word, "day"):
		return 24 * time.Hour, true
	case word == "s", strings.HasPrefix(word, "sec"), word == "", word == "or", word == "and", word == "before", word == "then":
		return time.Second, true
	}
	return 0, false
}

// latestReset returns the longest wait until the reset of a limit that is used up. It reads the
// headers with "ratelimit" and "reset" in their names. If the header with "remaining" instead of
// "reset" says that something is left, that limit is not the one we hit. It also reads the
// RateLimit header: see structured.
func latestReset(h http.Header, now time.Time) time.Duration {
	var latest time.Duration
	for name, values := range h {
		lower := strings.ToLower(name)
		if !strings.Contains(strings.ReplaceAll(lower, "-", ""), "ratelimit") || len(values) == 0 {
			continue
		}
		if d, ok := structured(lower, values[0], now); ok {
			latest = max(latest, d)
			continue
		}
		if !strings.Contains(lower, "reset") {
			continue
		}
		if left := h.Get(strings.Replace(lower, "reset", "remaining", 1)); left != "" && !spentUp(left) {
			continue
		}
		if d, ok := parseWait(values[0], now); ok {
			latest = max(latest, d)
		}
	}
	return latest
}

// spentUp reports whether a header's value says that nothing is left.
func spentUp(left string) bool {
	n, err := strconv.ParseFloat(strings.TrimSpace(left), 64)
	return err == nil && n == 0
}

// structured reads the RateLimit header of the IETF's drafts: `limit=10, remaining=0, reset=7`, or
// `"default";r=0;t=7`.
func structured(name, value string, now time.Time) (time.Duration, bool) {
	if name != "ratelimit" && name != "x-ratelimit" {
		return 0, false
	}
	fields := make(map[string]string)
	for _, field := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' }) {
		key, v, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[key] = v
	}
	for _, names := range [...][2]string{{"remaining", "reset"}, {"r", "t"}} {
		if left, ok := fields[names[0]]; !ok || spentUp(left) {
			if d, ok := parseWait(fields[names[1]], now); ok {
				return d, true
			}
		}
	}
	return 0, false
}
