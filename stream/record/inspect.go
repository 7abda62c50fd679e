package record

import (
	"math"
	"strconv"

	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// inspect reads the members of the body that the pipeline needs, and computes its fingerprint.
func (d *Decoder) inspect(rec *Record) *Error {
	body := rec.Body
	request := d.hash.sum(hashPrefixes[rec.Endpoint], body)
	var maxCompletion, maxTokens, maxOutput, n, bestOf int
	prompts := 1
	for i := range d.hash.outer {
		e := &d.hash.outer[i]
		value := e.of(body)
		switch string(e.name) {
		case "model":
			if !rawjson.IsString(value) {
				return invalid("invalid_model", "`model` is %s, not a string", rawjson.KindOf(value))
			}
			rec.Model = intern(&d.lastModel, value)
			rec.modelStart, rec.modelEnd = e.value.at, e.end
		case "service_tier":
			if rawjson.IsString(value) && rec.Tier == "" {
				rec.Tier = intern(&d.lastTier, value)
			}
		case "speed":
			if string(value) == `"fast"` {
				rec.Tier = "fast" // Anthropic's fast mode, whatever the tier
			}
		case "web_search_options":
			if size := rawjson.MemberOf(value, "search_context_size"); rawjson.IsString(size) {
				rec.SearchContext = string(rawjson.Unquote(nil, size))
			}
		case "stream":
			if value[0] == 't' {
				return invalid("stream_unsupported", "`stream` is true, but answers are not streamed; leave it out")
			}
		case "background":
			if value[0] == 't' && rec.Endpoint == Responses {
				return invalid("background_unsupported",
					"`background` is true, but background jobs are not waited for; leave it out, or use --mode batch")
			}
		case "previous_response_id", "conversation":
			rec.continues = rec.continues || rec.Endpoint == Responses && !rawjson.IsNull(value)
		case "max_completion_tokens":
			maxCompletion = count(value)
		case "max_tokens":
			maxTokens = count(value)
		case "max_output_tokens":
			maxOutput = count(value)
		case "n":
			n = count(value)
		case "best_of":
			bestOf = count(value)
		case "prompt":
			prompts = countPrompts(value)
			rec.continues = rec.continues || rec.Endpoint == Responses && value[0] == '{'
		}
	}
	for _, limit := range [...]int{maxCompletion, maxTokens, maxOutput} {
		if limit > 0 {
			rec.MaxTokens = limit
			break
		}
	}
	rec.N = max(1, n)
	if rec.Endpoint == Completions {
		rec.N = multiply(max(rec.N, bestOf), prompts)
	}
	rec.Request = request
	rec.TextBytes = len(body)
	if d.hash.parts || d.hash.blobs > 0 {
		d.inspectMedia(rec)
	}
	return nil
}

// inspectMedia finds the images, recordings and files in the body. Any other base64 counts as an
// image, too.
func (d *Decoder) inspectMedia(rec *Record) {
	rec.Media = media.Scan(rec.Media[:0], rec.Body)
	encoded, known := 0, 0
	for i := range rec.Media {
		encoded += rec.Media[i].Encoded
		if rec.Media[i].Encoded > blobSize {
			known++
		}
	}
	rec.strays = max(0, d.hash.images-known)
	other := media.Count(rec.Model, rec.Media).Context + int64(rec.strays)*media.StrayTokens
	rec.TextBytes = len(rec.Body) - max(d.hash.blobs, encoded) + int(min(other*tokenBytes, math.MaxInt32))
}

// hashPrefixes holds the text that is hashed before a body, so that the same body has a different
// fingerprint at each endpoint.
var hashPrefixes = func() (prefixes [len(endpoints)]string) {
	for e := range prefixes {
		prefixes[e] = Endpoint(e).String() + "\n"
	}
	return prefixes
}()

// tokenBytes is the number of bytes that a token of an image or a recording adds to TextBytes. It
// is also the number of bytes assumed for a token of text before the first answer.
const tokenBytes = 3

// count returns the value as a whole number, at most [math.MaxInt32]; 0 if it is negative or
// anything else.
func count(value []byte) int {
	if n, ok := rawjson.WholeNumber(value); ok {
		return int(min(n, math.MaxInt32))
	}
	if !rawjson.IsNumber(value) {
		return 0
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f < 1 || f != math.Trunc(f) {
		return 0
	}
	return int(min(f, math.MaxInt32))
}

// countPrompts returns how many prompts a completions body holds: a string is one, and so is an
// array of token numbers; an array of either holds several.
func countPrompts(value []byte) int {
	n := 0
	rawjson.Elements(value, func(prompt []byte) bool {
		if !rawjson.IsNumber(prompt) {
			n++
		}
		return true
	})
	return max(1, n)
}

// multiply multiplies without overflow on any platform.
func multiply(a, b int) int {
	return int(min(int64(a)*int64(b), math.MaxInt32))
}
