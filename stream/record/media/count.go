package media

import (
	"math"
	"strings"
)

// Tokens are the prompt tokens that parts are billed as.
type Tokens struct {
	Likely int64 // by what is known of them; of an image by URL the most that there is for one
	Most   int64 // of those that there is published arithmetic for
	Open   bool  // there are others: they have no bound but the model's context window, together
	// Context is what they take of the context window and of rate limits, which of one model's images
	// is less than what is billed.
	Context int64
}

// StrayTokens is what base64 counts as that no part tells the kind of: a picture of a megapixel.
const StrayTokens = 1024

// Count is what a request's parts are billed as for a model.
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

// tokens are those of one part.
type tokens struct{ likely, most int64 }

// unbounded is most where nothing is published.
const unbounded = math.MaxInt64

// model is what the arithmetic depends on.
type model struct {
	maker    maker
	tiles    tiles   // of an image, where OpenAI counts tiles
	patches  patches // of an image, where it counts patches
	inflated bool    // images are billed as more tokens than they are
	large    bool    // Claude sees images in high resolution
	gemini3  bool    // Gemini gives an image a number of tokens whatever its size
}

type maker uint8

const (
	unknown maker = iota
	openAI
	anthropic
	google
)

// modelOf reads a model's name, with or without who serves it: openai/gpt-4o, anthropic.claude-….
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
