package folder

import (
	"strings"
	"testing"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// TestLimits has files that whoever is asked refuses for certain, and those that are just as large
// as they may be.
func TestLimits(t *testing.T) {
	const mega = 1 << 20
	f, _ := folderOf(t, 64*mega, map[string]string{
		"fits.gif": gif + strings.Repeat("x", 5*mega/4*3-len(gif)), "large.gif": gif + strings.Repeat("x", 5*mega/4*3-len(gif)+1),
		"half.pdf": pdf + strings.Repeat("x", 25*mega-len(pdf)), "a.txt": "x",
	})
	openAI := provider.FileLimitsOf(provider.DefaultBaseURL(record.OpenAI), record.OpenAI)
	anthropic := provider.FileLimitsOf(provider.DefaultBaseURL(record.Anthropic), record.Anthropic)
	for _, c := range []struct {
		limits   *provider.FileLimits
		endpoint record.Endpoint
		paths    string
		says     string // "" for what fits
	}{
		{openAI, record.Chat, "large.gif", ""},
		{openAI, record.Chat, "half.pdf half.pdf", ""},
		{openAI, record.Chat, "half.pdf half.pdf a.txt", "52428801 bytes are more than the 52428800 that OpenAI takes"},
		{anthropic, record.Messages, "fits.gif", ""},
		{anthropic, record.Messages, "large.gif", "are more than the 5242880 that Anthropic takes of an image, in base64"},
		{anthropic, record.Messages, "half.pdf", "are more than the 33554432 that Anthropic takes of a request, with its files in base64"},
		{anthropic, record.Messages, "fits.gif fits.gif fits.gif", ""},
		{anthropic.Loosest(nil), record.Messages, "large.gif", ""},
		{anthropic.Loosest(anthropic), record.Messages, "large.gif", "takes of an image"},
		{anthropic.Loosest(openAI), record.Messages, "large.gif half.pdf", ""},
	} {
		f.Limits = c.limits
		err := f.Look(recordOf(t, c.endpoint, strings.Fields(c.paths)...))
		if (err == nil) != (c.says == "") || err != nil && (err.Code != "attachment_too_large" || !strings.Contains(err.Message, c.says)) {
			t.Errorf("%s at %+v: %v, want %q", c.paths, c.limits, err, c.says)
		}
	}
}
