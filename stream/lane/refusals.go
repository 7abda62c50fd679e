package lane

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// foreignAfter is how many answers that come from no API end the run, if no answer of an API came
// before them. The address then belongs to some other server.
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
	return s.count >= AlikeRefusals // records that come meanwhile must stop, too
}

// hopeless is the error of a run whose first records were all refused alike.
func (l *Lane) hopeless(q *Request) error {
	return ui.WithHint(cmp.Or(l.hint(q.reply.Err, q.Record.Model), "try one record first, with --limit 1"),
		fmt.Errorf("the first %d records were all refused for the same reason: %w", AlikeRefusals, q.reply.Err))
}

// hint says what is probably wrong with the key, the model or the address if err was the answer. It
// is empty if err says nothing about these.
func (l *Lane) hint(err *record.Error, model string) string {
	said := strings.ToLower(err.Code + " " + err.Message)
	switch {
	case err.Type == provider.TypeProxy:
		return l.Host.Client.ProxyHint(err)
	case err.Status == http.StatusUnauthorized:
		return l.keyHint()
	case err.Type == "model_permission":
		return fmt.Sprintf("the key may not use the model %q: name another with -m, or ask the owner of the key for access", naming.Short(model))
	case err.Status == http.StatusForbidden:
		return "the key is valid but may not do this: check its project and permissions"
	case err.Status >= 300 && err.Status < 400:
		return "llmpipe follows no redirects, so that no key reaches another host: give the final address with " +
			strings.TrimSuffix(l.option(), "=")
	case strings.Contains(said, "try pulling it"): // Ollama's words
		return fmt.Sprintf("fetch it with ollama pull %s; ollama list shows the names of installed models", naming.Short(model))
	case strings.Contains(said, "model") && (err.Status == http.StatusNotFound || provider.UnknownModel(err)):
		return fmt.Sprintf("the provider does not know the model %q: name another with -m", naming.Short(model))
	}
	hint := l.addressHint(err)
	if hint == "" && err.Status == http.StatusNotFound && !l.told.found.Load() && !namesObject(err) {
		hint = "the server has nothing at this address: check the host and the port"
	}
	return hint
}

// CallHint says what is probably wrong when a call about models, files or batches failed. It is
// empty if that is unknown.
func (l *Lane) CallHint(call *provider.CallError) string {
	if call.Err.Status == http.StatusNotFound { // what was asked for may not be there
		return l.addressHint(call.Err)
	}
	return l.hint(call.Err, "")
}

// Found notes that a call about files or batches was answered. So there is an API at the lane's
// address, and later calls do not fail because of that.
func (l *Lane) Found() { l.told.found.Store(true) }

// Tell prints what is probably wrong when a call failed and will be retried.
func (l *Lane) Tell(call *provider.CallError) {
	if call.Err.Type == "bad_response" {
		l.warnOnce(call.Err, "", tryingAgain)
		return
	}
	l.reportFailure(call.Err, nil)
}

// addressHint is what is probably wrong with the lane's address. It is empty if err is an answer,
// and a call has found the API before.
func (l *Lane) addressHint(err *record.Error) string {
	if err.Status != 0 && l.told.found.Load() {
		return ""
	}
	return AddressHint(l.option(), l.base, err)
}

// option is the setting that the lane's address came from.
func (l *Lane) option() string {
	switch {
	case l.Host.Index == 0:
		return "--base-url"
	case l.lanes.cfg.Lanes[l.Host.Index].Beside:
		return "--spread url="
	}
	return "--fallback url="
}

// warnOnce prints once what is probably wrong with a lane that has answered nothing yet: the failure
// and what follows from it, and then the hint.
func (l *Lane) warnOnce(err *record.Error, model, then string) {
	if hint := l.firstHint(err, model); hint != "" {
		l.lanes.flow.Voice.Warn("%s: %s%s", l.Host.Name, err.Message, then)
		l.lanes.flow.Voice.Hint("%s", hint)
	}
}

// firstHint returns what is probably wrong with a lane that has answered nothing yet. It is empty
// if that is unknown or was said before.
func (l *Lane) firstHint(err *record.Error, model string) string {
	if l.proven() {
		return ""
	}
	hint := l.hint(err, model)
	if hint == "" || !l.told.hinted.CompareAndSwap(false, true) {
		return ""
	}
	return hint
}

// HintAtRefusals prints what is probably wrong at the end of a run without any answer, if too few
// records were refused to end it early.
func (l *Lanes) HintAtRefusals() {
	s := &l.refusals
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && s.count > 0 && s.count < AlikeRefusals {
		if hint := l.Primary().firstHint(&s.first, l.cfg.Model); hint != "" {
			l.flow.Voice.Hint("%s", hint)
		}
	}
}

// fatal is the error of a reply that no other record can change.
func (l *Lane) fatal(q *Request) error {
	err := error(q.reply.Err)
	switch {
	case q.reply.Err.Type == "tls":
		err = fmt.Errorf("connecting to %s: %w", provider.Shown(l.base), err)
	case q.reply.Status >= 300 && q.reply.Status < 400:
		err = fmt.Errorf("%s redirects to %s", provider.Shown(l.base), provider.Shown(q.reply.Header.Get("Location")))
	}
	if hint := l.hint(q.reply.Err, q.Record.Model); hint != "" {
		return ui.WithHint(hint, err)
	}
	return err
}

// keyHint says what to do about a provider that does not accept the key.
func (l *Lane) keyHint() string {
	switch {
	case l.lanes.cfg.Lanes[l.Host.Index].Provider.KeyCommand != "":
		return "the provider does not accept the keys that the --key-cmd command prints (two in a row): are they for this provider?"
	case l.Host.Index > 0 && l.key == "":
		return "the provider wants a key: name the variable that holds it in --fallback, as key-env=NAME"
	case l.Host.Index > 0:
		return "the provider does not accept the key in the variable that key-env names in --fallback: check it"
	case l.key != "":
		return fmt.Sprintf("the provider does not accept the key in %s: check it, or name another variable with --key-env", l.lanes.cfg.KeyEnv)
	case len(l.lanes.cfg.Lanes[0].Provider.Secrets) > 0:
		return "the provider does not accept what --header-env sends, or also wants a key: name its variable with --key-env"
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
	return ui.WithHint("run the same command again: it continues where it stopped", err)
}

// Exhausted is why the run pauses when the provider's quota is used up. wait is how long that
// lasts; 0 if unknown.
func (l *Lane) Exhausted(err *record.Error, wait time.Duration) error {
	if wait > 0 {
		return ui.WithHint("run the same command again then: it continues where it stopped",
			fmt.Errorf("the provider's quota is used up, and resets in %s: %w", ui.Duration(wait), err))
	}
	return ui.WithHint("top up the account or raise its limit, then run the same command again: it continues where it stopped",
		fmt.Errorf("the provider's quota is used up: %w", err))
}

// elsewhere is the error of a run whose first answers did not come from an API.
func (l *Lane) elsewhere(err *record.Error) error {
	return ui.WithHint(cmp.Or(l.addressHint(err), "check that "+strings.TrimSuffix(l.option(), "=")+" is the address of an API"),
		fmt.Errorf("the first %d answers from %s do not come from an API: %w", foreignAfter, provider.Shown(l.base), err))
}
