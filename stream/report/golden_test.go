package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checkGolden holds what was made against a file, or writes that.
func checkGolden(t *testing.T, got []byte, name ...string) {
	t.Helper()
	path := filepath.Join(name...)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made now; -update writes it, for somebody to look at", path)
	}
}

// The report of a job by one model, by two, and by twelve.
func TestGoldenReports(t *testing.T) {
	for _, models := range []int{1, 2, 12} {
		r := jobReport(t, models)
		page, err := pageOf(r, []string{"llmpipe.ledger.jsonl"})
		if err != nil {
			t.Fatal(err)
		}
		parsePage(t, page)
		checkGolden(t, page, "testdata", fmt.Sprintf("models-%d.html", models))
		checkGolden(t, []byte(reportText(t, r)), "testdata", fmt.Sprintf("models-%d.txt", models))
	}
}
