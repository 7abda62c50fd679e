package spend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Bounds on alerts: one that hangs must not hold up the run.
const (
	alertTimeout = 10 * time.Second
	alertsAtEnd  = 5 * time.Second // how long the end of a run waits for alerts under way
)

// alert is what --alert gets. Slack and similar services show its text member.
type alert struct {
	Text   string         `json:"text"`
	Colour string         `json:"colour"`
	Done   int64          `json:"done"`                    // records answered
	Left   *int64         `json:"left"`                    // records to go, if the input's size tells
	Spent  price.Dollars  `json:"spent_usd"`               // everything in the ledger
	Budget price.Dollars  `json:"budget_usd"`              //
	Made   price.Dollars  `json:"simulated_usd,omitempty"` // the part of Spent that the simulated provider made up
	Finish *price.Dollars `json:"to_finish_usd"`           // cost of the records to go, at this run's mean
	Ledger string         `json:"ledger,omitempty"`        //
	From   int64          `json:"downgraded,omitempty"`    // line from which records go to the cheaper model
}

// alerts tells an address or a command what happens to the budget.
type alerts struct {
	target string
	voice  *ui.Voice
	sent   sync.WaitGroup
}

func newAlerts(voice *ui.Voice, target string) *alerts { return &alerts{target: target, voice: voice} }

// CheckAlert checks the target of alerts before the run starts. Its error does not show the
// address, which is often a secret.
func CheckAlert(target string) error {
	command, isCommand := strings.CutPrefix(target, "exec:")
	u, err := url.Parse(target)
	switch {
	case target == "":
	case isCommand && strings.TrimSpace(command) == "":
		return ui.WithHint("name a command, such as --alert 'exec:mail -s budget me'", errors.New("--alert exec: names no command"))
	case !isCommand && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""):
		return ui.WithHint("write a command as exec:CMD", errors.New("--alert is not a URL that begins with http:// or https://"))
	}
	return nil
}

// send sends a without waiting. A failure is only a warning.
func (s *alerts) send(a alert) {
	if s.target == "" {
		return
	}
	body, err := json.Marshal(a)
	if err != nil {
		s.voice.Warn("--alert: %v", err)
		return
	}
	s.sent.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), alertTimeout)
		defer cancel()
		if err := s.deliver(ctx, body); err != nil {
			s.voice.Warn("--alert: %v", err)
		}
	})
}

func (s *alerts) deliver(ctx context.Context, body []byte) error {
	command, ok := strings.CutPrefix(s.target, "exec:")
	if !ok {
		return provider.PostAlert(ctx, s.target, body)
	}
	cmd := flow.ShellCommand(ctx, command)
	cmd.Stdin = bytes.NewReader(append(body, '\n'))
	cmd.WaitDelay = time.Second
	return cmd.Run()
}

// wait gives alerts under way a moment to arrive, unless the run must end at once.
func (s *alerts) wait(atOnce <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.sent.Wait()
	}()
	select {
	case <-done:
	case <-atOnce:
	case <-time.After(alertsAtEnd):
	}
}

// AwaitAlerts gives alerts under way a moment to arrive, unless the run must end at once.
func (a *Account) AwaitAlerts(atOnce <-chan struct{}) { a.alerts.wait(atOnce) }

// status is the alert of this moment.
func (a *Account) status(text string, colour limiter.Colour) alert {
	billed := a.billed.Load()
	told := alert{
		Text: "llmpipe: " + text, Colour: colour.String(),
		Done:  max(a.flow.Counts.OK.Load(), a.flow.Counts.Skipped.Load()+billed), // with those that wait for the commit, as in Spent
		Spent: price.Dollars(a.total.Spent()), Budget: price.Dollars(a.total.Limit()), Ledger: a.cfg.Ledger,
	}
	told.From, told.Made = a.downgradedAt(), price.Dollars(a.simulatedOf(a.total.Spent()))
	if total, ok := a.expected(); ok && billed > 0 {
		left := max(total-told.Done-a.flow.Counts.Failed.Load(), 0)
		finish := price.Dollars(float64(a.spent.Load()) / float64(billed) * float64(left))
		told.Left, told.Finish = &left, &finish
	}
	return told
}
