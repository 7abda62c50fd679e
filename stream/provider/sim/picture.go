package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"image"
	_ "image/gif"  // the formats that images may have
	_ "image/jpeg" //
	_ "image/png"  //
	"math"
	"strings"
)

// picture is a part of a prompt that is not text: an image, a recording or a file.
type picture struct {
	part          string // the part's type
	message, at   int    // which message's, and which part there
	form          string // the member that it stands in
	raw           []byte // that member's value
	detail        string
	mediaType     string // that it says it has; "" where it is elsewhere
	format        string // of a recording
	byID          bool   // it was uploaded
	data          []byte // decoded; nil where it is elsewhere
	encoded       int    // bytes, before that
	width, height int    // of an image
}

// Nobody fetches what is elsewhere: it counts as an image of a megapixel, or so many bytes of
// something else.
const (
	sideElsewhere  = 1024
	bytesElsewhere = 100_000
)

// A page's image, in pixels: letter paper at 128 dots an inch.
const pageWidth, pageHeight = 1088, 1408

// look finds the data, and what an image's size is.
func (p *picture) look() {
	var members struct {
		URL       string `json:"url"`
		Data      string `json:"data"`
		File      string `json:"file_data"`
		ID        string `json:"file_id"`
		Detail    string `json:"detail"`
		Format    string `json:"format"`
		MediaType string `json:"media_type"`
	}
	if json.Unmarshal(p.raw, &members.URL) != nil {
		_ = json.Unmarshal(p.raw, &members) // what has another form counts as elsewhere
	}
	if members.Detail != "" {
		p.detail = members.Detail
	}
	p.format, p.mediaType, p.byID = members.Format, members.MediaType, members.ID != ""
	for _, text := range []string{members.URL, members.Data, members.File} {
		if head, after, ok := strings.Cut(text, ";base64,"); ok {
			p.mediaType, text = strings.TrimPrefix(head, "data:"), after
		} else if text == members.URL {
			continue
		}
		if text != "" {
			p.encoded = len(text)
			p.data, _ = base64.StdEncoding.DecodeString(text)
		}
	}
	p.width, p.height = sideElsewhere, sideElsewhere
	if c, _, err := image.DecodeConfig(bytes.NewReader(p.data)); err == nil {
		p.width, p.height = c.Width, c.Height
	}
}

// tokens is what the picture is billed as: an image as OpenAI does (see imageTokens), a recording
// by ten tokens a second of its WAV, or of 8,000 bytes, and a PDF, of which OpenAI puts both the
// text and an image of each page into the prompt (developers.openai.com/docs/guides/pdf-files), by
// an image a page and a token for each 50 bytes.
func (p *picture) tokens(model string) int {
	size := len(p.data)
	if p.data == nil {
		size = bytesElsewhere
	}
	switch p.form {
	case "input_audio":
		rate := 8000
		if len(p.data) > 32 && string(p.data[8:16]) == "WAVEfmt " {
			rate = int(binary.LittleEndian.Uint32(p.data[28:]))
		}
		return 10 * (size + rate - 1) / max(rate, 1)
	case "file", "file_data":
		return size/50 + p.pages()*imageTokens(model, pageWidth, pageHeight, p.detail)
	}
	if p.part == "document" {
		return size/50 + p.pages()*imageTokens(model, pageWidth, pageHeight, "")
	}
	return imageTokens(model, p.width, p.height, p.detail)
}

// tileRates are the base and the tile, in tokens, and patchRates the tokens for a thousand patches,
// by the beginning of a model's name, as OpenAI's guide has them ("Images and vision", "Calculating
// costs"). Other models are billed as gpt-4o.
var (
	tileRates = []struct {
		name       string
		base, tile int
	}{{"gpt-4o-mini", 2833, 5667}, {"gpt-5", 70, 140}, {"o1", 75, 150}, {"o3", 75, 150}, {"", 85, 170}}
	patchRates = []struct {
		name     string
		thousand int
	}{{"gpt-4.1-mini", 1620}, {"gpt-4.1-nano", 2460}, {"gpt-5-mini", 1620}, {"gpt-5-nano", 2460}, {"o4-mini", 1720}}
)

// imageTokens is what OpenAI bills for an image; what Anthropic does for a Claude, a token for 750
// pixels of at most 1,568 a side and 1,600 tokens; and what Google does for a Gemini, 258 tokens
// for each 768 pixels square.
func imageTokens(model string, width, height int, detail string) int {
	switch {
	case strings.Contains(model, "claude-"):
		if long := max(width, height); long > 1568 {
			width, height = width*1568/long, height*1568/long
		}
		return min((width*height+749)/750, 1600)
	case strings.Contains(model, "gemini-"):
		return 258 * ((width + 767) / 768) * ((height + 767) / 768)
	}
	for _, p := range patchRates {
		if strings.HasPrefix(model, p.name) {
			return (patchesOf(width, height)*p.thousand + 999) / 1000
		}
	}
	for _, t := range tileRates {
		if !strings.HasPrefix(model, t.name) {
			continue
		}
		if detail == "low" {
			return t.base
		}
		long, short := max(width, height), min(width, height)
		if long > 2048 {
			long, short = 2048, short*2048/long
		}
		if short > 768 {
			long, short = long*768/short, 768
		}
		return t.base + t.tile*((long+511)/512)*((short+511)/512)
	}
	return 0
}

// patchesOf is how many squares of 32 pixels an image has that is scaled down to at most 1,536.
func patchesOf(width, height int) int {
	const most = 1536
	if n := (width + 31) / 32 * ((height + 31) / 32); n <= most {
		return n
	}
	w, h := float64(width)/32, float64(height)/32
	shrink := math.Sqrt(most / (w * h))
	fit := min(math.Floor(w*shrink)/(w*shrink), math.Floor(h*shrink)/(h*shrink))
	return int(math.Ceil(w*shrink*fit-1e-9)) * int(math.Ceil(h*shrink*fit-1e-9))
}
