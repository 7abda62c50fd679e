package journal

import "slices"

// tally counts hashes, with 12 bytes for each. First all hashes are added, then the tally is
// sealed, and then hashes are taken.
type tally struct {
	hashes []uint64
	left   []uint32
}

func (t *tally) add(hash uint64) { t.hashes = append(t.hashes, hash) }

// seal counts what was added.
func (t *tally) seal() {
	slices.Sort(t.hashes)
	distinct := 0
	t.left = make([]uint32, 0, len(t.hashes))
	for _, hash := range t.hashes {
		if distinct > 0 && t.hashes[distinct-1] == hash {
			t.left[distinct-1]++
			continue
		}
		t.hashes[distinct] = hash
		t.left = append(t.left, 1)
		distinct++
	}
	t.hashes = t.hashes[:distinct]
}

// take takes a hash, and returns false once it has been taken as often as it was added.
func (t *tally) take(hash uint64) bool {
	i, found := slices.BinarySearch(t.hashes, hash)
	if !found || t.left[i] == 0 {
		return false
	}
	t.left[i]--
	return true
}

// giveBack undoes a take.
func (t *tally) giveBack(hash uint64) {
	if i, found := slices.BinarySearch(t.hashes, hash); found {
		t.left[i]++
	}
}
