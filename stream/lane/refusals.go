package lane

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// foreignAfter is how many answers that are no API's end the run, with none before that is one's:
// it talks to something else, and asks for more than the first few in vain.
const foreignAfter = 5

// AlikeRefusals is how many records in a row, refused for one reason before any answer, end the
// run: the configuration is wrong then, not the records.
const AlikeRefusals = 20

// refusals watches the first answers of a run.
type refusals struct {
	mu    sync.Mutex
	known bool // the ledger holds answers: what is set up has worked
	over  bool // something else came first
	first record.Error
	count int64
}

// clear notes an answer.
func (s *refusals) clear() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}

// repeats counts refused records, and reports whether the run is hopeless.
func (s *refusals) repeats(err *record.Error, records int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over, s.known && err.Status != http.StatusForbidden:
		return false
	case s.count == 0:
		s.first = *err
	}
	if provider.AboutRecord(err) || s.first.Status != err.Status || s.first.Code != err.Code || s.first.Type != err.Type {
		s.over = true
		return false
	}
	s.count += records
	return s.count >= AlikeRefusals // whoever comes meanwhile must not ask on either
}

// hopeless is the error of a run whose first records were all refused alike.
func (l *Lane) hopeless(q *Request) error {
	return ui.WithHint(l.lanes.refusalHint(q.reply.Err, q.Record.Model),
		fmt.Errorf("the first %d records were all refused alike: %w", AlikeRefusals, q.reply.Err))
}

// refusalHint says what is probably wrong when the provider refuses everything.
func (l *Lanes) refusalHint(err *record.Error, model string) string {
	said := strings.ToLower(err.Code + " " + err.Message)
	switch {
	case spokeHTTP(err):
		return "it speaks TLS there: begin --base-url with https://"
	case err.Type == "model_permission":
		return fmt.Sprintf("the key may not use the model %q: name another with -m, or ask whoever gave the key for it", model)
	case strings.Contains(said, "model") && (err.Status == http.StatusNotFound || provider.UnknownModel(err)):
		return fmt.Sprintf("the provider does not know the model %q: name another with -m", model)
	case err.Status == http.StatusNotFound:
		if u, err := url.Parse(l.cfg.Lanes[0].Provider.BaseURL); err == nil {
			return "nothing is served there: " + pathHint(u)
		}
	}
	return "try one record first, with --limit 1"
}

// spokeHTTP tells whether a server says that it speaks TLS, and was asked without: in the words of
// Go's, nginx's, and Apache's.
func spokeHTTP(err *record.Error) bool {
	said := strings.ToLower(err.Message)
	return err.Status == http.StatusBadRequest && (strings.Contains(said, "http request to an https server") ||
		strings.Contains(said, "plain http request was sent to https port") || strings.Contains(said, "speaking plain http to an ssl-enabled"))
}

// HintAtRefusals says at the end of a run without any answer what is probably wrong, where too few
// records were refused to end it.
func (l *Lanes) HintAtRefusals() {
	s := &l.refusals
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && s.count > 0 && s.count < AlikeRefusals && (s.first.Status == http.StatusNotFound || spokeHTTP(&s.first)) {
		l.flow.Voice.Hint("%s", l.refusalHint(&s.first, l.cfg.Model))
	}
}

// fatal is the error of a reply that no other record can change.
func (l *Lane) fatal(q *Request) error {
	err := error(q.reply.Err)
	switch {
	case q.reply.Err.Type == provider.TypeProxy:
		return ui.WithHint(l.Host.Client.ProxyHint(q.reply.Err), err)
	case q.reply.Err.Type == "tls":
		err = fmt.Errorf("connecting to %s: %w", provider.Shown(l.base), err)
		if hint := reachHint(l.base, q.reply.Err.Message); hint != "" {
			return ui.WithHint(hint, err)
		}
		return err
	case q.reply.Status == http.StatusUnauthorized:
		return ui.WithHint(l.keyHint(), err)
	case q.reply.Status == http.StatusForbidden:
		return ui.WithHint("the key is known but may not do this: check its project and permissions", err)
	case q.reply.Status >= 300 && q.reply.Status < 400:
		return ui.WithHint("llmpipe follows no redirect, so that no key reaches another host: give the address itself as --base-url",
			fmt.Errorf("%s answers with a redirect to %s", provider.Shown(l.base), provider.Shown(q.reply.Header.Get("Location"))))
	}
	return err
}

// keyHint is what to do about a provider that does not accept the key.
func (l *Lane) keyHint() string {
	switch {
	case l.lanes.cfg.Lanes[l.Host.Index].Provider.KeyCommand != "":
		return "the provider does not accept what the command of --key-cmd prints, two keys in a row: is it a key for this provider?"
	case l.Host.Index > 0 && l.key == "":
		return "the provider wants a key: name the variable that holds it in --fallback, as key-env=NAME"
	case l.Host.Index > 0:
		return "the provider does not accept the key that key-env names in --fallback"
	case l.key != "":
		return fmt.Sprintf("the provider does not accept the key in %s; --key-env names another variable", l.lanes.cfg.KeyEnv)
	case len(l.lanes.cfg.Lanes[0].Provider.Secrets) > 0:
		return "the provider does not accept what --header-env sends, or wants a key beside it, in the variable that --key-env names"
	case ui.IsVariableName(l.lanes.cfg.KeyEnv):
		return fmt.Sprintf("the provider wants a key: set %s, or name the variable that holds it with --key-env", l.lanes.cfg.KeyEnv)
	}
	return "the provider wants a key: name the variable that holds it with --key-env" // which names none for now
}

// gaveUp is why the run pauses when the provider has answered nothing for too long, with its last
// failure.
func (l *Lane) gaveUp(err error) error {
	if last := l.trouble.Load(); last != nil {
		err = fmt.Errorf("%w; the last failure: %w", err, last)
	}
	return ui.WithHint("the same command goes on where this one stopped", err)
}

// Exhausted is why the run pauses when the provider's quota is used up. wait is how long that
// lasts; 0 where nobody knows.
func (l *Lane) Exhausted(err *record.Error, wait time.Duration) error {
	if wait > 0 {
		return ui.WithHint("run the same command again then: it goes on where it stopped",
			fmt.Errorf("the provider's quota is used up, and comes back in %s: %w", ui.Duration(wait), err))
	}
	return ui.WithHint("top up the account or raise its limit, then run the same command again: it goes on where it stopped",
		fmt.Errorf("the provider's quota is used up: %w", err))
}

// elsewhere is the error of a run whose first answers came from something that is no API.
func (l *Lane) elsewhere(err *record.Error) error {
	hint := "is --base-url the address of an API?"
	if u, parseErr := url.Parse(l.base); parseErr == nil && u.Host != "" {
		hint = pathHint(u)
	}
	return ui.WithHint(hint, fmt.Errorf("the first %d answers of %s are no API's: %w", foreignAfter, provider.Shown(l.base), err))
}
