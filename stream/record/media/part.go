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

// The details. A request that names none gets what the model has for auto.
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
	// Width and Height are an image's, in pixels, by its own header; 0 where they are not known.
	Width, Height int
	// Encoded is how many bytes of the body its data takes in base64, the quotes included; 0 where the
	// request only says where it is.
	Encoded int
	// Apart says that the data is not in the body yet: it is a file's, which is read when the request
	// goes.
	Apart bool
	// Rate is how many bytes a second of a recording takes, by its own header; 0 where that is not
	// known.
	Rate int
}

// size is about how many bytes the part has.
func (p *Part) size() int64 { return int64(p.Encoded) / 4 * 3 }

// Names reports whether text, a string of a body, may be the type of a part. It is quick.
func Names(text []byte) bool { return typed(text) != None }

// typed is the kind by the type of a content part, as OpenAI's and Anthropic's APIs and those like
// them have it.
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

// kindOf is what a media type says, None where it says nothing.
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
