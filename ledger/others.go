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

// others are ledgers of other runs, read once by Open. Their answers count as recorded; what they
// spent, submitted and wrote is their own.
//
// To the index they are one file, as cat would make it: a place in it is a place in the first
// ledger, or behind that in the second.
type others struct {
	index index.Index
	files []otherFile
	size  int64 // of all
}

// otherFile is one of them. It stays open: another file under its name would have other answers.
type otherFile struct {
	path string
	file disk.File
	base int64 // where it begins in the one file that they are
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

// look adds to found what the other ledgers know of a record.
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
	for i+1 < len(o.files) && o.files[i+1].base == o.files[i].base { // an empty one begins where the next does
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
