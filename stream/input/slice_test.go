package input

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"llmpipe/stream/flow"
)

func named(id string) *flow.Task {
	t := &flow.Task{}
	t.ID = []byte(id)
	return t
}

// Every record is in one slice, whatever its name, and the slices are about equal.
func TestSlicesPartTheInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, of := rapid.StringN(1, 40, -1).Draw(t, "id"), rapid.IntRange(1, 200).Draw(t, "slices")
		in := 0
		for i := range of {
			if (Slice{i, of}).Holds(named(id)) {
				in++
			}
		}
		if in != 1 {
			t.Errorf("%q is in %d of %d slices", id, in, of)
		}
	})
	const records, of = 70_000, 7
	for i := range of {
		n := 0
		for id := range records {
			if (Slice{i, of}).Holds(named(fmt.Sprint(id))) {
				n++
			}
		}
		if n < records/of*95/100 || n > records/of*105/100 {
			t.Errorf("slice %d/%d has %d of %d", i, of, n, records)
		}
	}
}

// Those with the smallest ranks, which a sample takes, are in no slice more than in others.
func TestSlicesOfASample(t *testing.T) {
	const of = 4
	var in [of]int
	s := Sampler[string]{N: 2000}
	for i := range 100_000 {
		id := fmt.Sprint(i)
		s.Offer(Rank(0, []byte(id)), id)
	}
	for _, id := range s.Chosen() {
		for i := range of {
			if (Slice{i, of}).Holds(named(id)) {
				in[i]++
			}
		}
	}
	for i, n := range in {
		if n < 400 || n > 600 {
			t.Errorf("slice %d has %d of 2,000 sampled", i, n)
		}
	}
}

func TestParseSlice(t *testing.T) {
	for text, want := range map[string]Slice{"0/1": {0, 1}, "3/4": {3, 4}, "0/1000": {0, 1000}} {
		var s Slice
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "/", "4/4", "5/4", "-1/4", "0/0", "0/-1", "1/4/2", "a/b", "1 / 4"} {
		if err := new(Slice).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a slice", text)
		}
	}
}
