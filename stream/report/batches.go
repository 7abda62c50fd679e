package report

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/stream/batch"
	"llmpipe/stream/journal"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// BatchesConfig names the ledger whose batches are meant, and the provider that is asked about
// them.
type BatchesConfig struct {
	Ledger   string
	Provider provider.Config
	Version  string
	Voice    *ui.Voice
}

// batchLine is a line of the list of batches.
type batchLine struct {
	Shard       string         `json:"shard"`
	Batch       string         `json:"batch,omitempty"` // empty before it is created
	State       string         `json:"state"`           // the provider's state, or llmpipe's last step
	Ended       bool           `json:"ended"`
	Pending     bool           `json:"pending"` // not collected yet
	Requests    int64          `json:"requests"`
	Answered    int64          `json:"answered"`
	Failed      int64          `json:"failed"`
	Model       string         `json:"model"`
	Provider    string         `json:"provider"`
	Started     time.Time      `json:"started"`
	AgeS        int64          `json:"age_s"`
	Cost        *price.Dollars `json:"cost_usd"`                    // what it has cost, once collected; null if that is not known
	Reserved    price.Dollars  `json:"reserved_usd,omitempty"`      // the most that it may still cost, if a price is known
	MayHaveCost price.Dollars  `json:"may_have_cost_usd,omitempty"` // the most that it can have cost, if it was given up
	Simulated   bool           `json:"simulated,omitempty"`         // not billed
	Trouble     string         `json:"trouble,omitempty"`           // why the provider's state is not known

	endpoint record.Endpoint
	failure  error // the error that Trouble describes
}

// ListBatches writes the batches in the ledger. It asks the provider about the progress of those
// that are not collected.
func ListBatches(ctx context.Context, w io.Writer, c BatchesConfig, asJSON bool) error {
	all, err := ledger.ScanShards(c.Ledger, warnings(c.Voice))
	if err != nil {
		return readHint(c.Ledger, err)
	}
	client, err := provider.New(c.Provider)
	if err != nil {
		return err
	}
	defer client.Close()
	client.Probe(ctx) // a simulator tells which provider's dialect it speaks
	at := batchapi.Meet(ctx, client)
	now := time.Now()
	lines := make([]batchLine, 0, len(all))
	for i := range all {
		l := describe(&all[i], now)
		l.Simulated = l.Simulated || l.Provider == client.Name() && client.Rehearses()
		if l.Pending && l.Batch != "" && l.Provider == client.Name() {
			l.update(ctx, at)
		}
		lines = append(lines, l)
	}
	defer c.tellHint(lines)
	if !asJSON {
		return writeBatches(w, c.Ledger, lines)
	}
	out, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("batches: %w", err)
	}
	_, err = w.Write(append(out, '\n'))
	return err
}

// tellHint gives one hint about what is probably wrong if the provider could not be asked.
func (c *BatchesConfig) tellHint(lines []batchLine) {
	for _, l := range lines {
		if hint := c.hint(l.failure); hint != "" {
			c.Voice.Hint("%s", hint)
			return
		}
	}
}

// hint returns what is probably wrong with the address or the key that led to err. It is empty if
// that cannot be told.
func (c *BatchesConfig) hint(err error) string {
	call := provider.AsCallError(err)
	switch {
	case call == nil:
		return ""
	case call.Err.Status == http.StatusUnauthorized:
		return "the provider does not accept the key: name the variable that holds another with --key-env"
	}
	return lane.AddressHint("--base-url", c.Provider.BaseURL, call.Err)
}

// describe returns what the ledger knows about a shard.
func describe(s *ledger.Shard, now time.Time) batchLine {
	started := cmp.Or(s.Started, s.Stepped) // if a damaged line held the intent, at least the last step is known
	l := batchLine{
		Shard: s.ID, Batch: s.BatchID, State: s.Step.String(), Ended: !s.Pending(), Pending: s.Pending(), Requests: int64(s.Records),
		Answered: s.Answered, Failed: s.Failed, Model: s.Model, Provider: s.Provider, Started: started,
		AgeS: int64(now.Sub(started).Seconds()), Simulated: s.Simulated, endpoint: endpointOf(s),
	}
	if !l.Pending {
		l.State = s.State
		if s.CostKnown {
			cost := price.Dollars(s.CostNanos)
			l.Cost = &cost
		}
		l.MayHaveCost = price.Dollars(s.MayCost)
	} else {
		l.Reserved = price.Dollars(s.ReservedNanos)
	}
	return l
}

// endpointOf returns the endpoint of a shard's requests, which decides how to ask about its batch.
// It returns chat for an endpoint that only a later version knows.
func endpointOf(s *ledger.Shard) record.Endpoint {
	endpoint, _ := record.ParseEndpoint(s.Endpoint)
	return endpoint
}

// update asks the provider about the batch's progress.
func (l *batchLine) update(ctx context.Context, at *batchapi.Provider) {
	state, err := at.Driver(l.endpoint).Batch(ctx, l.Batch)
	if err != nil {
		l.Trouble, l.failure = err.Error(), err
		return
	}
	l.State, l.Ended, l.Answered, l.Failed = state.Status, state.Ended(), state.Completed, state.Failed
}

func writeBatches(w io.Writer, path string, lines []batchLine) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintf(w, "ledger %s has no batches\n", path)
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "BATCH\tSTATE\tANSWERED\tFAILED\tREQUESTS\tAGE\tCOST\tMODEL")
	for _, l := range lines {
		id, state, cost := l.Batch, l.State, ui.Amount(l.Cost)
		if id == "" {
			id = l.Shard
		}
		switch {
		case l.Pending && l.Ended:
			state += ", to be collected"
		case l.Trouble != "":
			state += "?"
		}
		switch {
		case l.Pending && l.Reserved > 0:
			cost = "at most " + ui.USD(int64(l.Reserved))
		case l.Pending:
			cost = "-"
		case l.MayHaveCost > 0:
			cost = "at most " + ui.USD(int64(l.MayHaveCost))
		}
		cost += ui.Simulated(l.Simulated)
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\n",
			ui.Printable(id), ui.Printable(state), l.Answered, l.Failed, l.Requests,
			ui.Duration(time.Duration(l.AgeS)*time.Second), cost, ui.Printable(l.Model))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, l := range lines {
		if l.Trouble != "" {
			if _, err := fmt.Fprintf(w, "? %s: %s\n", ui.Printable(l.Batch), ui.Printable(l.Trouble)); err != nil {
				return err
			}
		}
	}
	return nil
}

// CancelBatches asks the provider to end batches early: those with the ids, or all that are not
// collected if there are no ids. Answers that exist by then are paid for, and the next run collects
// them.
func CancelBatches(ctx context.Context, c BatchesConfig, ids []string) error {
	client, err := provider.New(c.Provider)
	if err != nil {
		return err
	}
	defer client.Close()
	client.Probe(ctx) // a simulator tells which provider's dialect it speaks
	at := batchapi.Meet(ctx, client)
	all, err := pendingShards(c.Ledger, ids)
	if err != nil {
		return err
	}
	for _, s := range all {
		elsewhere := s.Provider != client.Name() && s.Provider != ""
		switch {
		case s.BatchID == "":
			c.Voice.Note("shard %s has no batch yet: nothing to cancel", s.ID)
		case elsewhere && len(ids) == 0:
			c.Voice.Note("batch %s is at %s: name that provider with --base-url", s.BatchID, s.Provider)
		case elsewhere:
			err = errors.Join(err, ui.WithHint("name that provider with --base-url",
				fmt.Errorf("batch %s is at %s, not at %s", s.BatchID, s.Provider, client.Name())))
		default:
			err = errors.Join(err, c.cancel(ctx, at, &s))
		}
	}
	return err
}

// cancel ends one batch. A batch that has ended already is not an error.
func (c *BatchesConfig) cancel(ctx context.Context, at *batchapi.Provider, s *ledger.Shard) error {
	driver := at.Driver(endpointOf(s))
	state, err := driver.Cancel(ctx, s.BatchID)
	if call := provider.AsCallError(err); call != nil {
		ended := call.Err.Status == http.StatusConflict
		if call.Err.Status == http.StatusBadRequest { // other providers' status for the same
			now, lookErr := driver.Batch(ctx, s.BatchID)
			ended = lookErr == nil && now.Ended()
		}
		if ended {
			c.Voice.Note("batch %s has ended already: the next run with --mode batch collects it", s.BatchID)
			return nil
		}
	}
	if err != nil {
		if hint := c.hint(err); hint != "" {
			err = ui.WithHint(hint, err)
		}
		return err
	}
	c.Voice.Note("batch %s: %s; %d of %d answered: the next run with --mode batch collects those", s.BatchID, state.Status, state.Completed,
		s.Records)
	return nil
}

// ForgetBatches gives batches up: they are never collected, and their records are asked again.
func ForgetBatches(c BatchesConfig, ids []string) (err error) {
	if len(ids) == 0 {
		return ui.Usage(errors.New("batches forget: name the batches to give up"))
	}
	all, err := pendingShards(c.Ledger, ids)
	if err != nil {
		return err
	}
	l, err := ledger.Open(c.Ledger, ledger.Options{
		Simulated: len(all) > 0 && all[0].Simulated, Warn: warnings(c.Voice),
		Run: ledger.RunInfo{ID: "forget", Time: time.Now(), Version: c.Version},
	})
	if err != nil {
		return journal.Hint(err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, s := range all {
		if err := forget(l, c.Ledger, &s); err != nil {
			return err
		}
		if s.Records == 0 {
			c.Voice.Note("batch %s is given up", batch.ShardTitle(&s))
			continue
		}
		c.Voice.Note("batch %s is given up: its %s will be sent again, and its answers are not used", batch.ShardTitle(&s),
			ui.Number(int64(s.Records), "record"))
		if kept := mayCost(&s); kept > 0 {
			c.Voice.Note("up to %s counts as spent on it, because its cost will never be known", ui.USD(kept)+ui.Simulated(s.Simulated))
		}
	}
	return nil
}

// forget records that a shard is not to be collected, unless another process is waiting for it.
func forget(l *ledger.Ledger, path string, s *ledger.Shard) (err error) {
	lock, err := ledger.LockShard(path, s.ID, nil)
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("batch %s: another process is waiting for it", batch.ShardTitle(s))
	}
	defer func() { err = errors.Join(err, lock.Release(err == nil)) }()
	return l.Commit(&ledger.Group{Shards: []ledger.ShardEntry{{
		Step: ledger.ShardCollected, Shard: s.ID, Time: time.Now(), State: stateForgotten, Missing: int64(s.Records),
		CostKnown: s.Step == ledger.ShardIntent, MayCostNanos: mayCost(s),
	}}})
}

// mayCost returns the most that a shard can have cost so far. It is 0 if its batch was not created
// yet.
func mayCost(s *ledger.Shard) int64 {
	if s.Step == ledger.ShardIntent {
		return 0
	}
	return s.ReservedNanos
}

// stateForgotten is the state, in the ledger, of a batch that was given up.
const stateForgotten = "forgotten"

// pendingShards returns the shards that are not collected: those with the ids, which may be
// batches' or shards', or all of them if there are no ids.
func pendingShards(path string, ids []string) ([]ledger.Shard, error) {
	all, err := ledger.ScanShards(path, nil)
	if err != nil {
		return nil, journal.Hint(err)
	}
	var pending []ledger.Shard
	for _, s := range all {
		if s.Pending() {
			pending = append(pending, s)
		}
	}
	if len(ids) == 0 {
		return pending, nil
	}
	var named []ledger.Shard
	for _, id := range ids {
		at := slices.IndexFunc(pending, func(s ledger.Shard) bool { return s.ID == id || s.BatchID == id })
		if at < 0 {
			return nil, ui.WithHint("llmpipe batches lists them", fmt.Errorf("ledger %s: no batch %s is waiting to be collected", path, id))
		}
		named = append(named, pending[at])
	}
	return named, nil
}
