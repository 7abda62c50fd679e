package line

import (
	"strconv"
	"time"
)

// RunInfo says what a run is. It becomes the run line that stands before a run's first record, for
// whoever reads the ledger later, so it must hold no secret.
type RunInfo struct {
	ID       string // unique to the run; also names the file that a torn tail is saved in
	Time     time.Time
	Version  string // of the program
	Endpoint string
	Model    string
	Provider string
	Mode     string // realtime, batch or hybrid; empty in lines of earlier versions
	// BudgetNanos is the most that everything in the ledger may cost, DailyNanos the most since 00:00
	// UTC, in billionths of a US dollar; 0 for no such bound.
	BudgetNanos, DailyNanos int64

	// Simulated is set where the line is read. Where it is written the ledger knows.
	Simulated bool
}

// AppendRun writes a run down.
func AppendRun(dst []byte, run *RunInfo, simulated bool) []byte {
	from := len(dst)
	dst = append(dst, runStart...)
	dst = strconv.AppendInt(dst, FormatVersion, 10)
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = append(dst, `,"time":"`...)
	dst = run.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, '"')
	dst = appendText(dst, "run", run.ID)
	dst = appendText(dst, "version", run.Version)
	dst = appendText(dst, "endpoint", run.Endpoint)
	dst = appendText(dst, "model", run.Model)
	dst = appendText(dst, "provider", run.Provider)
	dst = appendText(dst, "mode", run.Mode)
	if run.BudgetNanos > 0 {
		dst = appendCost(append(dst, `,"budget_usd":`...), run.BudgetNanos, true)
	}
	if run.DailyNanos > 0 {
		dst = appendCost(append(dst, `,"budget_per_day_usd":`...), run.DailyNanos, true)
	}
	return Seal(dst, from)
}

// Decode fills in what a run's line says. What it cannot make sense of is [ErrMalformed].
func (run *RunInfo) Decode(line []byte) error {
	var m fields
	m.start(line)
	*run = RunInfo{}
	for {
		more, err := m.next()
		if err != nil || !more {
			return err
		}
		ok := true
		switch string(m.name) {
		case "time":
			ok = m.time(&run.Time)
		case "run":
			ok = m.string(&run.ID, "")
		case "version":
			ok = m.string(&run.Version, "")
		case "endpoint":
			ok = m.string(&run.Endpoint, "")
		case "model":
			ok = m.string(&run.Model, "")
		case "provider":
			ok = m.string(&run.Provider, "")
		case "mode":
			ok = m.string(&run.Mode, "")
		case "budget_usd":
			ok = m.cost(&run.BudgetNanos, new(bool))
		case "budget_per_day_usd":
			ok = m.cost(&run.DailyNanos, new(bool))
		case "simulated":
			ok = m.bool(&run.Simulated)
		}
		if !ok {
			return ErrMalformed
		}
	}
}
