package media

// A page of a PDF, in tokens and in bytes: Anthropic counts 1,500 to 3,000 tokens of text a page,
// and an image of the page (platform.claude.com/docs/en/build-with-claude/pdf-support); OpenAI puts
// both into the prompt, too; Gemini counts 258 up to version 2.5, and 560 from 3 on, text included
// (ai.google.dev/gemini-api/docs/media-resolution).
const (
	pageText    = 1500
	pageImage   = 1000
	geminiPage  = 258
	gemini3Page = 560
	pageBytes   = 50_000
	likelyPages = 10 // assumed for a document whose data is not in the request
)

// document returns the tokens that a PDF, or a file of an unknown kind, is billed as. Its first
// bytes do not give its number of pages.
func (m *model) document(p *Part) tokens {
	pages := int64(likelyPages)
	if p.Encoded > 0 {
		pages = p.size()/pageBytes + 1
	}
	page := int64(pageText + pageImage)
	switch {
	case m.gemini3:
		page = gemini3Page
	case m.maker == google:
		page = geminiPage
	}
	return tokens{pages * page, unbounded}
}

// text returns the tokens that a file of plain text is billed as. A token is at least one byte.
func text(p *Part) tokens {
	if p.Encoded == 0 {
		return tokens{likelyPages * pageText, unbounded}
	}
	return tokens{p.size()/4 + 1, p.size() + 3}
}
