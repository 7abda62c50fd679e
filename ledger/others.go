package ledger

import (
	"fmt"
	"io"
	"os"
	"slices"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// others are ledgers of other runs, which Open reads once. Their answers count as recorded; their
// costs, shards and marks do not count here.
//
// The index treats them as one file, as cat would join them: an offset is in the first ledger, or
// after its end in the second.
type others struct {
	index index.Index
	files []otherFile
	size  int64 // of all
}

// otherFile is one of them. It stays open, as another file under its name would have other answers.
type otherFile struct {
	path string
	file disk.File
	base int64 // the offset where it begins in the joined file
}

// openOthers reads the ledgers of Options.Others.
func (l *Ledger) openOthers() error {
	if len(l.options.Others) == 0 {
		return nil
	}
	l.others = &others{}
	for _, path := range l.options.Others {
		if err := l.addOther(path); err != nil {
			return disk.Both(&OtherError{err}, l.others.close())
		}
	}
	return nil
}

func (l *Ledger) addOther(path string) error {
	if err := disk.CheckRegular(l.options.FS, path); err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	file, err := l.options.FS.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	o := l.others
	o.files = append(o.files, otherFile{path: path, file: file, base: o.size})
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	lines := line.Section(file, 0, info.Size())
	var torn tornLines
	defer func() { torn.tell(path, l.options.Warn) }()
	for {
		text, at, err := lines.Next()
		if err != nil {
			if err = ended(path, lines.Tail(), at, err); err != io.EOF {
				return err
			}
			o.size += at
			return nil
		}
		if line.Blank(text) && at > 0 {
			continue
		}
		enter := func(h *line.Head, _ []byte, at int64) error {
			switch {
			case h.Kind != line.KindResult || l.leavesOut(h):
			case index.RefAt(o.size+at) > index.MaxRef:
				return tooLarge(path, at)
			default:
				o.index.Set(h.Key, index.RefAt(o.size+at))
			}
			return nil
		}
		h, err := check(path, text, at)
		if err != nil {
			err = joined(path, text, at, err, &torn, enter)
		} else {
			err = enter(&h, text, at)
		}
		if err != nil {
			return err
		}
	}
}

// look adds what the other ledgers know of a record to found.
func (o *others) look(k Key, found *Found) {
	if o == nil || found.Result != 0 {
		return
	}
	theirs := o.index.Look(k)
	if theirs.Result != 0 {
		found.Result = theirs.Result.InOther()
	}
	if found.Other == 0 && theirs.Other != 0 {
		found.Other = theirs.Other.InOther()
	}
}

// place returns the ledger that a Ref is in, the offset there, and where that ledger ends.
func (o *others) place(ref Ref) (f *otherFile, at, end int64) {
	at = ref.Offset()
	if o == nil || at < 0 || at >= o.size {
		return nil, at, 0
	}
	i, found := slices.BinarySearchFunc(o.files, at, func(f otherFile, at int64) int { return int(min(max(f.base-at, -1), 1)) })
	if !found {
		i--
	}
	for i+1 < len(o.files) && o.files[i+1].base == o.files[i].base { // an empty one begins at the same offset as the next
		i++
	}
	end = o.size
	if i+1 < len(o.files) {
		end = o.files[i+1].base
	}
	return &o.files[i], at - o.files[i].base, end - o.files[i].base
}

func (o *others) close() (err error) {
	if o == nil {
		return nil
	}
	for _, f := range o.files {
		err = disk.Both(err, f.file.Close())
	}
	return err
}
