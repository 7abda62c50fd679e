package line

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Share is what a run has seen of the money of a job, which it shares with other ledgers: enough to
// tell the server again after it lost everything.
type Share struct {
	Job string // its name
	Moment
	Time time.Time
	Runs []SharedRun // those with news; what an earlier line says of other runs still holds
	Gone []string    // ids of runs that are no longer part of the job
}

// Moment is how far a job's server was.
type Moment struct {
	Epoch   string // the server's name for the time since it last lost anything
	Version int64  // a number that rises with what it knows; 0 in lines of earlier versions
}

// SharedRun is what a job knows of one of its runs. Amounts are in billionths of a US dollar.
type SharedRun struct {
	Run, Ledger string   // the ids of the run, and of its ledger
	Day         int64    // the day of Today, in days since 1970
	Total       MaySpend // of the ledger, in total
	Today       MaySpend // of the ledger, on that day
}

// MaySpend is what was spent, and the most that it can be before the job hears of it again; Most is
// never less than Spent.
type MaySpend struct{ Spent, Most int64 }

const shareStart = lineStart + string(KindShare) + `","job":`

// AppendShare appends the line of what was seen of a job.
func AppendShare(dst []byte, s *Share) ([]byte, error) {
	from := len(dst)
	dst = append(dst, shareStart...)
	dst, _ = jsontext.AppendQuote(dst, s.Job) // as in appendText
	dst = appendText(dst, "epoch", s.Epoch)
	dst = appendNumber(dst, "version", s.Version)
	dst = append(dst, timeStart[1:]...)
	dst = s.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, `","runs":[`...)
	for i := range s.Runs {
		r := &s.Runs[i]
		if !ValidRunID(r.Run) || !ValidRunID(r.Ledger) {
			return dst[:from], fmt.Errorf("%w: run %q of ledger %q: these are not valid ids", ErrUnwritable, r.Run, r.Ledger)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"run":"`...), r.Run...)
		dst = append(append(dst, `","ledger":"`...), r.Ledger...)
		dst = append(dst, '"')
		dst = appendNumber(dst, "day", r.Day)
		for _, m := range r.amounts() {
			dst = appendAmount(dst, m.name, *m.nanos)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if len(s.Gone) > 0 {
		dst = append(dst, `,"gone":[`...)
		for i, run := range s.Gone {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, _ = jsontext.AppendQuote(dst, run)
		}
		dst = append(dst, ']')
	}
	return Seal(dst, from), nil
}

// amounts returns the members that hold money.
func (r *SharedRun) amounts() [4]amount {
	return [4]amount{
		{"spent_usd", &r.Total.Spent}, {"most_usd", &r.Total.Most}, {"today_spent_usd", &r.Today.Spent}, {"today_most_usd", &r.Today.Most},
	}
}

type amount struct {
	name  string
	nanos *int64
}

// Decode fills s from a share line.
func (s *Share) Decode(line []byte) error {
	*s = Share{}
	return decode(line, func(m *field) bool {
		switch string(m.name) {
		case "job":
			return m.string(&s.Job, "")
		case "epoch":
			return m.string(&s.Epoch, "")
		case "version":
			return m.integer(&s.Version)
		case "time":
			return m.time(&s.Time)
		case "runs":
			return m.each(func(object []byte) bool {
				var r SharedRun
				ok := r.read(object)
				s.Runs = append(s.Runs, r)
				return ok
			})
		case "gone":
			return m.each(func(text []byte) bool {
				run, one := "", field{value: text}
				ok := one.string(&run, "")
				s.Gone = append(s.Gone, run)
				return ok
			})
		}
		return true
	})
}

func (r *SharedRun) read(object []byte) bool {
	err := decodeObject(object, func(f *field) bool {
		switch string(f.name) {
		case "run":
			return f.string(&r.Run, "")
		case "ledger":
			return f.string(&r.Ledger, "")
		case "day":
			return f.integer(&r.Day)
		}
		for _, m := range r.amounts() {
			if m.name == string(f.name) {
				known := false
				return f.cost(m.nanos, &known) && known
			}
		}
		return true
	})
	return err == nil && ValidRunID(r.Run) && ValidRunID(r.Ledger)
}
