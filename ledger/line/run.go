package line

import (
	"strconv"
	"time"
)

// RunInfo describes a run. The run line that holds it stands before the run's first record, and
// anyone who reads the ledger sees it, so it must hold no secret.
type RunInfo struct {
	ID       string // unique to the run; also part of the name of the file that a torn tail is saved in
	Time     time.Time
	Version  string // of the program
	Endpoint string
	Model    string
	Provider string
	Mode     string // realtime, batch or hybrid; empty in lines of earlier versions
	// BudgetNanos is the most that everything in the ledger may cost, DailyNanos the most since 00:00
	// UTC, in billionths of a US dollar; 0 for no such bound.
	BudgetNanos, DailyNanos int64

	// Simulated is set when the line is read. For writing, the ledger supplies it.
	Simulated bool
}

// AppendRun appends the line of a run.
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
	dst = appendAmount(dst, "budget_usd", run.BudgetNanos)
	dst = appendAmount(dst, "budget_per_day_usd", run.DailyNanos)
	return Seal(dst, from)
}

// Decode fills run from a run line. An error is [ErrMalformed].
func (run *RunInfo) Decode(line []byte) error {
	*run = RunInfo{}
	return decode(line, func(m *field) bool {
		switch string(m.name) {
		case "time":
			return m.time(&run.Time)
		case "run":
			return m.string(&run.ID, "")
		case "version":
			return m.string(&run.Version, "")
		case "endpoint":
			return m.string(&run.Endpoint, "")
		case "model":
			return m.string(&run.Model, "")
		case "provider":
			return m.string(&run.Provider, "")
		case "mode":
			return m.string(&run.Mode, "")
		case "budget_usd":
			return m.cost(&run.BudgetNanos, new(bool))
		case "budget_per_day_usd":
			return m.cost(&run.DailyNanos, new(bool))
		case "simulated":
			return m.bool(&run.Simulated)
		}
		return true
	})
}
