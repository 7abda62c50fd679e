package lane

import (
	"sync"

	"llmpipe/stream/folder"
)

// bodies pools the memory of request bodies with files in them. Each takes some megabytes.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// look finds out what the files of a record are that admission took for one with an answer. What is
// wrong with them shows when it goes.
func (l *Lanes) look(q *Request) {
	if len(q.Record.Files) > 0 {
		_ = l.cfg.Folder.Look(q.Record)
	}
}

// load makes the body of an attempt at q: the record's own body with its files read into it, once
// there is room for them. It returns false if q is not sent: q cannot be sent, and load fails it,
// or asking has ended.
func (l *Lanes) load(q *Request) (body []byte, held int64, ok bool) {
	if len(q.Record.Files) == 0 {
		return q.Body, 0, true
	}
	if err := l.cfg.Folder.Look(q.Record); err != nil {
		q.fail(err)
		return nil, 0, false
	}
	size := folder.Size(q.Record, q.Body)
	if !l.flow.Gate.Hold(size) {
		return nil, 0, false
	}
	memory := *bodies.Get().(*[]byte)
	if int64(cap(memory)) < size {
		memory = make([]byte, 0, size)
	}
	body, err := l.cfg.Folder.Fill(memory[:0], q.Record, q.Body)
	if err != nil {
		q.fail(err)
		l.flow.Gate.Drop(size)
		return nil, 0, false
	}
	return body, size, true
}

// unload releases the body of an attempt that has ended. The next attempt reads the files again.
func (l *Lanes) unload(q *Request, body []byte, held int64) {
	if held == 0 {
		return
	}
	if !q.reply.BodyInUse {
		bodies.Put(&body)
	}
	l.flow.Gate.Drop(held)
}
