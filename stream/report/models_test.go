package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"llmpipe/stream/ui"
)

func TestModelsFit(t *testing.T) {
	var out bytes.Buffer
	if err := Models(&out, ModelsConfig{}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") < 150 {
		t.Errorf("the table has only these lines:\n%s", &out)
	}
	for line := range strings.Lines(out.String()) {
		if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > priceWidth {
			t.Errorf("%d characters: %s", width, line)
		}
	}
}

func TestModelsUnknown(t *testing.T) {
	var out bytes.Buffer
	err := Models(&out, ModelsConfig{Names: []string{"no-such", "openrouter"}})
	if err == nil || err.Error() != "no price is known for no-such, openrouter" || ui.HintOf(err) == "" || out.Len() > 0 {
		t.Errorf("%v, hint %q, wrote %s", err, ui.HintOf(err), &out)
	}
}
