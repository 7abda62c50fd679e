package batchapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"
)

// batchObject is a batch in the form of any provider of OpenAI's kind: it has the fields of all of
// them.
type batchObject struct {
	ID      string       `json:"id"`
	BatchID string       `json:"batch_id"` // DigitalOcean's
	Job     *batchObject `json:"job"`      // what Together wraps a new batch in
	Status  string       `json:"status"`

	Endpoint     string   `json:"endpoint"`
	InputFileID  string   `json:"input_file_id"`
	OutputFileID string   `json:"output_file_id"`
	ErrorFileID  string   `json:"error_file_id"`
	InputFiles   []string `json:"input_files"` // Mistral's, like all down to Failed
	OutputFile   string   `json:"output_file"`
	ErrorFile    string   `json:"error_file"`
	Total        int64    `json:"total_requests"`
	Succeeded    int64    `json:"succeeded_requests"`
	Failed       int64    `json:"failed_requests"`
	Counts       struct {
		Total     int64 `json:"total"`
		Completed int64 `json:"completed"`
		Failed    int64 `json:"failed"`
	} `json:"request_counts"`

	CreatedAt   stamp `json:"created_at"`
	ExpiresAt   stamp `json:"expires_at"`
	CompletedAt stamp `json:"completed_at"`
	FailedAt    stamp `json:"failed_at"`
	ExpiredAt   stamp `json:"expired_at"`
	CancelledAt stamp `json:"cancelled_at"`

	Metadata map[string]string `json:"metadata"`
	Errors   faults            `json:"errors"`
	Error    faults            `json:"error"` // Together's, a text
}

// Known implements [provider.Object].
func (o *batchObject) Known() bool {
	own := o.own()
	return own.ID != "" && own.Status != ""
}

// own returns the batch itself. Some providers wrap it, or call its id by another name.
func (o *batchObject) own() *batchObject {
	if o.Job != nil && o.ID == "" {
		o = o.Job
	}
	o.ID = cmp.Or(o.ID, o.BatchID)
	return o
}

// batch returns o as a Batch.
func (o *batchObject) batch() Batch {
	o = o.own()
	b := Batch{
		ID: o.ID, Status: stateOf(o.Status), Endpoint: o.Endpoint, InputFile: o.InputFileID,
		OutputFile: cmp.Or(o.OutputFileID, o.OutputFile), ErrorFile: cmp.Or(o.ErrorFileID, o.ErrorFile),
		Total: cmp.Or(o.Counts.Total, o.Total), Completed: cmp.Or(o.Counts.Completed, o.Succeeded), Failed: cmp.Or(o.Counts.Failed, o.Failed),
		Created: time.Time(o.CreatedAt), Expires: time.Time(o.ExpiresAt), Metadata: o.Metadata, Errors: append(o.Errors, o.Error...),
	}
	if len(o.InputFiles) == 1 && b.InputFile == "" {
		b.InputFile = o.InputFiles[0]
	}
	for _, at := range []stamp{o.CompletedAt, o.FailedAt, o.ExpiredAt, o.CancelledAt} {
		if b.EndedAt.IsZero() {
			b.EndedAt = time.Time(at)
		}
	}
	b.Lines = b.Completed
	if b.ErrorFile != "" { // some providers have no error file
		b.Lines += b.Failed
	}
	return b
}

// stamp is a time that is written in seconds since 1970 or, by Together and Novita, in RFC 3339.
// Anything else leaves the zero time.
type stamp time.Time

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	var text string
	var unix float64
	switch {
	case json.Unmarshal(raw, &unix) == nil && unix > 0:
		*s = stamp(time.Unix(int64(unix), 0))
	case json.Unmarshal(raw, &text) == nil:
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			*s = stamp(at.Local())
		}
	}
	return nil
}

// faults are the reasons why a batch failed. They come as OpenAI's {"data":[…]}, as a bare array or
// as a text.
type faults []Fault

// faultObject is one element of such an array.
type faultObject struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Param   string `json:"param"`
	Line    int64  `json:"line"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *faults) UnmarshalJSON(raw []byte) error {
	*f = nil
	var list []json.RawMessage
	var around struct {
		Data []json.RawMessage `json:"data"`
	}
	var text string
	switch raw = bytes.TrimSpace(raw); {
	case json.Unmarshal(raw, &text) == nil && text != "":
		*f = faults{{Message: text}}
	case json.Unmarshal(raw, &list) == nil:
	case json.Unmarshal(raw, &around) == nil:
		list = around.Data
	}
	for _, one := range list {
		var o faultObject
		_ = json.Unmarshal(one, &o) // a field of another type is left out
		*f = append(*f, Fault(o))
	}
	return nil
}
