package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
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
	var real, simulated index
	err := Scan(path, func(e Entry) error {
		if e.Result == nil {
			return nil
		}
		newest := &real
		if e.Result.Simulated {
			newest = &simulated
		}
		newest.set(idKey(e.Result), refAt(e.Offset), 0)
		return nil
	})
	if err != nil {
		return err
	}
	newest := &real
	if real.results == 0 {
		newest = &simulated
	}
	return Scan(path, func(e Entry) error {
		if e.Result == nil {
			return nil
		}
		if s := newest.find(idKey(e.Result)); s == nil || s.ref() != refAt(e.Offset) {
			return nil
		}
		return f(e)
	})
}

// idKey is the same for all requests of an id.
func idKey(r *Result) Key {
	return Key{ID: KeyOf(r.ID, &r.Request).ID}
}
