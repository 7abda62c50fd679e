package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/index"
)

// Records is the outcome of the records. Each counts once, by its last outcome, however often it
// was asked. A record is a request under an id, as everywhere in a ledger. A failure counts until
// its record has another outcome, or until another request under its id has one: nobody asks the
// failed request again after that.
type Records struct {
	Total    int64 `json:"total"` // Answered and Failed
	Answered int64 `json:"answered"`
	Later    int64 `json:"answered_later"` // of Answered: after an earlier try had failed
	Failed   int64 `json:"failed"`         // without an answer so far
	IDs      int64 `json:"ids"`            // of all these records; fewer where some were asked under several requests

	// Of Answered:
	Flagged    []FlagCount `json:"flagged"`      // cut, withheld, empty, or of unknown end; most first
	Same       int64       `json:"same_as"`      // with the answer to another record's equal request
	Attached   int64       `json:"attachments"`  // with files in the request
	Downgraded int64       `json:"downgraded"`   // by a cheaper model than the one asked for
	Batch      int64       `json:"batch"`        // through a batch
	Partial    int64       `json:"cost_partial"` // billed for more than cost_usd has
}

// FlagCount is how many answers have a flag.
type FlagCount struct {
	Flag  string `json:"flag"`
	Count int64  `json:"count"`
}

// OpenFailure is a record without an answer.
type OpenFailure struct {
	ID       string    `json:"id"` // as in the record, without the quotes of a string
	Time     time.Time `json:"time"`
	Model    string    `json:"model"`
	Provider string    `json:"provider,omitempty"`
	Type     string    `json:"type"`
	Code     string    `json:"code,omitempty"`
	Status   int       `json:"status,omitempty"`
	Message  string    `json:"message,omitempty"` // its first maxMessage bytes
}

type outcome uint8

const (
	superseded outcome = iota // a failure whose id was asked under another request since
	failed
	answered
)

// traits are properties that answers may share.
type traits struct{ later, same, attached, downgraded, batch, partial bool }

// ending is the outcome that some records share, so that each record needs only its number.
type ending struct {
	outcome         outcome
	model, provider string
	kind            errorKind // of a failure
	misfit          string    // of a failure: where the answer does not fit its schema
	turn            bool      // of such an answer: no line says that its record has failed
	flag            string    // of an answer
	traits          traits
}

// errorKind is what failures share that are counted as one.
type errorKind struct {
	class, code string
	status      int
}

// records counts records by how they ended.
type records struct {
	notes   index.Notes // numbers of endings
	endings []ending    // by their numbers; the first is that of what is superseded
	counts  []int64
	numbers map[ending]uint64
	last    uint64 // the number that was looked up last
	ids     int64
	open    openFailures
}

func newRecords() *records {
	r := &records{numbers: make(map[ending]uint64), endings: make([]ending, 1), counts: make([]int64, 1)}
	r.number(ending{outcome: superseded})
	return r
}

// number returns the number of an ending, from 1.
func (r *records) number(e ending) uint64 {
	if r.endings[r.last] == e && r.last > 0 {
		return r.last
	}
	n, known := r.numbers[e]
	if !known {
		n = uint64(len(r.endings))
		r.numbers[e] = n
		r.endings, r.counts = append(r.endings, e), append(r.counts, 0)
	}
	r.last = n
	return n
}

// gone is the number of superseded failures.
const gone = 1

// end notes the last outcome of a record, for now.
func (r *records) end(k ledger.Key, e ending) {
	before, others := r.notes.Of(k)
	was := &r.endings[before]
	if e.outcome == failed && was.outcome == answered {
		return // it has an answer, which the next run recalls
	}
	e.traits.later = was.traits.later || before > 0 && was.outcome != answered && !was.turn
	if before == 0 && !others {
		r.ids++
	}
	if others {
		r.notes.EachOther(k, func(note uint64) uint64 {
			if r.endings[note].outcome != failed {
				return note
			}
			e.traits.later = true
			r.counts[note]--
			r.counts[gone]++
			return gone
		})
	}
	if e.outcome == answered && e.traits.later {
		delete(r.open.byKey, k)
	}
	r.counts[before]--
	n := r.number(e)
	r.counts[n]++
	r.notes.Set(k, n)
}

// misfits notes that a record is to be asked again because its recorded answer no longer fits its
// schema.
func (r *records) misfits(k ledger.Key) {
	if before, _ := r.notes.Of(k); r.endings[before].outcome == answered {
		r.counts[before]--
		r.counts[gone]++
		r.notes.Set(k, gone)
	}
}

// total is how many there are.
func (r *records) total() (n int64) {
	for _, count := range r.counts[gone+1:] {
		n += count
	}
	return n
}

// sum adds up the outcomes of the records: by rows, by kinds of failure, and by the places where
// answers did not fit.
func (r *records) sum(t *tally) Records {
	s := Records{IDs: r.ids, Flagged: []FlagCount{}}
	flags := map[string]int64{}
	for i := range r.endings {
		e, n := &r.endings[i], r.counts[i]
		if n == 0 || i <= gone {
			continue
		}
		for _, row := range t.sums.rows(e.model, e.provider) {
			if e.outcome == answered {
				row.Results += n
			} else {
				row.Failures += n
			}
		}
		if e.outcome == failed {
			s.Failed += n
			t.errorOf(e.kind).Open += n
			t.schema.fail(e.misfit, n)
			continue
		}
		s.Answered += n
		if e.flag != "" {
			flags[e.flag] += n
		}
		for _, of := range []struct {
			sum *int64
			has bool
		}{
			{&s.Later, e.traits.later}, {&s.Same, e.traits.same}, {&s.Attached, e.traits.attached},
			{&s.Downgraded, e.traits.downgraded}, {&s.Batch, e.traits.batch}, {&s.Partial, e.traits.partial},
		} {
			if of.has {
				*of.sum += n
			}
		}
	}
	s.Total = s.Answered + s.Failed
	for flag, n := range flags {
		s.Flagged = append(s.Flagged, FlagCount{flag, n})
	}
	slices.SortFunc(s.Flagged, func(a, b FlagCount) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Flag, b.Flag)) })
	return s
}

// mostOpen limits the failures that are listed one by one.
const mostOpen = 1000

// openFailures are records without an answer, in the order of their last failures. If there are too
// many at a time, the last ones are left out; the next run that asks them brings them back.
type openFailures struct {
	byKey map[ledger.Key]*openFailure
	added int64
	full  int64 // how often there was no room
}

type openFailure struct {
	OpenFailure
	order int64
}

// mostOfID limits how much of an id is shown, in bytes.
const mostOfID = 200

// failed notes how a record failed.
func (r *records) failed(k ledger.Key, rec *ledger.Record, f OpenFailure) {
	if !r.isOpen(k) {
		return // it has an answer
	}
	o := &r.open
	if o.byKey == nil {
		o.byKey = make(map[ledger.Key]*openFailure)
	}
	if _, known := o.byKey[k]; !known && len(o.byKey) >= mostOpen {
		if o.full++; o.full%mostOpen == 1 { // some may be superseded, which nobody took out
			maps.DeleteFunc(o.byKey, func(k ledger.Key, _ *openFailure) bool { return !r.isOpen(k) })
		}
		if len(o.byKey) >= mostOpen {
			return
		}
	}
	o.added++
	f.ID, f.Time, f.Model, f.Provider = cutText(rec.IDText(), mostOfID), rec.Time, strings.Clone(rec.Model), strings.Clone(rec.Provider)
	f.Message = cutText(f.Message, maxMessage)
	o.byKey[k] = &openFailure{f, o.added}
}

func (r *records) isOpen(k ledger.Key) bool {
	note, _ := r.notes.Of(k)
	return r.endings[note].outcome == failed
}

// stillOpen returns the failures to list one by one.
func (r *records) stillOpen() []OpenFailure {
	list := []OpenFailure{}
	for _, f := range slices.SortedFunc(maps.Keys(r.open.byKey), func(a, b ledger.Key) int {
		return cmp.Compare(r.open.byKey[a].order, r.open.byKey[b].order)
	}) {
		if r.isOpen(f) {
			list = append(list, r.open.byKey[f].OpenFailure)
		}
	}
	return list
}
