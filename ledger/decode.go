package ledger

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// lineBuffer holds a line and takes it apart, with memory that it keeps.
type lineBuffer struct {
	data []byte
	dec  *memberReader
}

// memberReader goes through the members of a line's object.
type memberReader struct {
	src   bytes.Buffer
	json  *jsontext.Decoder
	line  []byte
	text  []byte
	name  []byte // a part of line, without its quotes; our names need no unquoting
	value []byte // a part of line
}

func (b *lineBuffer) members(line []byte) (*memberReader, error) {
	if b.dec == nil {
		b.dec = new(memberReader)
		b.dec.json = jsontext.NewDecoder(&b.dec.src)
	}
	m := b.dec
	m.line = line
	m.src = *bytes.NewBuffer(line)
	m.json.Reset(&m.src, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, errMalformed
	}
	return m, nil
}

// next moves to the next member, and is false after the last.
func (m *memberReader) next() (bool, error) {
	if m.json.PeekKind() == '}' {
		return false, nil
	}
	name, err := m.read()
	if err != nil || len(name) < 2 {
		return false, errMalformed
	}
	m.name = name[1 : len(name)-1]
	m.value, err = m.read()
	return err == nil, err
}

// read returns the next value as a part of the line, which outlives the decoder's next step.
func (m *memberReader) read() ([]byte, error) {
	value, err := m.json.ReadValue()
	if err != nil {
		return nil, errMalformed
	}
	end := int(m.json.InputOffset())
	return m.line[end-len(value) : end], nil
}

// string sets dst, without an allocation where it is that already.
func (m *memberReader) string(dst *string) bool {
	var err error
	if len(m.value) == 0 || m.value[0] != '"' {
		return false
	}
	if m.text, err = jsontext.AppendUnquote(m.text[:0], m.value); err != nil {
		return false
	}
	if *dst != string(m.text) {
		*dst = string(m.text)
	}
	return true
}

func (m *memberReader) integer(dst *int64) bool {
	text, sign := m.value, int64(1)
	if len(text) > 0 && text[0] == '-' {
		text, sign = text[1:], -1
	}
	v, ok := parseInt(text)
	*dst = sign * v
	return ok
}

func (m *memberReader) count(dst *int) bool {
	var v int64
	ok := m.integer(&v)
	*dst = int(v)
	return ok
}

func (m *memberReader) cost(nanos *int64, known *bool) (ok bool) {
	*nanos, *known, ok = parseCost(m.value)
	return ok
}

func (m *memberReader) request(dst *[32]byte) bool {
	if len(m.value) != 2+2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst[:], m.value[1:len(m.value)-1])
	return err == nil
}

func (m *memberReader) time(dst *time.Time) bool {
	if len(m.value) != 2+len(timeLayout) {
		return false
	}
	// time.Parse makes a string of it, but one that does not escape.
	t, err := time.Parse(timeLayout, string(m.value[1:len(m.value)-1]))
	*dst = t
	return err == nil
}

func (m *memberReader) bool(dst *bool) bool {
	*dst = string(m.value) == "true"
	return *dst || string(m.value) == "false"
}

// decode fills a result from its line, whose bytes ID and Response then are.
func (r *Result) decode(line []byte) error {
	m, err := r.line.members(line)
	if err != nil {
		return err
	}
	*r = Result{Endpoint: r.Endpoint, Model: r.Model, Provider: r.Provider, DowngradedFrom: r.DowngradedFrom, line: r.line}
	var endpoint, model, provider, downgraded bool
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
		case "id":
			r.ID = m.value
		case "r":
			ok = m.request(&r.Request)
		case "time":
			ok = m.time(&r.Time)
		case "cost_usd":
			ok = m.cost(&r.CostNanos, &r.CostKnown)
		case "simulated":
			ok = m.bool(&r.Simulated)
		case "endpoint":
			ok, endpoint = m.string(&r.Endpoint), true
		case "model":
			ok, model = m.string(&r.Model), true
		case "provider":
			ok, provider = m.string(&r.Provider), true
		case "downgraded_from":
			ok, downgraded = m.string(&r.DowngradedFrom), true
		case "prompt_tokens":
			ok = m.integer(&r.PromptTokens)
		case "completion_tokens":
			ok = m.integer(&r.CompletionTokens)
		case "cached_tokens":
			ok = m.integer(&r.CachedTokens)
		case "reasoning_tokens":
			ok = m.integer(&r.ReasoningTokens)
		case "attempts":
			ok = m.count(&r.Attempts)
		case "latency_ms":
			ok = m.integer(&r.LatencyMS)
		case "response":
			r.Response = m.value
		}
		if !ok {
			return errMalformed
		}
	}
	keepIf(endpoint, &r.Endpoint)
	keepIf(model, &r.Model)
	keepIf(provider, &r.Provider)
	keepIf(downgraded, &r.DowngradedFrom)
	if len(r.ID) == 0 || len(r.Response) == 0 {
		return errMalformed
	}
	return nil
}

// keepIf clears a string that the line did not have: it is the one of the line before.
func keepIf(there bool, s *string) {
	if !there {
		*s = ""
	}
}

// decode fills a failure from its line, whose bytes ID then is.
func (f *Failure) decode(line []byte) error {
	m, err := f.line.members(line)
	if err != nil {
		return err
	}
	*f = Failure{line: f.line}
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
		case "id":
			f.ID = m.value
		case "r":
			ok = m.request(&f.Request)
		case "time":
			ok = m.time(&f.Time)
		case "cost_usd":
			ok = m.cost(&f.CostNanos, &f.CostKnown)
			f.Billed = !f.CostKnown || f.CostNanos > 0
		case "simulated":
			ok = m.bool(&f.Simulated)
		case "endpoint":
			ok = m.string(&f.Endpoint)
		case "model":
			ok = m.string(&f.Model)
		case "provider":
			ok = m.string(&f.Provider)
		case "prompt_tokens":
			ok = m.integer(&f.PromptTokens)
		case "completion_tokens":
			ok = m.integer(&f.CompletionTokens)
		case "attempts":
			ok = m.count(&f.Attempts)
		case "latency_ms":
			ok = m.integer(&f.LatencyMS)
		case "type":
			ok = m.string(&f.Type)
		case "code":
			ok = m.string(&f.Code)
		case "status":
			ok = m.count(&f.Status)
		case "message":
			ok = m.string(&f.Message)
		}
		if !ok {
			return errMalformed
		}
	}
	if len(f.ID) == 0 {
		return errMalformed
	}
	return nil
}

func (run *RunInfo) decode(line []byte, buf *lineBuffer) error {
	m, err := buf.members(line)
	if err != nil {
		return err
	}
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
			ok = m.string(&run.ID)
		case "version":
			ok = m.string(&run.Version)
		case "endpoint":
			ok = m.string(&run.Endpoint)
		case "model":
			ok = m.string(&run.Model)
		case "provider":
			ok = m.string(&run.Provider)
		case "simulated":
			ok = m.bool(&run.Simulated)
		}
		if !ok {
			return errMalformed
		}
	}
}
