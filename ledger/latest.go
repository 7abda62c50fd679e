package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
)

// ScanLatest calls f, in the ledger's order, with the entry of the newest result of each id: of a
// record that was asked again under another request, only the last answer. Simulated answers come
// only from a ledger that has no others. It reads the file twice, and holds 28 to 36 bytes a
// record. What is appended between the two is left out, and what can be read only once, such as a
// pipe, is refused: disk.ErrNotRegular. Otherwise it is as [Scan].
func ScanLatest(path string, f func(Entry) error) error {
	if err := disk.CheckRegular(disk.OS{}, path); err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	var real, simulated index.Index
	err := Scan(path, func(e Entry) error {
		if e.Result == nil {
			return nil
		}
		newest := &real
		if e.Result.Simulated {
			newest = &simulated
		}
		newest.Set(idKey(e.Result), index.RefAt(e.Offset))
		return nil
	})
	if err != nil {
		return err
	}
	newest := &real
	if real.Results() == 0 {
		newest = &simulated
	}
	return Scan(path, func(e Entry) error {
		if e.Result == nil {
			return nil
		}
		if newest.Look(idKey(e.Result)).Result != index.RefAt(e.Offset) {
			return nil
		}
		return f(e)
	})
}

// idKey is the same for all requests of an id.
func idKey(r *Result) Key {
	return Key{ID: KeyOf(r.ID, &r.Request).ID}
}
