package line

import "time"

// End says how a run ended, and what it counted that the lines of its records do not tell.
type End struct {
	Run  string // the run's id
	Time time.Time
	Exit int // the status that the process exits with, as a shell shows it; see the program's help

	// Records: selected, answered by now or before, failed, of those answered recorded before, and
	// read but never asked.
	In, OK, Failed, Skipped, Unsent int64

	Retries   int64 // attempts after the first, of all records
	Status429 int64 // answers with that status

	// Simulated is set where the line is read. Where it is written the ledger knows.
	Simulated bool
}

// AppendEnd writes the end of a run down.
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

// Decode fills in what an end's line says. What it cannot make sense of is [ErrMalformed].
func (e *End) Decode(line []byte) error {
	var m fields
	m.start(line)
	*e = End{}
	for {
		more, err := m.next()
		if err != nil || !more {
			return err
		}
		ok := true
		switch string(m.name) {
		case "run":
			ok = m.string(&e.Run, "")
		case "time":
			ok = m.time(&e.Time)
		case "simulated":
			ok = m.bool(&e.Simulated)
		case "exit":
			ok = m.count(&e.Exit)
		case "in":
			ok = m.integer(&e.In)
		case "ok":
			ok = m.integer(&e.OK)
		case "failed":
			ok = m.integer(&e.Failed)
		case "skipped":
			ok = m.integer(&e.Skipped)
		case "unsent":
			ok = m.integer(&e.Unsent)
		case "retries":
			ok = m.integer(&e.Retries)
		case "status_429":
			ok = m.integer(&e.Status429)
		}
		if !ok {
			return ErrMalformed
		}
	}
}
