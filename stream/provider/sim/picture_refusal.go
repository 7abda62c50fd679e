package sim

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// What OpenAI accepts in a request: 500 images, and 50 MB of images and files in all
// (developers.openai.com/docs/guides/images-vision, .../pdf-files).
const (
	openaiImages    = 500
	openaiFileBytes = 50 << 20
)

// What Anthropic accepts. An image may have 5 MB of base64 and 8000 pixels a side, or 2000 if there
// are more than 20 images. A model with a context window of 200,000 tokens, as most have, accepts
// 100 images and 100 pages of PDFs; other models accept 600 of each
// (platform.claude.com/docs/en/build-with-claude/vision and .../pdf-support; that the 5 MB are of
// base64: github.com/lobehub/lobehub/pull/14711).
const (
	anthropicImageBytes = 5 << 20
	anthropicSide       = 8000
	anthropicManySide   = 2000
	anthropicMany       = 20
	anthropicImages     = 100
	anthropicPages      = 100
	anthropicLarge      = 600
)

// anthropicBody is how large a request to Anthropic's API may be
// (platform.claude.com/docs/en/api/overview).
const anthropicBody = 32 << 20

// errBody is the error for a body that could not be read whole. Anthropic's message for a body that
// is too large is from its documentation of errors.
func (e *endpoint) errBody(cause error) *apiError {
	fault := errBody(cause)
	if e.anthropic && fault.status == http.StatusRequestEntityTooLarge {
		fault.message = "Request exceeds the maximum allowed number of bytes."
	}
	return fault
}

var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// checkPictures says why a request is refused for its pictures.
func (q *request) checkPictures() *apiError {
	images, size, pages := 0, 0, 0
	for i := range q.pictures {
		p := &q.pictures[i]
		size += len(p.data)
		if p.isImage() {
			images++
		}
		if p.isPDF() && q.endpoint.anthropic {
			pages += p.pages()
		}
	}
	for i := range q.pictures {
		p := &q.pictures[i]
		refuse := q.refuseOpenAI
		if q.endpoint.anthropic {
			refuse = q.refuseAnthropic
		}
		if fault := refuse(p, images); fault != nil {
			return fault
		}
	}
	// What OpenAI and Anthropic say about these numbers is not documented: the messages are our own.
	switch {
	case q.endpoint.anthropic:
		most := anthropicImages
		if largeWindow(q.model) {
			most = anthropicLarge
		}
		if pages > most {
			return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf("A maximum of %d PDF pages may be provided.", most)}
		}
		if images > most {
			return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf("messages: a maximum of %d images may be provided.", most)}
		}
	case images > openaiImages:
		return &apiError{status: http.StatusBadRequest, kind: invalid, param: q.endpoint.prompt, code: "invalid_value",
			message: fmt.Sprintf("The request has %d images, and at most %d are allowed.", images, openaiImages)}
	case size > openaiFileBytes:
		return &apiError{status: http.StatusBadRequest, kind: invalid, param: q.endpoint.prompt, code: "file_too_large",
			message: fmt.Sprintf("The files in the request have %d bytes, and at most %d are allowed.", size, openaiFileBytes)}
	}
	return nil
}

// largeWindow reports whether a model has a context window of a million tokens. It recognizes the
// names of Claude 4.6 to 4.9.
func largeWindow(model string) bool {
	_, version, _ := strings.Cut(model, "-4-")
	return len(version) > 0 && version[0] >= '6' && version[0] <= '9' && (len(version) == 1 || version[1] == '-')
}

// refuseOpenAI says why OpenAI refuses a picture. The messages are in
// github.com/STranslate/STranslate/issues/277, langgenius/dify/issues/11527,
// mkht/PSOpenAI/issues/43, vercel/ai/issues/7266 and adamcohenhillel/ADeus/issues/60.
func (q *request) refuseOpenAI(p *picture, _ int) *apiError {
	refusal := func(code, format string, args ...any) *apiError {
		return &apiError{status: http.StatusBadRequest, kind: invalid, code: code, message: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.isImage() && p.mediaType == "": // it is elsewhere
	case p.isImage() && q.endpoint == responses && (!slices.Contains(imageTypes, p.mediaType) || p.data == nil):
		got := "an invalid base64-encoded value"
		if p.data != nil {
			got = "unsupported MIME type '" + p.mediaType + "'"
		}
		return refusal("invalid_value", "Invalid '%s'. Expected a base64-encoded data URL with an image MIME type (e.g. "+
			"'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got %s.", p.place(q.endpoint.prompt), got)
	case p.isImage() && !strings.HasPrefix(p.mediaType, "image/"):
		return refusal("invalid_image_format", "Invalid MIME type. Only image types are supported.")
	case p.isImage() && !slices.Contains(imageTypes, p.found()):
		return refusal("invalid_image_format", "You uploaded an unsupported image. Please make sure your image has of one the "+
			"following formats: ['png', 'jpeg', 'gif', 'webp'].")
	case p.form == "input_audio":
		return p.refuseSound(refusal)
	case (p.form == "file" || p.form == "file_data") && !p.byID && (p.mediaType != "application/pdf" || p.data == nil):
		got := "an invalid base64-encoded value"
		if p.mediaType != "" && p.mediaType != "application/pdf" {
			got = "unsupported MIME type '" + p.mediaType + "'"
		}
		return refusal("invalid_value", "Invalid file data: '%s'. Expected a base64-encoded data URL with an application/pdf MIME type "+
			"(e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got %s.", p.place(q.endpoint.prompt), got)
	}
	return nil
}

// refuseSound says why OpenAI refuses a recording.
func (p *picture) refuseSound(refusal func(code, format string, args ...any) *apiError) *apiError {
	if p.format != "wav" && p.format != "mp3" {
		return refusal("invalid_value", "Invalid value: '%s'. Supported values are: 'wav' and 'mp3'.", p.format)
	}
	if p.found() != map[string]string{"wav": "audio/wave", "mp3": "audio/mpeg"}[p.format] {
		return refusal("", "The audio file could not be decoded or its format is not supported.")
	}
	return nil
}

// refuseAnthropic says why Anthropic refuses a picture. images is the number of images in the
// request. The messages are in github.com/anthropics/claude-code/issues/19631, 8184, 4778, 24630
// and 5707, and in vybestack/llxprt-code/issues/2130.
func (q *request) refuseAnthropic(p *picture, images int) *apiError {
	if p.form != "source" || p.mediaType == "" || p.part == "document" && p.mediaType != "application/pdf" {
		return nil
	}
	at := fmt.Sprintf("messages.%d.content.%d.%s.source.base64", p.message, p.at, p.part)
	side := anthropicSide
	if images > anthropicMany {
		side = anthropicManySide
	}
	switch {
	case p.part == "document" && !p.isPDF():
		return errField(strings.Replace(at, ".document.", ".pdf.", 1)+".data", "The PDF specified was not valid.")
	case p.part == "document":
	case !slices.Contains(imageTypes, p.mediaType):
		return errField(at+".media_type", "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
	case p.encoded > anthropicImageBytes:
		return errField(at, fmt.Sprintf("image exceeds 5 MB maximum: %d bytes > %d bytes", p.encoded, anthropicImageBytes))
	case !slices.Contains(imageTypes, p.found()):
		return &apiError{status: http.StatusBadRequest, message: "Could not process image"}
	case p.found() != p.mediaType:
		return errField(at, "The image was specified using the "+p.mediaType+" media type, but the image appears to be a "+p.found()+" image")
	case max(p.width, p.height) > side && side == anthropicSide:
		return errField(at+".data", fmt.Sprintf("At least one of the image dimensions exceed max allowed size: %d pixels", side))
	case max(p.width, p.height) > side:
		return errField(at+".data", fmt.Sprintf("At least one of the image dimensions exceed max allowed size for many-image requests: %d pixels",
			side))
	}
	return nil
}

func (p *picture) isImage() bool {
	return p.form == "image_url" || p.form == "source" && p.part == "image"
}

func (p *picture) isPDF() bool { return bytes.HasPrefix(p.data, []byte("%PDF-")) }

// place returns where the picture is in the request, in OpenAI's notation.
func (p *picture) place(prompt string) string {
	member := p.form
	if member == "file" {
		member = "file.file_data"
	}
	return fmt.Sprintf("%s[%d].content[%d].%s", prompt, p.message, p.at, member)
}

// found returns the type of the data by its first bytes, as [http.DetectContentType] does. It also
// recognizes an MP3 that does not begin with a tag.
func (p *picture) found() string {
	if len(p.data) > 1 && p.data[0] == 0xff && p.data[1]&0xe0 == 0xe0 && p.data[1] != 0xff {
		if found := http.DetectContentType(p.data); strings.HasPrefix(found, "image/") {
			return found
		}
		return "audio/mpeg"
	}
	return http.DetectContentType(p.data)
}

// pages returns how many pages a PDF has: as many as it names or, if the names are compressed,
// about one for each 50,000 bytes.
func (p *picture) pages() int {
	named := bytes.Count(p.data, []byte("/Type /Page")) + bytes.Count(p.data, []byte("/Type/Page")) -
		bytes.Count(p.data, []byte("/Type /Pages")) - bytes.Count(p.data, []byte("/Type/Pages"))
	if named > 0 {
		return named
	}
	return len(p.data)/50_000 + 1
}
