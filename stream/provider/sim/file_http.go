package sim

import (
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// purposes are what a file may be uploaded for
// (platform.openai.com/docs/api-reference/files/create).
var purposes = []string{"assistants", "batch", "fine-tune", "vision", "user_data", "evals"}

// fileObject is a file in the API's form.
type fileObject struct {
	Object    string  `json:"object"`
	ID        string  `json:"id"`
	Purpose   string  `json:"purpose"`
	Filename  string  `json:"filename"`
	Bytes     int64   `json:"bytes"`
	CreatedAt int64   `json:"created_at"`
	ExpiresAt *int64  `json:"expires_at"`
	Status    string  `json:"status"`
	Details   *string `json:"status_details"`
}

func (s *Server) fileAs(file *storedFile) fileObject {
	status := "processed"
	if time.Now().Before(file.ready) {
		status = s.fileState()
	}
	return fileObject{Object: "file", ID: file.id, Purpose: file.purpose, Filename: file.name, Bytes: file.bytes,
		CreatedAt: file.created.Unix(), Status: status}
}

// manage wraps the handler of a call about files or batches. It applies outages, and the faults
// fail, reset, hang and pressure, as they apply to a request for an answer. A call that meets one
// of them does nothing.
func (s *Server) manage(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if most := int64(s.options.FileMax); most > 0 && r.Method == http.MethodPost && r.ContentLength > most {
			s.fail(w, errBody(&http.MaxBytesError{Limit: most}))
			return
		}
		fault := s.options.fault(s.arrivals.Add(1))
		out := s.out()
		if !out && !slices.Contains([]faultKind{fail, reset, hang, pressure}, fault) {
			h(w, r)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			s.fail(w, errBody(err))
			return
		}
		if out {
			s.fail(w, s.outage())
			return
		}
		s.stats.faulted(fault)
		switch fault {
		case fail:
			s.fail(w, errServer)
		case pressure:
			s.fail(w, s.pressure("files and batches"))
		case hang:
			s.hang(r)
			s.reset(w)
		default:
			s.reset(w)
		}
	}
}

// upload serves POST /files. The bytes go to disk as they arrive.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	form, err := r.MultipartReader()
	if err != nil {
		s.fail(w, errBody(err))
		return
	}
	file, err := s.files.create()
	if err != nil {
		s.fail(w, errStorage(err))
		return
	}
	purpose, name, refusal := s.readUpload(form, file)
	size, err := file.Seek(0, io.SeekCurrent)
	if refusal == nil && err != nil {
		refusal = errStorage(err)
	}
	if refusal == nil {
		if err := file.Close(); err != nil {
			refusal = errStorage(err)
		}
	}
	if refusal != nil {
		s.files.discard(file)
		s.fail(w, refusal)
		return
	}
	now := time.Now()
	kept := &storedFile{id: s.newFileID(), name: name, purpose: purpose, bytes: size, created: now, path: file.Name(),
		visible: now.Add(s.options.FileDelay / 2), ready: now.Add(s.options.FileDelay)}
	s.files.keep(kept)
	if s.stats.uploaded() <= int64(s.options.FileLost) {
		s.reset(w)
		return
	}
	s.replyObject(w, s.fileAs(kept))
}

// readUpload reads a form to its end, writes its file to file, and says what is wrong with the
// form.
func (s *Server) readUpload(form *multipart.Reader, file *os.File) (purpose, name string, refusal *apiError) {
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", "", errBody(err)
		}
		switch part.FormName() {
		case "purpose":
			text, err := io.ReadAll(io.LimitReader(part, 64))
			if err != nil {
				return "", "", errBody(err)
			}
			purpose = string(text)
		case "file":
			// For a file without a name, curl and the SDKs send the name of the field.
			if name = part.FileName(); name == "" {
				name = "file"
			}
			reading := &readError{reader: part}
			if _, err := io.Copy(file, reading); reading.err != nil {
				return "", "", errBody(reading.err)
			} else if err != nil {
				return "", "", errStorage(err)
			}
		}
	}
	switch {
	case name == "":
		return "", "", errMissing("file")
	case purpose == "":
		return "", "", errMissing("purpose")
	case !slices.Contains(s.purposes(), purpose):
		return "", "", errValue("purpose", "a purpose such as batch")
	case strings.HasPrefix(purpose, "batch") && path.Ext(name) != ".jsonl":
		return "", "", &apiError{status: 400, kind: invalid, message: "Invalid file format for Batch API. Must be .jsonl"}
	}
	return purpose, name, nil
}

// readError remembers which side of a copy failed.
type readError struct {
	reader io.Reader
	err    error
}

// Read is part of io.Reader.
func (r *readError) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// showFile serves GET /files/{id}.
func (s *Server) showFile(w http.ResponseWriter, r *http.Request) {
	file := s.files.find(r.PathValue("id"))
	if file == nil {
		s.fail(w, errFile(r.PathValue("id")))
		return
	}
	s.replyObject(w, s.fileAs(file))
}

// sendFile serves GET /files/{id}/content.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request) {
	s.sendStored(w, r.PathValue("id"), "application/octet-stream")
}

// sendStored answers with the content of a file.
func (s *Server) sendStored(w http.ResponseWriter, id, kind string) {
	file := s.files.find(id)
	if file == nil {
		s.fail(w, errFile(id))
		return
	}
	content, err := os.Open(file.path)
	if err != nil {
		s.fail(w, errStorage(err))
		return
	}
	defer content.Close()
	s.stats.replied(http.StatusOK)
	h := w.Header()
	h["Content-Type"] = []string{kind}
	h["Content-Length"] = []string{strconv.FormatInt(file.bytes, 10)}
	// The copy fails if the client has gone: then nobody is left to tell.
	_, _ = io.Copy(w, content)
}

// deleteFile serves DELETE /files/{id}.
func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !s.files.remove(id) {
		s.fail(w, errFile(id))
		return
	}
	s.replyObject(w, struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Deleted bool   `json:"deleted"`
	}{id, "file", true})
}

// listFiles serves GET /files, newest first.
func (s *Server) listFiles(w http.ResponseWriter, r *http.Request) {
	files := s.files.list(r.URL.Query().Get("purpose"))
	s.listAs(w, r, len(files), 10_000, 10_000, func(i int) string { return files[i].id }, func(i int) any { return s.fileAs(files[i]) })
}

// replyObject answers with v as JSON.
func (s *Server) replyObject(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.fail(w, errStorage(err))
		return
	}
	s.reply(w, http.StatusOK, s.layout(append(body, '\n')))
}

// newID returns an id that no other simulator gives out, so that a client that remembers an id
// never finds something else under it.
func (s *Server) newID(prefix string) string {
	return prefix + hex(mix(s.options.Seed^uint64(s.start.UnixNano()), s.ids.Add(1)))
}

func errFile(id string) *apiError {
	return &apiError{status: 404, kind: invalid, param: "id", message: "No such File object: " + id}
}

// errStorage is a failure of the simulator itself, such as a full disk.
func errStorage(cause error) *apiError {
	return &apiError{status: 500, kind: "server_error", message: "The simulator could not store or read a file: " + cause.Error()}
}
