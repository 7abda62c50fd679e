package batch

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
	"llmpipe/stream/record/attach"
)

// spool keeps the records of a shard on disk while their batch runs, so that memory does not grow.
// Its file has no name if the system allows that, and ends with the process. What must outlive the
// process is in the ledger, and in the input of the next run.
type spool struct {
	file    *flow.Temporary
	w       *bufio.Writer
	records int64
	bytes   int64
	head    []byte
	files   []attach.File // of the record that was read last
}

// The flags of a record. duplicateFlag marks a duplicate of an earlier record. elsewhereFlag says
// that another line has what the record's earlier answers took. unknownFlag says that the cost of
// some of those answers is not known, and partialFlag that a cost is incomplete.
const (
	duplicateFlag = 1 << iota
	elsewhereFlag
	unknownFlag
	partialFlag
)

func newSpool() (*spool, error) {
	f, err := flow.NewTemporary("llmpipe-records-")
	if err != nil {
		return nil, err
	}
	return &spool{file: f, w: bufio.NewWriter(f)}, nil
}

// addTo appends t to a spool, and makes the spool for its first record.
func addTo(to **spool, t *flow.Task) error {
	if *to == nil {
		var err error
		if *to, err = newSpool(); err != nil {
			return err
		}
	}
	return (*to).add(t)
}

// discard gives back the space of a spool's file. A nil spool has none.
func (s *spool) discard() {
	if s != nil {
		s.file.Discard()
	}
}

// add appends t.
func (s *spool) add(t *flow.Task) error {
	h := binary.AppendUvarint(s.head[:0], uint64(t.Seq))
	h = binary.AppendUvarint(h, uint64(t.Line))
	var flags byte
	if t.Duplicate {
		flags = duplicateFlag
	}
	elsewhere := t.Elsewhere()
	flags |= elsewhereFlags(&elsewhere)
	h = binary.AppendUvarint(append(h, flags), uint64(t.Turns()))
	if flags&elsewhereFlag != 0 {
		for _, n := range sums(&elsewhere) {
			h = binary.AppendUvarint(h, uint64(*n))
		}
		h = binary.AppendUvarint(binary.AppendUvarint(h, uint64(elsewhere.Turns)), uint64(elsewhere.Attempts))
	}
	for _, field := range [][]byte{[]byte(t.File), t.ID} {
		h = binary.AppendUvarint(h, uint64(len(field)))
		h = append(h, field...)
	}
	h = binary.AppendUvarint(h, uint64(len(t.Buffer)))
	s.head = h
	if _, err := s.w.Write(h); err != nil {
		return flow.TemporaryError(err)
	}
	if _, err := s.w.Write(t.Buffer); err != nil {
		return flow.TemporaryError(err)
	}
	tail := appendKnown(nil, t)
	if _, err := s.w.Write(tail); err != nil {
		return flow.TemporaryError(err)
	}
	s.records++
	s.bytes += int64(len(h) + len(t.Buffer) + len(tail))
	return nil
}

// elsewhereFlags returns the flags for e.
func elsewhereFlags(e *ledger.Earlier) (flags byte) {
	if *e != (ledger.Earlier{}) {
		flags = elsewhereFlag
	}
	if e.CostUnknown {
		flags |= unknownFlag
	}
	if e.CostPartial {
		flags |= partialFlag
	}
	return flags
}

// sums returns e's sums, in their order on disk.
func sums(e *ledger.Earlier) [6]*int64 {
	return [...]*int64{&e.CostNanos, &e.PromptTokens, &e.CompletionTokens, &e.TotalTokens, &e.CachedTokens, &e.ReasoningTokens}
}

// appendKnown appends what is known of t beyond its line: which recorded result does not serve, and
// the sizes, times and hashes of the files that went into its request.
func appendKnown(dst []byte, t *flow.Task) []byte {
	dst = binary.AppendUvarint(dst, uint64(t.Ref))
	read := len(t.Files)
	if read > 0 && t.Files[0].Sum == [sha256.Size]byte{} {
		read = 0
	}
	dst = binary.AppendUvarint(dst, uint64(read))
	for i := range read {
		f := &t.Files[i]
		dst = binary.AppendUvarint(dst, uint64(f.Size))
		dst = binary.AppendVarint(dst, f.ModTime.Unix())
		dst = binary.AppendUvarint(dst, uint64(f.ModTime.Nanosecond()))
		dst = append(dst, f.Sum[:]...)
	}
	return dst
}

// readBack calls use with every record of a spool until ctx ends. Before each record it calls
// enter, which waits for room for the record on its way from the disk. A nil spool has no records.
func (b *Batches) readBack(ctx context.Context, s *spool, enter func(*flow.Task), use func(*flow.Task) error) error {
	if s == nil {
		return nil
	}
	decode, err := record.NewDecoder(b.options())
	if err != nil {
		return err
	}
	return s.each(decode, func(t *flow.Task) error {
		if err := ctx.Err(); err != nil {
			t.Recycle()
			return err
		}
		b.Spooled.Add(-1)
		enter(t)
		return use(t)
	})
}

// comeBack waits for room for t on its way from the disk to the commit.
func (b *Batches) comeBack(t *flow.Task) {
	t.FromDisk = true
	b.flow.Spooled.Enter(t, false)
}

// comeAlone waits for room for t on its way from the disk into a shard, but does not count its
// bytes. A spool's records go that way one at a time, and must not take room from others while they
// wait for money.
func (b *Batches) comeAlone(t *flow.Task) {
	t.FromDisk = true
	b.flow.Spooled.EnterEmpty(t)
}

// each calls f with every record, decoded again, in the order in which they were added. f owns the
// task, unless it returns an error, which ends the walk.
func (s *spool) each(decode *record.Decoder, f func(*flow.Task) error) error {
	if err := s.w.Flush(); err != nil {
		return flow.TemporaryError(err)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.bytes), 64<<10)
	for range s.records {
		t := flow.NewTask()
		if err := s.read(r, t); err != nil {
			return flow.TemporaryError(err)
		}
		id := t.ID
		if err := decode.Decode(&t.Record, t.Buffer); err != nil {
			return fmt.Errorf("%s: the record can no longer be read: %w", t, err)
		}
		for i := range s.files {
			f := &t.Files[i]
			f.Size, f.ModTime, f.Sum = s.files[i].Size, s.files[i].ModTime, s.files[i].Sum
		}
		if t.ID == nil {
			t.ID = id // made from its content and from how often that had come
		}
		t.Key = ledger.KeyOf(t.ID, &t.Request)
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

// read reads what add wrote.
func (s *spool) read(r *bufio.Reader, t *flow.Task) error {
	var fail error
	number := func() int64 {
		n, err := binary.ReadUvarint(r)
		fail = errors.Join(fail, err)
		return int64(n)
	}
	field := func(buf []byte) []byte {
		n := int(number())
		if fail != nil {
			return nil
		}
		if cap(buf) < n {
			buf = make([]byte, n)
		}
		_, err := io.ReadFull(r, buf[:n])
		fail = errors.Join(fail, err)
		return buf[:n]
	}
	t.Seq, t.Line = number(), number()
	flags, err := r.ReadByte()
	fail = errors.Join(fail, err)
	t.Duplicate = flags&duplicateFlag != 0
	t.Resume(int(number()))
	if flags&elsewhereFlag != 0 {
		var e ledger.Earlier
		for _, n := range sums(&e) {
			*n = number()
		}
		e.Turns, e.Attempts = int(number()), int(number())
		e.CostUnknown, e.CostPartial = flags&unknownFlag != 0, flags&partialFlag != 0
		if t.Shaped == nil {
			t.Shaped = new(flow.Shaped)
		}
		t.Shaped.Elsewhere = e
	}
	t.File = string(field(nil))
	t.ID = field(nil)
	t.Buffer = field(t.Buffer)
	t.Ref = ledger.Ref(number())
	s.files = s.files[:0]
	for n := number(); fail == nil && n > 0; n-- {
		f := attach.File{Size: number()}
		seconds, err := binary.ReadVarint(r)
		fail = errors.Join(fail, err)
		f.ModTime = time.Unix(seconds, number())
		_, err = io.ReadFull(r, f.Sum[:])
		fail = errors.Join(fail, err)
		s.files = append(s.files, f)
	}
	return fail
}
