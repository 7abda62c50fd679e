package line

// Failure is a record that got no answer. It is kept for the reports and for the spend; the next
// run tries the record again.
type Failure struct {
	Record

	Type    string // the class of the error: rate_limit, invalid_request, …
	Code    string // the provider's own code, if it has one
	Status  int    // the HTTP status, 0 for none
	Message string
	Misfit  string // the place where an answer does not fit its schema, as in a Result

	// Billed says that the provider charges for it anyway; otherwise the cost is 0.
	Billed bool

	fields fields
}

// AppendFailure appends the line of a failure.
func AppendFailure(dst []byte, f *Failure, run string, simulated bool) ([]byte, error) {
	if err := f.check(); err != nil {
		return dst, err
	}
	from, r := len(dst), f.Record
	if !f.Billed {
		r.CostNanos, r.CostKnown = 0, true
	}
	dst = r.appendHead(dst, failureStart, run, simulated)
	dst = r.appendTokens(dst)
	dst = r.appendAttempts(dst)
	dst = appendText(dst, "type", f.Type)
	dst = appendText(dst, "code", f.Code)
	dst = appendNumber(dst, "status", int64(f.Status))
	dst = appendText(dst, "message", f.Message)
	dst = appendText(dst, "misfit", f.Misfit)
	return r.finish(dst, from)
}

// Decode fills a failure from its line; ID is a part of that line. An error is [ErrMalformed].
func (f *Failure) Decode(line []byte) error {
	before := f.names()
	*f = Failure{fields: f.fields}
	m := &f.fields
	m.start(line)
	for {
		more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		ok := true
		switch string(m.name) {
		case "type":
			ok = m.string(&f.Type, "")
		case "code":
			ok = m.string(&f.Code, "")
		case "status":
			ok = m.count(&f.Status)
		case "message":
			ok = m.string(&f.Message, "")
		case "misfit":
			ok = m.string(&f.Misfit, "")
		default:
			ok = f.set(&m.field, &before)
		}
		if !ok {
			return ErrMalformed
		}
	}
	if len(f.ID) == 0 {
		return ErrMalformed
	}
	f.Billed = !f.CostKnown || f.CostNanos > 0
	return nil
}
