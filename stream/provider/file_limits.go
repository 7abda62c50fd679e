package provider

import "llmpipe/stream/record"

// FileLimits are what a provider takes of the files in a request at most, in bytes. 0 is no limit
// that is known.
type FileLimits struct {
	Who     string // whose they are
	Image   int64  // an image, in base64
	Files   int64  // all files, before they are put into base64
	Request int64  // the request with all that is in it
}

// FileLimitsOf is what the provider at baseURL takes, of which it is certain that it refuses more;
// nil where that is not known, as of a server of one's own.
//
// OpenAI: developers.openai.com/docs/guides/images-vision and .../pdf-files. Anthropic:
// platform.claude.com/docs/en/build-with-claude/vision and .../api/overview.
func FileLimitsOf(baseURL string, d record.Dialect) *FileLimits {
	host := NameOf(baseURL)
	switch {
	case d == record.Anthropic && (host == simName || host == NameOf(DefaultBaseURL(record.Anthropic))):
		return &FileLimits{Who: "Anthropic", Image: 5 << 20, Request: 32 << 20}
	case d == record.OpenAI && (host == simName || host == NameOf(DefaultBaseURL(record.OpenAI))):
		return &FileLimits{Who: "OpenAI", Files: 50 << 20}
	}
	return nil
}

// Loosest are the limits that hold wherever a request goes of two that are known, or not.
func (l *FileLimits) Loosest(other *FileLimits) *FileLimits {
	if l == nil || other == nil {
		return nil
	}
	looser := func(a, b int64) int64 {
		if a == 0 || b == 0 {
			return 0
		}
		return max(a, b)
	}
	return &FileLimits{
		Who: l.Who, Image: looser(l.Image, other.Image), Files: looser(l.Files, other.Files), Request: looser(l.Request, other.Request),
	}
}
