package lane

import (
	"cmp"
	"net"
	"net/url"
	"strings"
	"sync/atomic"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// told is what the run has said of a lane so far.
type told struct {
	answered atomic.Bool // it did at least once
	hinted   atomic.Bool // what is probably the matter was said
	down     atomic.Bool // that it is down was said, and not yet that it is back
}

// report says what q's reply shows for the first time: the lane cannot be reached, is down while
// records wait, or is back. streak is the one that the reply belongs to.
func (l *Lane) report(q *Request, streak *limiter.Streak) {
	switch q.reply.Class {
	case provider.OK:
		l.told.answered.Store(true)
		if l.told.down.Load() && !l.Pace.Stats().Open && l.told.down.CompareAndSwap(true, false) {
			l.patience.down.end()
			l.lanes.flow.Voice.Note("%s answers again", l.Host.Name)
		}
	case provider.Transient:
		l.reportFailure(q.reply.Err, streak)
	case provider.Pressure:
		if streak != nil || q.reply.Status == 0 { // another lane takes over, or this machine lacks something
			l.reportFailure(q.reply.Err, streak)
		}
	}
}

func (l *Lane) reportFailure(err *record.Error, streak *limiter.Streak) {
	hint := cmp.Or(l.Host.Client.ProxyHint(err), reachHint(l.base, err.Message))
	here := strings.Contains(err.Message, tooManyFiles) // and not the provider's doing, however often it has answered
	if here {
		hint = ui.MoreFiles
	}
	if hint != "" && (here || !l.told.answered.Load()) && l.told.hinted.CompareAndSwap(false, true) {
		l.lanes.flow.Voice.Warn("%s: %s; trying again", l.Host.Name, err.Message)
		l.lanes.flow.Voice.Hint("%s", hint)
	}
	// A failure that was sent before an outage may come when that is over: it opens nothing.
	if streak.Opened() && !l.told.down.Load() && l.Pace.Stats().Open && l.told.down.CompareAndSwap(false, true) {
		l.patience.down.begin(l.lanes.cfg.GiveUp, l.silent)
		then := "records wait for it, at most " + ui.Duration(l.lanes.cfg.GiveUp) + ", and lose no attempt"
		if len(l.lanes.all) > 1 {
			then = "records go to another lane until it is back"
		}
		l.lanes.flow.Voice.Warn("%s fails every request, the last with %s; %s", l.Host.Name, err, then)
	}
}

// localServers are the servers that people run themselves, by the ports that they listen on unless
// told otherwise.
var localServers = map[string]string{
	"11434": "is Ollama running? ollama serve starts it",
	"8000":  "is vLLM running? vllm serve MODEL starts it",
	"8080":  "is llama.cpp running? llama-server -m MODEL starts it",
	"1234":  "is LM Studio running? lms server start starts its server",
	"8089":  "is the simulator running? llmpipe sim starts it",
}

// tooManyFiles is how a system says that a process has as many files open as it may.
const tooManyFiles = "too many open files"

// reachHint says what is probably wrong when the provider at baseURL cannot be reached; empty when
// it cannot tell.
func reachHint(baseURL, message string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	switch {
	case strings.Contains(message, "connection refused"):
		if host := u.Hostname(); host != "localhost" && !net.ParseIP(host).IsLoopback() {
			return "nothing listens there: check --base-url"
		}
		if hint, ok := localServers[u.Port()]; ok {
			return hint
		}
		return "nothing listens there: is the server running, and is the port of --base-url right?"
	case strings.HasPrefix(message, "looking up "), strings.Contains(message, "no such host"):
		return "check the name in --base-url, and the network"
	case strings.Contains(message, `malformed HTTP response "\x15\x03`):
		return "it speaks TLS there: begin --base-url with https://"
	case strings.Contains(message, "first record does not look like a TLS handshake"):
		return "it speaks plain HTTP there: begin --base-url with http://"
	}
	return ""
}

// pathHint says what is probably wrong with a base URL where no API is served.
func pathHint(u *url.URL) string {
	if strings.Trim(u.Path, "/") == "" {
		return "the base URL has no path: try --base-url " + u.Scheme + "://" + u.Host + "/v1"
	}
	return "the base URL of an API mostly ends in /v1"
}
