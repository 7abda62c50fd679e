package provider

import "llmpipe/stream/record"

// FileLimits are a provider's limits on the files in a request, in bytes. 0 means that no limit is
// known.
type FileLimits struct {
	Who     string // the provider whose limits they are
	Image   int64  // an image, in base64
	Files   int64  // all files together, before base64
	Request int64  // the whole request
}

// FileLimitsOf returns the limits of the provider at baseURL beyond which it is certain to refuse;
// nil if they are not known, as for a self-hosted server.
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

// Loosest returns the limits that hold at either of two providers, whichever a request goes to; nil
// if those of one are unknown.
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
