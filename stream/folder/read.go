package folder

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"llmpipe/stream/record"
	"llmpipe/stream/record/attach"
	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// chunkBytes is how much is read and encoded at a time: whole groups of base64.
const chunkBytes = 48 << 10

var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

// Size is about how many bytes a record's body takes with its files in it, which were looked at: no
// fewer, but where a text has many characters that JSON escapes.
func Size(r *record.Record, body []byte) int64 {
	size := int64(len(body))
	for i := range r.Files {
		const frame = 256 // around the data
		size += int64(r.Files[i].Part.Encoded) + frame
	}
	return size
}

// Fill appends a record's body, or one with another model, to dst, with its files in the places of
// their marks, and notes what they hold. They were looked at.
func (f *Folder) Fill(dst []byte, r *record.Record, body []byte) ([]byte, *record.Error) {
	return f.put(dst, r, body, f.fill)
}

// Show is Fill, but for the data: there is how many bytes a file has, and their hash.
func (f *Folder) Show(dst []byte, r *record.Record, body []byte) ([]byte, *record.Error) {
	return f.put(dst, r, body, func(dst []byte, file *attach.File) ([]byte, error) {
		if err := f.hash(file); err != nil {
			return dst, err
		}
		return fmt.Appendf(dst, "(%s, %d bytes, sha256 %x)", file.Type, file.Size, file.Sum), nil
	})
}

// put appends the body with what a function puts into each file's part.
func (f *Folder) put(dst []byte, r *record.Record, body []byte, data func([]byte, *attach.File) ([]byte, error)) ([]byte, *record.Error) {
	at := 0
	for i := range r.Files {
		file, mark := &r.Files[i], r.FileAt(body, i)
		before, after, err := file.Frame(r.PartForm())
		if err != nil {
			return dst, failure(file, &notTakenError{err})
		}
		dst = append(append(dst, body[at:mark.Start]...), before...)
		if dst, err = data(dst, file); err != nil {
			return dst, failure(file, err)
		}
		dst, at = append(dst, after...), mark.End
	}
	return append(dst, body[at:]...), nil
}

// fill appends a file's data as it stands in a JSON string.
func (f *Folder) fill(dst []byte, file *attach.File) ([]byte, error) {
	if file.Part.Kind == media.Text {
		return f.fillText(dst, file)
	}
	err := f.read(file, func(data []byte) { dst = base64.StdEncoding.AppendEncode(dst, data) })
	return dst, err
}

func (f *Folder) fillText(dst []byte, file *attach.File) ([]byte, error) {
	text := make([]byte, 0, file.Size)
	if err := f.read(file, func(data []byte) { text = append(text, data...) }); err != nil {
		return dst, err
	}
	if !utf8.Valid(text) {
		return dst, &notTakenError{fmt.Errorf("it begins as a text, and is no UTF-8 further on")}
	}
	quoted := rawjson.AppendQuoted(nil, text)
	return append(dst, quoted[1:len(quoted)-1]...), nil
}

// hash finds out what a file holds, as reading it would.
func (f *Folder) hash(file *attach.File) error { return f.read(file, func([]byte) {}) }

// read hands a file's data on a chunk at a time, and notes its hash. A file that is not what it was
// when it was looked at, or that changes meanwhile, is an error; so it has the size that was
// reckoned with.
func (f *Folder) read(file *attach.File, take func(data []byte)) error {
	in, info, err := f.open(file.Path)
	if err != nil {
		return err
	}
	defer in.Close() // nothing was written
	if info.Size() != file.Size || !info.ModTime().Equal(file.ModTime) {
		return errChanged
	}
	sum := sha256.New()
	if err := copyExactly(in, file.Size, sum, take); err != nil {
		return err
	}
	if info, err = in.Stat(); err != nil {
		return err
	}
	if info.Size() != file.Size || !info.ModTime().Equal(file.ModTime) {
		return errChanged
	}
	sum.Sum(file.Sum[:0])
	return nil
}

// copyExactly reads so many bytes, behind which the file has to end.
func copyExactly(in *os.File, size int64, sum hash.Hash, take func(data []byte)) error {
	chunk := chunks.Get().(*[chunkBytes]byte)
	defer chunks.Put(chunk)
	for left := size; ; {
		n, err := io.ReadFull(in, chunk[:])
		if left -= int64(n); left < 0 {
			return errChanged
		}
		sum.Write(chunk[:n])
		take(chunk[:n])
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if left > 0 {
				return errChanged
			}
			return nil
		case err != nil:
			return err
		}
	}
}
