package line

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Attachment is a file of a request, as it was when it was read.
type Attachment struct {
	Path    string // as the record has it
	Size    int64  // bytes
	ModTime time.Time
	Sum     [sha256.Size]byte
}

// attachmentsName is the name of the member that holds them.
const attachmentsName = "attachments"

// attachmentLen is roughly the length of one of them without its path.
const attachmentLen = len(`{"path":"","size":,"mtime":"2006-01-02T15:04:05.999999999Z","sha256":""},`) + 2*sha256.Size + 10

// appendAttachments writes the member, unless there are none.
func appendAttachments(dst []byte, all []Attachment) []byte {
	if len(all) == 0 {
		return dst
	}
	dst = append(dst, `,"`+attachmentsName+`":[`...)
	for i := range all {
		a := &all[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"path":`...)
		dst, _ = jsontext.AppendQuote(dst, a.Path) // as in appendText
		dst = append(dst, `,"size":`...)
		dst = strconv.AppendInt(dst, a.Size, 10)
		if year := a.ModTime.UTC().Year(); year >= 0 && year <= 9999 { // others cannot be read back
			dst = append(dst, `,"mtime":"`...)
			dst = a.ModTime.UTC().AppendFormat(dst, time.RFC3339Nano)
			dst = append(dst, '"')
		}
		dst = append(dst, `,"sha256":"`...)
		dst = append(hex.AppendEncode(dst, a.Sum[:]), `"}`...)
	}
	return append(dst, ']')
}

// attachments reads the member, into dst.
func (f *field) attachments(dst *[]Attachment) bool {
	return f.each(func(object []byte) bool {
		var a Attachment
		ok := a.read(object)
		*dst = append(*dst, a)
		return ok
	})
}

// read fills an attachment from its JSON object.
func (a *Attachment) read(object []byte) bool {
	return decodeObject(object, func(f *field) bool {
		switch string(f.name) {
		case "path":
			return f.string(&a.Path, "")
		case "size":
			return f.integer(&a.Size)
		case "mtime":
			var text string
			if !f.string(&text, "") {
				return false
			}
			var err error
			a.ModTime, err = time.Parse(time.RFC3339Nano, text)
			return err == nil
		case "sha256":
			return f.request(&a.Sum)
		}
		return true
	}) == nil
}
