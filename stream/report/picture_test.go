package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// The picture of a report's page that README shows is the page itself, as far as its charts over
// time go, in an SVG file: browsers draw HTML there.
func TestPictureOfThePage(t *testing.T) {
	const head = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="1075" role="img" aria-label="` +
		`A page of llmpipe report: figures at the head, then charts of spend and throughput.">` + "\n"
	page, err := pageOf(jobReport(t, 2), []string{"llmpipe.ledger.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(page), "<body>\n")
	body, _, cut := strings.Cut(body, "<section>\n<h2>Latency</h2>")
	if !cut {
		t.Fatal("the page has no latencies")
	}
	body = strings.ReplaceAll(body, "<svg ", `<svg xmlns="http://www.w3.org/2000/svg" `)
	picture := head + "<style>" + pageStyle + "</style>\n<foreignObject width=\"100%\" height=\"100%\">\n" +
		`<body xmlns="http://www.w3.org/1999/xhtml">` + "\n" + body + "</main>\n</body>\n</foreignObject>\n</svg>\n"
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	const most = 60_000
	if len(picture) > most {
		t.Errorf("the picture has %d bytes, want at most %d", len(picture), most)
	}
	checkGolden(t, []byte(picture), "..", "..", "testdata", "pictures", "report.svg")
}
