package ui

import (
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the picture anew")

// The picture of the status line that README shows has the very line.
func TestPictureOfTheStatusLine(t *testing.T) {
	s := Status{
		Done: 6_712, Total: 10_000, PerSecond: 93, ETA: 35, InFlight: 20, Allowed: 24, Sleeping: 12,
		RPM: 5_580, RPMLimit: 5_800, TPM: 1_480_000, TPMLimit: 1_500_000, Spent: 1_230_000_000, Budget: 5_000_000_000,
	}
	const wide = 132 // columns of a terminal
	line := s.line(wide)
	escape := func(text string) string {
		var out strings.Builder
		_ = xml.EscapeText(&out, []byte(text)) // to memory, which does not fail
		return out.String()
	}
	picture := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 66" width="960" role="img" aria-label="` +
		"A terminal: llmpipe prompts.jsonl &gt; answers.jsonl, and below it the status line: " + escape(line) + `">` + `
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d8dade; white-space: pre; }
.prompt { fill: #8a9099; }
</style>
<rect width="960" height="66" rx="6" fill="#1b1d21"/>
<text x="18" y="27"><tspan class="prompt">$ </tspan>llmpipe prompts.jsonl --budget 5 &gt; answers.jsonl</text>
<text x="18" y="48" textLength="924" lengthAdjust="spacingAndGlyphs">` + escape(line) + `</text>
</svg>
`
	name := filepath.Join("..", "..", "testdata", "pictures", "status.svg")
	if *update {
		if err := os.WriteFile(name, []byte(picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != picture {
		t.Errorf("%s is not what the status line is now, %v; -update writes it", name, err)
	}
}
