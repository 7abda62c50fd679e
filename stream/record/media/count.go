package media

import (
	"math"
	"strings"
)

// Tokens are the prompt tokens that parts are billed as.
type Tokens struct {
	Likely int64 // an estimate; an image by URL counts as the largest image
	Most   int64 // a bound for the parts whose counting is published
	Open   bool  // there are other parts, bounded together only by the model's context window
	// Context is what the parts take of the context window and of rate limits. The images of
	// gpt-4o-mini take less than what is billed.
	Context int64
}

// StrayTokens is what a string of base64 that belongs to no part counts as: a picture of a
// megapixel.
const StrayTokens = 1024

// Count returns what a request's parts are billed as for a model.
func Count(model string, parts []Part) Tokens {
	var sum Tokens
	if len(parts) == 0 {
		return sum
	}
	m := modelOf(model)
	for i := range parts {
		p := &parts[i]
		var t tokens
		switch p.Kind {
		case Image:
			t = m.image(p)
		case Audio:
			t = m.audio(p)
		case Video:
			t = video(p)
		case Text:
			t = text(p)
		default:
			t = m.document(p)
		}
		sum.Likely += t.likely
		sum.Context += t.likely
		if m.inflated && p.Kind == Image {
			sum.Context += t.likely/miniInflation - t.likely
		}
		if t.most == unbounded {
			sum.Open = true
		} else {
			sum.Most += t.most
		}
	}
	return sum
}

// tokens is an estimate for one part, and its bound.
type tokens struct{ likely, most int64 }

// unbounded is the bound of a part that has none.
const unbounded = math.MaxInt64

// model is what the counting depends on.
type model struct {
	maker    maker
	tiles    tiles   // of an image, if OpenAI counts tiles
	patches  patches // of an image, if OpenAI counts patches
	inflated bool    // images are billed as more tokens than they take
	large    bool    // Claude sees images in high resolution
	gemini3  bool    // Gemini counts the same tokens for an image of any size
}

type maker uint8

const (
	unknown maker = iota
	openAI
	anthropic
	google
)

// modelOf reads a model's name, with or without the name of who serves it: openai/gpt-4o,
// anthropic.claude-….
func modelOf(name string) model {
	name = strings.ToLower(name)
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.ReplaceAll(strings.TrimPrefix(name, "ft:"), ".", "-")
	if i := strings.Index(name, "claude-"); i >= 0 {
		return model{maker: anthropic, large: seesLarge(name[i+len("claude-"):])}
	}
	if strings.HasPrefix(name, "gemini-") {
		return model{maker: google, gemini3: !strings.HasPrefix(name, "gemini-1") && !strings.HasPrefix(name, "gemini-2")}
	}
	for _, f := range openAIFamilies {
		if strings.HasPrefix(name, f.prefix) {
			return model{maker: openAI, tiles: f.tiles, patches: f.patches, inflated: f.inflated}
		}
	}
	return model{}
}
