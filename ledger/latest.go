package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
)

// ScanLatest calls f with the newest result of each id in some ledgers, one ledger after the other,
// each in its order. Of a record that was asked again under another request it gets only the last
// answer. Simulated answers are used only if there are no others. ScanLatest reads the files twice,
// and holds 28 to 36 bytes a record. It leaves out what is appended between the two reads. A file
// that can be read only once, such as a pipe, is refused with disk.ErrNotRegular. Otherwise it is
// like [Scan].
func ScanLatest(paths []string, warn func(string), f func(path string, e Entry) error) error {
	for _, path := range paths {
		if err := disk.CheckRegular(disk.OS{}, path); err != nil {
			return fmt.Errorf("opening ledger: %w", err)
		}
	}
	// The ledgers count as one, as cat would join them: their offsets follow one another.
	var real, simulated index.Index
	bases, size := make([]int64, len(paths)), int64(0)
	for i, path := range paths {
		bases[i] = size
		err := Scan(path, warn, func(e Entry) error {
			size = bases[i] + e.Offset + int64(len(e.Line)) + 1
			if e.Result == nil {
				return nil
			}
			newest := &real
			if e.Result.Simulated {
				newest = &simulated
			}
			newest.Set(idKey(e.Result), index.RefAt(bases[i]+e.Offset))
			return nil
		})
		if err != nil {
			return err
		}
	}
	newest := &real
	if real.Results() == 0 {
		newest = &simulated
	}
	for i, path := range paths {
		err := Scan(path, nil, func(e Entry) error {
			if e.Result == nil {
				return nil
			}
			if newest.Look(idKey(e.Result)).Result != index.RefAt(bases[i]+e.Offset) {
				return nil
			}
			return f(path, e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// idKey is the key of an id, the same for all requests.
func idKey(r *Result) Key {
	return Key{ID: KeyOf(r.ID, &r.Request).ID}
}
