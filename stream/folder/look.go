package folder

import (
	"io"
	"os"

	"llmpipe/stream/record"
	"llmpipe/stream/record/attach"
	"llmpipe/stream/record/media"
)

// mostOfRecord bounds the total size of one record's files, in bytes, unless a single file is
// allowed more. In base64 they fit into the memory that is reserved for such requests, so memory
// stays bounded for any list of files.
const mostOfRecord = 144 << 20

// Look identifies a record's files by their first bytes, and adds their tokens to the record's
// count. It does nothing for a record that it has inspected before.
func (f *Folder) Look(r *record.Record) *record.Error {
	if r.LookedAt() {
		return nil
	}
	sum, encoded := int64(0), int64(len(r.Body))
	most := max(mostOfRecord, f.most)
	for i := range r.Files {
		file := &r.Files[i]
		err := f.look(file)
		sum += file.Size
		encoded += int64(file.Part.Encoded)
		switch {
		case err != nil:
		case sum > most:
			err = &tooLargeError{sum, most, "the files of one record may have together"}
		default:
			err = f.refused(file, sum, encoded)
		}
		if err == nil {
			if _, _, taken := file.Frame(r.PartForm()); taken != nil {
				err = &notTakenError{taken}
			}
		}
		if err != nil {
			return failure(file, err)
		}
	}
	r.Looked()
	return nil
}

// refused returns an error if the provider is certain to reject the request because of the file.
// sum is the bytes of the files so far, encoded those of the whole body so far.
func (f *Folder) refused(file *attach.File, sum, encoded int64) error {
	l := f.Limits
	switch {
	case l == nil:
	case l.Image > 0 && file.Part.Kind == media.Image && int64(file.Part.Encoded) > l.Image:
		return &tooLargeError{int64(file.Part.Encoded), l.Image, l.Who + " takes of an image, in base64"}
	case l.Files > 0 && sum > l.Files:
		return &tooLargeError{sum, l.Files, l.Who + " takes of the files in a request"}
	case l.Request > 0 && encoded > l.Request:
		return &tooLargeError{encoded, l.Request, l.Who + " takes of a request, with its files in base64"}
	}
	return nil
}

// look identifies one file.
func (f *Folder) look(to *attach.File) error {
	file, info, err := f.open(to.Path)
	if err != nil {
		return err
	}
	defer file.Close() // nothing was written
	to.Size, to.ModTime = info.Size(), info.ModTime()
	if to.Size > f.most {
		return &tooLargeError{to.Size, f.most, "--max-line allows a file"}
	}
	head, err := firstBytes(file, make([]byte, 0, media.ShortHeadBytes))
	if err != nil {
		return err
	}
	to.Part, to.Type = media.OfFile(head, to.Size)
	if to.Part.NeedsMore(head) {
		if head, err = firstBytes(file, append(make([]byte, 0, media.HeadBytes), head...)); err != nil {
			return err
		}
		to.Part, to.Type = media.OfFile(head, to.Size)
	}
	return nil
}

// firstBytes reads until head's capacity is full, or the file ends.
func firstBytes(file *os.File, head []byte) ([]byte, error) {
	n, err := io.ReadFull(file, head[len(head):cap(head)])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:len(head)+n], err
}
