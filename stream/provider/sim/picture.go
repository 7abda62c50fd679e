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
	message, at   int    // the index of the message, and of the part in it
	form          string // the member that holds it
	raw           []byte // that member's value
	detail        string
	mediaType     string // the one that it declares; "" if the data is elsewhere
	format        string // of a recording
	byID          bool   // it names an uploaded file
	data          []byte // decoded; nil if it is elsewhere
	encoded       int    // its size before decoding, in bytes
	width, height int    // of an image, in pixels
}

// Data that is elsewhere is not fetched. An image counts as one megapixel, and anything else as
// bytesElsewhere bytes.
const (
	sideElsewhere  = 1024
	bytesElsewhere = 100_000
)

// The size of a page's image, in pixels: letter paper at 128 dots per inch.
const pageWidth, pageHeight = 1088, 1408

// look finds the data, and the size of an image.
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
		_ = json.Unmarshal(p.raw, &members) // a value of another form counts as elsewhere
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

// tokens returns how many tokens are billed for the picture. An image is billed as imageTokens
// says. A recording takes ten tokens a second: the byte rate is in the header of a WAV, and
// otherwise it is taken as 8,000 bytes a second. A PDF takes an image for each page and a token for
// each 50 bytes, because OpenAI puts both the text and an image of each page into the prompt
// (developers.openai.com/docs/guides/pdf-files).
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

// tileRates gives the tokens of the base and of a tile, and patchRates the tokens of a thousand
// patches, by the prefix of a model's name. They are from OpenAI's guide ("Images and vision",
// "Calculating costs"). Other models are billed like gpt-4o.
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

// imageTokens returns how many tokens are billed for an image. For a Claude model it follows
// Anthropic: a token for each 750 pixels, after scaling to at most 1,568 pixels a side, and at most
// 1,600 tokens. For a Gemini model it follows Google: 258 tokens for each tile of 768 by 768
// pixels. For all others it follows OpenAI.
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

// patchesOf returns how many patches of 32 by 32 pixels cover an image, after it was scaled down to
// at most 1,536 of them.
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
