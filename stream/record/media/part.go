package media

import "strings"

// Kind is what a part of a request is.
type Kind uint8

// The kinds.
const (
	None     Kind = iota
	Image         // a picture
	Audio         // a recording
	Document      // a PDF, or a file of a kind that is not known
	Text          // a file of plain text
	Video         // a film
)

// Detail is how closely a model is to look at an image.
type Detail uint8

// The details. A part that names none has Auto.
const (
	Auto Detail = iota
	Low
	High
	Original
)

// Part is an image, a recording or a file in a request.
type Part struct {
	Kind   Kind
	Detail Detail
	// Width and Height are an image's, in pixels, from its own header; 0 if unknown.
	Width, Height int
	// Encoded is how many bytes of the body the part's base64 takes, with its quotes; 0 if the request
	// only says where the data is.
	Encoded int
	// Apart says that the data is not in the body yet: it is in a file, which is read when the request
	// is sent.
	Apart bool
	// Rate is the bytes per second of a recording, from its own header; 0 if unknown.
	Rate int
}

// size estimates how many bytes the part's data has.
func (p *Part) size() int64 { return int64(p.Encoded) / 4 * 3 }

// Names reports whether text, a string of a body, may be the type of a part. It is quick.
func Names(text []byte) bool { return typed(text) != None }

// typed returns the kind of a content part from its type, as OpenAI's and Anthropic's APIs and
// those like them name it; None for other types.
func typed(name []byte) Kind {
	switch string(name) {
	case "image_url", "input_image", "image", "image_file", "computer_screenshot":
		return Image
	case "input_audio", "audio_url", "audio":
		return Audio
	case "file", "input_file", "document", "document_url":
		return Document
	case "video_url", "input_video", "video":
		return Video
	}
	return None
}

// kindOf returns the kind of a media type; None if it is of no kind.
func kindOf(mediaType string) Kind {
	main, _, _ := strings.Cut(mediaType, "/")
	switch {
	case main == "image":
		return Image
	case main == "audio":
		return Audio
	case main == "video":
		return Video
	case main == "text", mediaType == "application/json":
		return Text
	case mediaType == "application/pdf":
		return Document
	}
	return None
}

func detailOf(name string) Detail {
	switch name {
	case "low":
		return Low
	case "high":
		return High
	case "original":
		return Original
	}
	return Auto
}
