package journal

import "slices"

// tally counts hashes, in 12 bytes each: first all are added, then it is sealed, and they are
// taken.
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

// take takes a hash, once for each time that it was added.
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
