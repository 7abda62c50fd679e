package line

import "time"

// End says how a run ended, and holds the counts that the lines of its records do not give.
type End struct {
	Run  string // the run's id
	Time time.Time
	Exit int // the exit status as a shell shows it; see the program's help

	// Counts of records: selected; answered, now or before; failed; of the answered ones, recorded
	// before; read but never asked.
	In, OK, Failed, Skipped, Unsent int64

	Retries   int64 // attempts after the first, of all records
	Status429 int64 // responses with that HTTP status

	// Simulated is set when the line is read. For writing, the ledger supplies it.
	Simulated bool
}

// AppendEnd appends the end line of a run.
func AppendEnd(dst []byte, e *End, simulated bool) []byte {
	from := len(dst)
	dst = append(dst, endStart...)
	dst = append(dst, e.Run...)
	dst = append(dst, timeStart...)
	dst = e.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, '"')
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = appendNumber(dst, "exit", int64(e.Exit))
	dst = appendNumber(dst, "in", e.In)
	dst = appendNumber(dst, "ok", e.OK)
	dst = appendNumber(dst, "failed", e.Failed)
	dst = appendNumber(dst, "skipped", e.Skipped)
	dst = appendNumber(dst, "unsent", e.Unsent)
	dst = appendNumber(dst, "retries", e.Retries)
	dst = appendNumber(dst, "status_429", e.Status429)
	return Seal(dst, from)
}

// Decode fills e from an end line. An error is [ErrMalformed].
func (e *End) Decode(line []byte) error {
	*e = End{}
	return decode(line, func(m *field) bool {
		switch string(m.name) {
		case "run":
			return m.string(&e.Run, "")
		case "time":
			return m.time(&e.Time)
		case "simulated":
			return m.bool(&e.Simulated)
		case "exit":
			return m.count(&e.Exit)
		case "in":
			return m.integer(&e.In)
		case "ok":
			return m.integer(&e.OK)
		case "failed":
			return m.integer(&e.Failed)
		case "skipped":
			return m.integer(&e.Skipped)
		case "unsent":
			return m.integer(&e.Unsent)
		case "retries":
			return m.integer(&e.Retries)
		case "status_429":
			return m.integer(&e.Status429)
		}
		return true
	})
}
