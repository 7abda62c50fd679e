package line

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func risks(r *rapid.T, name string, known *rapid.Generator[bool]) []AtRisk {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) AtRisk {
		a := AtRisk{Key: Key{ID: rapid.Uint64().Draw(r, "id"), Request: rapid.Uint64().Draw(r, "request")}, Known: known.Draw(r, "known")}
		if a.Known {
			a.Nanos = rapid.Int64Range(0, 1e12).Draw(r, "nanos")
		}
		return a
	}), 0, 5).Draw(r, name)
}

// What was written is read back, whatever is left out at the ends of lists.
func TestRiskIsReadBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := Risk{
			Run: rapid.StringMatching(`[a-z0-9-]{1,64}`).Draw(r, "run"), Simulated: rapid.Bool().Draw(r, "simulated"),
			Time:   time.UnixMilli(rapid.Int64Range(0, 1e13).Draw(r, "time")).UTC(),
			Lifted: risks(r, "lifted", rapid.Just(true)), Records: risks(r, "records", rapid.Bool()),
		}
		line, err := AppendRisk(nil, &want)
		if err != nil {
			t.Fatal(err)
		}
		line = line[:len(line)-1]
		if err := Verify(line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		h, ok := ParseHead(line)
		if !ok || h.Kind != KindRisk || string(h.Run) != want.Run {
			t.Fatalf("head %+v of %s", h, line)
		}
		var got Risk
		if err := got.Decode(&h); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for i := range want.Lifted { // what may have cost nothing goes without saying
			want.Lifted[i].Known = i < len(got.Lifted) && got.Lifted[i].Known
		}
		if got.Run != want.Run || !got.Time.Equal(want.Time) || got.Simulated != want.Simulated ||
			!slices.Equal(got.Lifted, want.Lifted) || !slices.Equal(got.Records, want.Records) {
			t.Fatalf("%s\nis read as %+v\nwant %+v", line, got, want)
		}
	})
}

// A line with a right checksum that is cut or changed anywhere is malformed, or says something
// else, and is read without a panic.
func TestRiskThatIsMalformed(t *testing.T) {
	line, err := AppendRisk(nil, &Risk{Run: "r", Lifted: []AtRisk{{Nanos: 5, Known: true}}, Records: []AtRisk{{Nanos: 7, Known: true}, {}}})
	if err != nil {
		t.Fatal(err)
	}
	body := line[:len(line)-1-SumLen]
	for cut := len(riskStart); cut < len(body); cut++ {
		h, ok := ParseHead(Seal(slices.Clone(body[:cut]), 0))
		if ok && h.EachRisk(func(AtRisk) {}, func(AtRisk) {}) {
			t.Errorf("%s is taken for whole", body[:cut])
		}
	}
	if _, err := AppendRisk(nil, &Risk{Run: "../other"}); err == nil {
		t.Error("a run's id that names another directory is written")
	}
}
