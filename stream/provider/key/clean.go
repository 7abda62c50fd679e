package key

import (
	"errors"
	"strings"
)

// Clean returns a key as it is sent to a provider: without the white space and line ends that files
// and command lines leave around it. The error says what is wrong with the key, and never shows the
// key. Its text continues a sentence that begins with where the key came from.
func Clean(text string) (string, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	quoted := func(mark string) bool {
		return len(text) > 1 && strings.HasPrefix(text, mark) && strings.HasSuffix(text, mark)
	}
	switch {
	case strings.ContainsAny(text, "\r\n"):
		return "", errors.New("contains a line break, but a key is one line")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("contains a control character")
	case strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }):
		return "", errors.New("contains a non-ASCII character, which no key has")
	case quoted(`"`), quoted(`'`):
		return "", errors.New("is in quotation marks: a shell removes them, but docker's --env-file does not")
	case len(text) > 7 && strings.EqualFold(text[:7], "bearer "):
		return "", errors.New("begins with Bearer, which llmpipe adds itself")
	}
	return text, nil
}
