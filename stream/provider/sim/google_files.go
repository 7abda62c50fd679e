package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// googleFile is a file in the form of Gemini's own API (ai.google.dev/api/files).
type googleFile struct {
	Name        string    `json:"name"`
	DisplayName string    `json:"displayName"`
	MIME        string    `json:"mimeType"`
	Size        string    `json:"sizeBytes"`
	Created     time.Time `json:"createTime"`
	State       string    `json:"state"`
}

func (file *storedFile) google() googleFile {
	state := "ACTIVE"
	if time.Now().Before(file.ready) {
		state = "PROCESSING"
	}
	return googleFile{file.id, file.name, "application/jsonl", strconv.FormatInt(file.bytes, 10), file.created.UTC(), state}
}

// googleUploads maps the ids of uploads that have begun to their files' names.
type googleUploads struct {
	mu    sync.Mutex
	names map[string]string
}

// routeGoogle adds the routes for the files of Gemini's own API.
func (s *Server) routeGoogle() {
	s.mux.HandleFunc("POST /upload/v1beta/files", s.manage(s.googleUpload))
	s.mux.HandleFunc("GET /v1beta/files", s.manage(s.googleList))
	s.mux.HandleFunc("GET /v1beta/files/{id}", s.manage(s.googleShow))
	s.mux.HandleFunc("DELETE /v1beta/files/{id}", s.manage(s.googleDelete))
	s.mux.HandleFunc("GET /download/v1beta/files/{id}", s.manage(s.googleSend))
}

// googleUpload serves both requests of an upload to POST /upload/v1beta/files. The first announces
// a file, and the second brings its content.
func (s *Server) googleUpload(w http.ResponseWriter, r *http.Request) {
	uploads := &s.googleUploads
	if r.Header.Get("X-Goog-Upload-Command") == "start" {
		var said struct {
			File struct {
				Name string `json:"display_name"`
			} `json:"file"`
		}
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			s.fail(w, errJSON(err))
			return
		}
		id := s.newID("upload-")
		uploads.mu.Lock()
		defer uploads.mu.Unlock()
		if uploads.names == nil {
			uploads.names = make(map[string]string)
		}
		uploads.names[id] = said.File.Name
		w.Header().Set("X-Goog-Upload-Url", "http://"+r.Host+"/upload/v1beta/files?upload_id="+id)
		s.reply(w, http.StatusOK, nil)
		return
	}
	uploads.mu.Lock()
	name, ok := uploads.names[r.URL.Query().Get("upload_id")]
	uploads.mu.Unlock()
	if !ok {
		s.fail(w, errValue("upload_id", "one that was begun"))
		return
	}
	file, err := s.files.create()
	if err != nil {
		s.fail(w, errStorage(err))
		return
	}
	size, err := io.Copy(file, r.Body)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.files.discard(file)
		s.fail(w, errBody(err))
		return
	}
	now := time.Now()
	kept := &storedFile{id: s.newFileID(), name: name, purpose: "batch", bytes: size, created: now, path: file.Name(),
		visible: now.Add(s.options.FileDelay / 2), ready: now.Add(s.options.FileDelay)}
	s.files.keep(kept)
	if s.stats.uploaded() <= int64(s.options.FileLost) {
		s.reset(w)
		return
	}
	s.replyObject(w, map[string]any{"file": kept.google()})
}

// googleList serves GET /v1beta/files, newest first, in pages of at most 24 files.
func (s *Server) googleList(w http.ResponseWriter, r *http.Request) {
	const most = 24
	files := s.files.list("batch")
	begin, _ := strconv.Atoi(r.URL.Query().Get("pageToken"))
	var page struct {
		Files []googleFile `json:"files,omitempty"`
		Next  string       `json:"nextPageToken,omitempty"`
	}
	for i := begin; i < len(files) && i < begin+most; i++ {
		page.Files = append(page.Files, files[len(files)-1-i].google())
	}
	if begin+most < len(files) {
		page.Next = strconv.Itoa(begin + most)
	}
	s.replyObject(w, page)
}

// googleShow serves GET /v1beta/files/{id}.
func (s *Server) googleShow(w http.ResponseWriter, r *http.Request) {
	file := s.files.find("files/" + r.PathValue("id"))
	if file == nil {
		s.fail(w, errFile(r.PathValue("id")))
		return
	}
	s.replyObject(w, file.google())
}

// googleDelete serves DELETE /v1beta/files/{id}.
func (s *Server) googleDelete(w http.ResponseWriter, r *http.Request) {
	if !s.files.remove("files/" + r.PathValue("id")) {
		s.fail(w, errFile(r.PathValue("id")))
		return
	}
	s.replyObject(w, struct{}{})
}

// googleSend serves GET /download/v1beta/files/{id}:download.
func (s *Server) googleSend(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("id"), ":download")
	if !ok || r.URL.Query().Get("alt") != "media" {
		s.fail(w, errPath(r.Method, r.URL.Path))
		return
	}
	s.sendStored(w, "files/"+id, "application/jsonl")
}
