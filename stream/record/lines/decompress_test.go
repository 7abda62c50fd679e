package lines

import (
	"strings"
	"testing"
)

// A few bytes do not make the decoder of an answer take half a gigabyte, as they may that of a
// file.
func TestContentLooksBackLittle(t *testing.T) {
	const (
		magic  = "\x28\xb5\x2f\xfd"
		window = "\x00\x98" // no checksum, no size, 2^29 bytes: RFC 8878, section 3.1.1.1
		last   = "\x01\x00\x00"
	)
	frame := magic + window + last
	if r, err := OpenContent(strings.NewReader(frame)); err == nil {
		if _, err = r.ReadByte(); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("an answer is read: %v", err)
		}
	}
	if r, err := Open(strings.NewReader(frame + "\n")); err != nil {
		t.Errorf("a file is not read: %v", err)
	} else if _, err := r.ReadByte(); err != nil && strings.Contains(err.Error(), "window") {
		t.Errorf("a file is not read: %v", err)
	}
}
