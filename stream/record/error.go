package record

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"llmpipe/stream/record/rawjson"
)

// Types of the errors that this package makes; those of a provider come from its answer.
const (
	TypeInvalidInput = "invalid_input" // the line does not make a request
	TypeUpstream     = "upstream"      // the line is a record that had failed in the previous stage
)

// maxText bounds each text of an [Error], in bytes. A provider may repeat the whole prompt in its
// message, and a line of input may have any length.
const maxText = 4 << 10

// Cut returns a text as an [Error] keeps it: whole, or its first 4 KiB, cut between characters, and
// an ellipsis.
func Cut[T ~string | ~[]byte](text T) string {
	const ellipsis = "…"
	if len(text) <= maxText {
		return string(text)
	}
	end := maxText - len(ellipsis)
	for end > maxText-2*utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + ellipsis
}

// Error says why a record has no answer. It is what the output line holds under `error`. Its texts
// have at most 4 KiB each.
type Error struct {
	Type    string // the class of the error, such as invalid_input or a provider's own type
	Code    string // what exactly, such as invalid_json; "" if unknown
	Status  int    // HTTP status; 0 when there was no response
	Message string // for people
}

// Cut shortens the texts that are too long to be kept.
func (e *Error) Cut() {
	if max(len(e.Type), len(e.Code), len(e.Message)) > maxText {
		e.Type, e.Code, e.Message = Cut(e.Type), Cut(e.Code), Cut(e.Message)
	}
}

// Error returns the error's type, code and status, and then its message. If a provider repeats one
// of them, such as the status as the code, it appears once.
func (e *Error) Error() string {
	status := ""
	if e.Status != 0 {
		status = strconv.Itoa(e.Status)
	}
	var head []string
	for _, word := range [...]string{e.Type, e.Code, status} {
		if word != "" && !slices.Contains(head, word) {
			head = append(head, word)
		}
	}
	led := strings.Join(head, " ")
	message := strings.TrimPrefix(e.Message, e.Type+": ") // crypto/tls, for one, begins its messages with "tls: "
	switch {
	case led == "":
		return e.Message
	case message == "":
		return led
	}
	return led + ": " + message
}

func invalid(code, format string, args ...any) *Error {
	return &Error{Type: TypeInvalidInput, Code: code, Message: Cut(fmt.Sprintf(format, args...))}
}

// TooLongError returns the error of a line that has size bytes, which is more than max.
func TooLongError(size int64, max int) *Error {
	return invalid("line_too_long", "the line is %d bytes long, and --max-line allows %d", size, max)
}

// syntaxError returns the error of a line that is not JSON.
func syntaxError(line []byte) *Error {
	code, message := rawjson.Diagnose(line)
	return &Error{Type: TypeInvalidInput, Code: code, Message: Cut(message)}
}

// upstreamError returns the error of a record that had failed in the previous stage.
func upstreamError(failed []byte) *Error {
	e, _ := errorOf(failed)
	e.Type, e.Status = TypeUpstream, 0
	if strings.TrimSpace(e.Message) == "" {
		e.Message = "the record failed in the previous stage"
	}
	return e
}
