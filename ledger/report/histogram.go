package report

import (
	"math"
	"math/bits"
)

// histogram counts durations in buckets that grow with them, 32 to every doubling. So a percentile
// is off by 1.6 % at most, and the memory is the same for any number of values.
type histogram struct {
	buckets [(64 - subBits + 1) << subBits]int64
	count   int64
}

const subBits = 5

// add counts a value; a negative one, from a clock that was set back, as 0.
func (h *histogram) add(value int64) {
	h.buckets[bucketOf(uint64(max(value, 0)))]++
	h.count++
}

// percentile returns the value that this percentage of all values does not exceed, 0 if there are
// none.
func (h *histogram) percentile(percent int64) int64 {
	rank := (h.count*percent + 99) / 100
	for i, n := range h.buckets {
		if rank -= n; rank <= 0 && n > 0 {
			return middleOf(i)
		}
	}
	return 0
}

// bucketOf is the value itself below 64; above it, its highest six bits and how far they are
// shifted.
func bucketOf(value uint64) int {
	shift := max(bits.Len64(value)-subBits-1, 0)
	return shift<<subBits + int(value>>shift)
}

// middleOf returns the value in the middle of a bucket.
func middleOf(bucket int) int64 {
	low, width := boundsOf(bucket)
	return low + width/2
}

// boundsOf returns the lowest value in a bucket, and how many values share it.
func boundsOf(bucket int) (low, width int64) {
	shift := max(bucket>>subBits-1, 0)
	return int64(bucket-shift<<subBits) << shift, int64(1) << shift
}

// LatencyBucket is how many results took at least From milliseconds and less than To.
type LatencyBucket struct {
	From, To int64
	Count    int64
}

// occupied returns the buckets that hold anything, shortest first.
func (h *histogram) occupied() []LatencyBucket {
	var found []LatencyBucket
	for i, n := range h.buckets {
		if n > 0 {
			low, width := boundsOf(i)
			found = append(found, LatencyBucket{From: low, To: low + min(width, math.MaxInt64-low), Count: n})
		}
	}
	return found
}
