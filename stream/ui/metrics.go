package ui

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"
)

// metricsEvery is how often the file of --metrics is written: scrapers mostly come every 15 s or
// less often.
const metricsEvery = 5 * time.Second

// KeepMetrics writes the status to a file in the text format of Prometheus, every few seconds. The
// function that it returns writes it once more, and ends this. Each time it writes a new file
// beside the old one and renames it, so that a reader always finds a complete file. Other users may
// read the file. An error means that the first write failed; a later error is printed once. If name
// is empty, KeepMetrics does nothing.
func KeepMetrics(v *Voice, name string, status func() *Status) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() { // a link is refused too: it would be replaced
		return nil, WithHint("name a regular file: it is rewritten every few seconds",
			fmt.Errorf("--metrics: %s is not a regular file", name))
	}
	var text []byte
	write := func(running bool) error {
		text = status().appendMetrics(text[:0], running)
		return replace(name, text)
	}
	if err := write(true); err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	told := false
	tell := func(err error) {
		if err != nil && !told {
			told = true
			v.Warn("--metrics: %v; trying again", err)
		}
	}
	return every(metricsEvery, func() { tell(write(true)) }, func() { tell(write(false)) }), nil
}

// replace replaces a file with a new one that holds text.
func replace(name string, text []byte) error {
	beside := name + "." + rand.Text() + ".tmp" // not .prom, which the collector would read
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(beside, name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(beside))
	}
	return err
}

// appendMetrics appends s in the text format of Prometheus, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats): a family is its HELP, its TYPE and its
// samples. Times are in seconds, as is usual there, and amounts in US dollars.
func (s *Status) appendMetrics(dst []byte, running bool) []byte {
	family := func(name, kind, help string) {
		dst = fmt.Appendf(dst, "# HELP llmpipe_%s %s\n# TYPE llmpipe_%s %s\n", name, help, name, kind)
	}
	sample := func(name, labels string, value any) { dst = fmt.Appendf(dst, "llmpipe_%s%s %v\n", name, labels, value) }
	one := func(name, kind, help string, value any) {
		family(name, kind, help)
		sample(name, "", value)
	}
	one("records_read_total", "counter", "Records read from the inputs and selected.", s.In)
	family("records_total", "counter", "Records by outcome.")
	sample("records_total", `{outcome="ok"}`, s.OK)
	sample("records_total", `{outcome="failed"}`, s.Failed)
	one("records_recalled_total", "counter", "Records that are ok because their answer was already recorded.", s.Skipped)
	one("records_flagged_total", "counter",
		"Records that are ok, but whose answer is cut off, withheld, empty or ended for an unknown reason.", s.Flagged)
	one("retries_total", "counter", "Attempts after a record's first.", s.Retries)
	one("schema_reasks_total", "counter", "Further answers asked for because one did not fit the schema.", s.Reasked)
	one("schema_failures_total", "counter", "Records that failed because no answer fit the schema.", s.misfits())
	one("responses_429_total", "counter", "Responses with HTTP status 429.", s.Status429)
	family("tokens_total", "counter", "Tokens of new answers.")
	sample("tokens_total", `{kind="prompt"}`, s.PromptTokens)
	sample("tokens_total", `{kind="completion"}`, s.CompletionTokens)
	if s.CostUSD != nil {
		one("cost_dollars_total", "counter", "What this run's answers cost, in US dollars; missing if a price is not known.", *s.CostUSD)
	}
	if s.Rehearsal || s.Simulated > 0 {
		one("simulated_records_total", "counter", "Records that are ok with an answer from the simulated provider.", s.Simulated)
		one("simulated_dollars_total", "counter", "The simulated part of cost_dollars_total, in US dollars.", s.SimulatedUSD)
	}
	one("spent_dollars", "gauge", "What counts against the budget, in US dollars; without a budget, what this run spent.", s.Spent)
	if s.Budget > 0 {
		one("budget_dollars", "gauge", "The budget, in US dollars.", s.Budget)
	}
	if s.Total > 0 {
		one("records_expected", "gauge", "Records in the inputs, an estimate until all are read.", s.Total)
	}
	one("requests_in_flight", "gauge", "Requests that are waiting for an answer.", s.InFlight)
	one("requests_allowed", "gauge", "Requests that may be in flight.", s.Allowed)
	one("records_sleeping", "gauge", "Records that are waiting to be sent again.", s.Sleeping)
	one("elapsed_seconds", "gauge", "How long the run has taken.", s.ElapsedS)
	on := 0
	if running {
		on = 1
	}
	one("running", "gauge", "1 while the run is under way, 0 when it has ended.", on)
	return dst
}
