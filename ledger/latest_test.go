package ledger

import (
	"fmt"
	"slices"
	"testing"
)

func TestScanLatestGivesTheNewestResultOfEachID(t *testing.T) {
	real, simulated, b := testPath(t), testPath(t), new(Group)
	for n := range 6 {
		r := testResult(n)
		r.ID = fmt.Appendf(nil, `"id%d"`, n%4)
		b.Results = append(b.Results, r)
	}
	b.Failures = append(b.Failures, testFailure(3))
	mustCommit(t, mustOpen(t, real, Options{}), b)
	mustCommit(t, mustOpen(t, simulated, Options{Simulated: true}), b)

	both := testPath(t)
	write(t, both, append(read(t, real), read(t, simulated)...))
	packed := testPath(t)
	write(t, packed, zstandard(t, read(t, real)))
	for name, test := range map[string]struct {
		path      string
		simulated bool
	}{
		"real":       {real, false},
		"simulated":  {simulated, true},
		"both":       {both, false},
		"compressed": {packed, false},
	} {
		var got []string
		err := ScanLatest([]string{test.path}, nil, func(_ string, e Entry) error {
			if e.Result.Simulated != test.simulated {
				t.Errorf("%s: result %s: simulated %v", name, e.Result.ID, e.Result.Simulated)
			}
			got = append(got, fmt.Sprintf("%s %d", e.Result.ID, e.Result.LatencyMS-100))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{`"id2" 2`, `"id3" 3`, `"id0" 4`, `"id1" 5`}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if err := ScanLatest([]string{real}, nil, func(string, Entry) error { return errDisk }); err != errDisk {
		t.Errorf("an error of the function's own: %v", err)
	}
}
