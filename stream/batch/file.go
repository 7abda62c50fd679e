package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/record"
)

// shardFile is what a shard uploads.
type shardFile struct {
	requests int64           // lines
	bytes    int64           // of these lines
	inputs   int64           // for embeddings
	ids      int64           // bytes of the records' ids, which are in the intent
	upload   *flow.Temporary // nil if another process made it, or once it is sent
	w        *bufio.Writer
	waits    bool // it counts in Batches.waiting
}

// request is a line of a shard's file: head, body and tail. The body has marks in place of the
// record's files, which are read when the line is written.
type request struct {
	head, body []byte
	tail       string
	size       int64 // bytes; an estimate if the record has files
	inputs     int64 // for embeddings
}

// errNoRoom says that a line would make the file longer than it may be.
var errNoRoom = errors.New("the line does not fit into the file")

// put appends a record's request. If that takes the file beyond most bytes, put takes the request
// back, sets its size to what it really is, and returns errNoRoom. If the record's files cannot be
// read, put takes the request back and returns a *[record.Error].
func (f *shardFile) put(q *request, r *record.Record, from *folder.Folder, most int64) error {
	line := oneLine{w: f.w}
	err := f.writeLine(&line, q, r, from)
	if err == nil && f.bytes+line.size > most {
		q.size, err = line.size, errNoRoom
	}
	if err == nil {
		f.requests++
		f.bytes += line.size
		f.inputs += q.inputs
		f.ids += int64(len(r.ID))
		return nil
	}
	if failed := (*record.Error)(nil); !errors.Is(err, errNoRoom) && !errors.As(err, &failed) {
		return flow.TemporaryError(err)
	}
	if err := f.cut(); err != nil {
		return flow.TemporaryError(err)
	}
	return err
}

func (f *shardFile) writeLine(line *oneLine, q *request, r *record.Record, from *folder.Folder) error {
	if _, err := line.Write(q.head); err != nil {
		return err
	}
	if len(r.Files) == 0 {
		if _, err := line.Write(q.body); err != nil {
			return err
		}
	} else if err := from.Write(line, r, q.body); err != nil {
		return err
	}
	n, err := f.w.WriteString(q.tail)
	line.size += int64(n)
	return err
}

// cut removes what was written behind the last whole line.
func (f *shardFile) cut() error {
	if err := f.w.Flush(); err != nil {
		return err
	}
	if err := f.upload.Truncate(f.bytes); err != nil {
		return err
	}
	_, err := f.upload.Seek(f.bytes, io.SeekStart)
	return err
}

// oneLine writes JSON without its line breaks, which stand between tokens and would break the file
// of a batch.
type oneLine struct {
	w    io.Writer
	size int64
}

func (l *oneLine) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		part := p
		if end := bytes.IndexAny(p, "\r\n"); end >= 0 {
			part = p[:end]
			p = p[end+1:]
		} else {
			p = nil
		}
		n, err := l.w.Write(part)
		l.size += int64(n)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// mostWaiting is how many bytes of full shards may wait on the disk to be sent. It bounds the disk
// space that a slow upload takes.
const mostWaiting = 1 << 30

// mostKept is how many requests may lie in shards that no ledger knows yet, while a full shard is
// waiting to be sent. With --dedupe these requests are kept in memory.
const mostKept = 100_000

// awaitRoom waits until there is room for another shard, and reports false when asking ends first.
func (b *Batches) awaitRoom() bool {
	for {
		b.mu.Lock()
		full, sent := b.waiting >= mostWaiting || b.waiting > 0 && b.flow.Inflight.Keeps() >= mostKept, b.sent
		b.mu.Unlock()
		if !full {
			return true
		}
		select {
		case <-sent:
		case <-b.flow.Stop.Asking.Done():
			return false
		}
	}
}

// dropFile frees the disk space of the shard's file, once the file is sent or no longer needed.
func (s *shard) dropFile() {
	if s.file.upload == nil {
		return
	}
	s.file.upload.Discard()
	s.file.upload = nil
	if !s.file.waits {
		return
	}
	b := s.batches
	b.mu.Lock()
	defer b.mu.Unlock()
	s.file.waits = false
	b.waiting -= s.file.bytes
	close(b.sent)
	b.sent = make(chan struct{})
}
