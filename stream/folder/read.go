package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
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

// encodedBytes is the length of a chunk in base64.
const encodedBytes = chunkBytes / 3 * 4

var (
	chunks    = sync.Pool{New: func() any { return new([chunkBytes]byte) }}
	encodings = sync.Pool{New: func() any { return new([encodedBytes]byte) }}
)

// Size estimates the length in bytes of a record's body with its files in it. The files must have
// been inspected. It is an upper bound unless a text has many characters that JSON escapes.
func Size(r *record.Record, body []byte) int64 {
	size := int64(len(body))
	for i := range r.Files {
		const frame = 256 // around the data
		size += int64(r.Files[i].Part.Encoded) + frame
	}
	return size
}

// Fill appends body to dst, with the record's files in place of their marks, and notes the files'
// hashes. body is the record's own or the same one with another model. The files must have been
// inspected.
func (f *Folder) Fill(dst []byte, r *record.Record, body []byte) ([]byte, *record.Error) {
	to := sink(dst)
	err := f.put(&to, r, body, f.data)
	var failed *record.Error
	errors.As(err, &failed) // memory fails no other way
	return to, failed
}

// sink is memory that grows.
type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// Write is Fill to a writer, a chunk at a time. An error in a file is a *[record.Error], and w may
// have received a part of the file by then; any other error is w's.
func (f *Folder) Write(w io.Writer, r *record.Record, body []byte) error {
	return f.put(w, r, body, f.data)
}

// Show is Fill with the size and the hash of each file in place of its data.
func (f *Folder) Show(dst []byte, r *record.Record, body []byte) ([]byte, *record.Error) {
	to := sink(dst)
	err := f.put(&to, r, body, func(w io.Writer, file *attach.File) error {
		if err := f.hash(file); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "(%s, %d bytes, sha256 %x)", file.Type, file.Size, file.Sum)
		return err
	})
	var failed *record.Error
	errors.As(err, &failed)
	return to, failed
}

// put writes the body, and calls data to write the contents of each file's part.
func (f *Folder) put(w io.Writer, r *record.Record, body []byte, data func(io.Writer, *attach.File) error) error {
	at := 0
	for i := range r.Files {
		file, mark := &r.Files[i], r.FileAt(body, i)
		before, after, err := file.Frame(r.PartForm())
		if err != nil {
			return failure(file, &notTakenError{err})
		}
		if err := writeAll(w, body[at:mark.Start], []byte(before)); err != nil {
			return err
		}
		if err := data(w, file); err != nil {
			if broken := (*writeError)(nil); errors.As(err, &broken) {
				return broken.error
			}
			return failure(file, err)
		}
		if err := writeAll(w, []byte(after)); err != nil {
			return err
		}
		at = mark.End
	}
	return writeAll(w, body[at:])
}

func writeAll(w io.Writer, parts ...[]byte) error {
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// writeError is an error of the writer, not of a file.
type writeError struct{ error }

// data writes a file's contents as they appear inside a JSON string.
func (f *Folder) data(w io.Writer, file *attach.File) error {
	write := func(p []byte) error {
		if _, err := w.Write(p); err != nil {
			return &writeError{err}
		}
		return nil
	}
	if file.Part.Kind == media.Text {
		return f.text(file, write)
	}
	encoded := encodings.Get().(*[encodedBytes]byte)
	defer encodings.Put(encoded)
	return f.read(file, func(data []byte) error {
		base64.StdEncoding.Encode(encoded[:], data)
		return write(encoded[:base64.StdEncoding.EncodedLen(len(data))])
	})
}

// text passes on a text file, escaped for JSON.
func (f *Folder) text(file *attach.File, write func(p []byte) error) error {
	var cut, quoted []byte // cut are the first bytes of a character that the chunk before did not hold whole
	err := f.read(file, func(data []byte) error {
		data = append(cut, data...)
		end := len(data)
		for n := 1; n < utf8.UTFMax && n <= end; n++ {
			if utf8.RuneStart(data[end-n]) {
				if !utf8.FullRune(data[end-n:]) {
					end -= n
				}
				break
			}
		}
		if !utf8.Valid(data[:end]) {
			return errNoText
		}
		quoted = rawjson.AppendQuoted(quoted[:0], data[:end])
		cut = bytes.Clone(data[end:])
		return write(quoted[1 : len(quoted)-1])
	})
	if err == nil && len(cut) > 0 {
		err = errNoText
	}
	return err
}

var errNoText = &notTakenError{errors.New("it begins as text, but is not UTF-8 further on")}

// hash reads a file only to note its hash.
func (f *Folder) hash(file *attach.File) error {
	return f.read(file, func([]byte) error { return nil })
}

// read passes a file's data on, a chunk at a time, and notes its hash. It is an error if the file
// has changed since it was inspected, or changes during the read. So the data always has the size
// that the estimate used.
func (f *Folder) read(file *attach.File, take func(data []byte) error) error {
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

// copyExactly reads size bytes, after which the file must end.
func copyExactly(in *os.File, size int64, sum hash.Hash, take func(data []byte) error) error {
	chunk := chunks.Get().(*[chunkBytes]byte)
	defer chunks.Put(chunk)
	for left := size; ; {
		n, err := io.ReadFull(in, chunk[:])
		if left -= int64(n); left < 0 {
			return errChanged
		}
		sum.Write(chunk[:n])
		if err := take(chunk[:n]); err != nil {
			return err
		}
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
