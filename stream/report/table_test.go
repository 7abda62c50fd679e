package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
)

// reportText is what people get to read of a report.
func reportText(t *testing.T, r *report.Report) string {
	t.Helper()
	var table strings.Builder
	if err := writeReport(&table, r); err != nil {
		t.Fatal(err)
	}
	return table.String()
}

func TestReportTable(t *testing.T) {
	var r report.Report
	data, err := os.ReadFile(filepath.Join("..", "..", "ledger", "report", "testdata", "report.json"))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, []byte(reportText(t, &r)), "testdata", "report.txt")
}

func TestReportTableSaysWhatIsSimulated(t *testing.T) {
	var zero price.Dollars
	figures := report.Figures{Total: report.Row{Results: 1, Cost: &zero}}
	for want, r := range map[string]*report.Report{
		"everything here is simulated":   {Simulated: true, Figures: figures},
		"204 simulated records left out": {SimulatedLeftOut: 204, Figures: figures},
	} {
		if got := reportText(t, r); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestReportTableOfNothing(t *testing.T) {
	if got, want := reportText(t, new(report.Report)), "records  0: 0 answered; 0 failed\ntime     0 runs\n"; got != want {
		t.Errorf("table %q, want %q", got, want)
	}
}
