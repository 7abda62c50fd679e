package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dialects names the providers, besides OpenAI, whose dialect of files and batches the simulator
// speaks: it takes calls and writes answers in the provider's form. Calls that the provider does
// not have are refused with OpenAI's errors. Package batchapi gives the sources.
var Dialects = []string{"azure", "groq", "together", "mistral", "gemini", "novita"}

func dialect(o *Options, v string) error {
	if !slices.Contains(Dialects, v) && v != "openai" {
		return fmt.Errorf("want openai or one of %s", strings.Join(Dialects, ", "))
	}
	o.Dialect = v
	return nil
}

// speaks reports whether the dialect is one of names.
func (s *Server) speaks(names ...string) bool { return slices.Contains(names, s.options.Dialect) }

// translate rewrites the path of a request to OpenAI's. It returns false for a path that the
// dialect does not have.
func (s *Server) translate(r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	files, batches := strings.HasPrefix(path, "/files"), strings.HasPrefix(path, "/batches")
	switch s.options.Dialect {
	case "azure":
		r.URL.Path = azurePath(r.URL.Path)
	case "together":
		if path == "/files" && r.Method == http.MethodPost {
			return false
		}
		r.URL.Path = strings.Replace(r.URL.Path, "/files/upload", "/files", 1)
	case "mistral":
		if batches {
			return false
		}
		r.URL.Path = strings.Replace(r.URL.Path, "/batch/jobs", "/batches", 1)
	case "gemini":
		r.URL.Path = strings.Replace(r.URL.Path, "/v1beta/openai", "/v1", 1)
		return !files && !strings.HasPrefix(r.URL.Path, "/v1/files")
	}
	return true
}

// azurePath returns path without /openai and without a deployment.
func azurePath(path string) string {
	rest, ok := strings.CutPrefix(path, "/openai")
	if !ok {
		return path
	}
	if after, ok := strings.CutPrefix(rest, "/deployments/"); ok {
		_, after, _ = strings.Cut(after, "/")
		return "/" + after
	}
	return rest
}

// newFileID returns an id for a file.
func (s *Server) newFileID() string {
	if s.speaks("gemini") {
		return s.newID("files/")
	}
	return s.newID("file-")
}

// purposes returns what a file may be uploaded for.
func (s *Server) purposes() []string {
	if s.speaks("together") {
		return []string{"batch-api"}
	}
	return purposes
}

// fileState returns the status of a file that a batch cannot read yet.
func (s *Server) fileState() string {
	if s.speaks("azure") {
		return "pending"
	}
	return "uploaded"
}

// endpointOf finds the endpoint of a batch by the dialect's name for it. It returns nil if there is
// none.
func (s *Server) endpointOf(name string) *endpoint {
	switch s.options.Dialect {
	case "azure": // as in the dated versions of its API
		if strings.HasPrefix(name, "/v1") {
			return nil
		}
		return batchEndpoints["/v1"+name]
	case "groq", "together":
		if name != "/v1/chat/completions" {
			return nil
		}
	case "novita":
		if name != "/v1/chat/completions" && name != "/v1/completions" {
			return nil
		}
	case "mistral", "gemini":
		if name != "/v1/chat/completions" && name != "/v1/embeddings" {
			return nil
		}
	}
	return batchEndpoints[name]
}

// bare reports whether the lines of an input file have neither method nor url.
func (s *Server) bare() bool { return s.speaks("together", "mistral", "novita") }

// readBatchRequest reads a request to create a batch, in OpenAI's form. A request that the dialect
// does not allow loses its input file, so that it is refused.
func (s *Server) readBatchRequest(w http.ResponseWriter, r *http.Request) (batchRequest, error) {
	var asked batchRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, batchBody)).Decode(&asked)
	switch {
	case s.speaks("mistral"):
		asked.InputFileID = ""
		if len(asked.InputFiles) == 1 {
			asked.InputFileID = asked.InputFiles[0]
		}
		if asked.Model == "" || asked.Hours <= 0 {
			asked.InputFileID = ""
		}
		asked.CompletionWindow = "24h"
	case s.speaks("novita"):
		if asked.CompletionWindow == "48h" {
			asked.CompletionWindow = "24h"
		}
	case s.speaks("together") && asked.Metadata != nil:
		asked.InputFileID = ""
	}
	return asked, err
}

// showAs returns a batch in the dialect's form.
func (s *Server) showAs(o batchObject) any {
	switch s.options.Dialect {
	case "azure", "gemini", "groq":
		o.Metadata = nil
	case "together":
		return togetherBatch{o.ID, o.InputFileID, strings.ToUpper(o.Status), o.Endpoint, stampOf(&o.CreatedAt), stampOf(o.CompletedAt),
			o.OutputFileID, o.ErrorFileID, 100 * (o.RequestCounts.Completed + o.RequestCounts.Failed) / max(o.RequestCounts.Total, 1),
			o.firstFlaw()}
	case "mistral":
		return mistralJob{o.ID, "batch", []string{o.InputFileID}, o.Metadata, o.Endpoint, "simulated", o.OutputFileID, nonEmpty(o.ErrorFileID),
			o.mistralErrors(), mistralStates[o.Status], o.CreatedAt, o.RequestCounts.Total, o.RequestCounts.Completed + o.RequestCounts.Failed,
			o.RequestCounts.Completed, o.RequestCounts.Failed, o.InProgressAt, firstOf(o.CompletedAt, o.FailedAt, o.ExpiredAt, o.CancelledAt)}
	case "novita":
		status := strings.ToUpper(o.Status)
		if o.Status == stateInProgress || o.Status == stateFinalizing {
			status = "PROGRESS"
		}
		return map[string]any{"id": o.ID, "object": "batch", "endpoint": o.Endpoint, "input_file_id": o.InputFileID,
			"output_file_id": o.OutputFileID, "error_file_id": o.ErrorFileID, "completion_window": "48h", "status": status,
			"created_at": stampOf(&o.CreatedAt), "completed_at": stampOf(o.CompletedAt), "expired_at": stampOf(o.ExpiredAt),
			"failed_at": stampOf(o.FailedAt), "cancelled_at": stampOf(o.CancelledAt), "errors": o.firstFlaw(), "metadata": o.Metadata,
			"total": o.RequestCounts.Total, "request_counts": o.RequestCounts}
	}
	return o
}

func stampOf(unix *int64) *time.Time { return rfc3339(unix) }

func nonEmpty(text *string) *string {
	if text != nil && *text == "" {
		return nil
	}
	return text
}

func firstOf(times ...*int64) *int64 {
	for _, at := range times {
		if at != nil {
			return at
		}
	}
	return nil
}

// firstFlaw returns the first reason why the batch failed, as a text.
func (o *batchObject) firstFlaw() *string {
	if o.Errors == nil || len(o.Errors.Data) == 0 {
		return nil
	}
	return &o.Errors.Data[0].Message
}

// togetherBatch is a batch in Together's form.
type togetherBatch struct {
	ID         string     `json:"id"`
	Input      string     `json:"input_file_id"`
	Status     string     `json:"status"`
	Endpoint   string     `json:"endpoint"`
	CreatedAt  *time.Time `json:"created_at"`
	Completed  *time.Time `json:"completed_at"`
	OutputFile *string    `json:"output_file_id"`
	ErrorFile  *string    `json:"error_file_id"`
	Progress   int        `json:"progress"`
	Error      *string    `json:"error"`
}

// mistralStates maps a batch's states to Mistral's names for them.
var mistralStates = map[string]string{
	stateValidating: "QUEUED", stateInProgress: "RUNNING", stateFinalizing: "RUNNING", stateCompleted: "SUCCESS", stateFailed: "FAILED",
	stateExpired: "TIMEOUT_EXCEEDED", stateCancelling: "CANCELLATION_REQUESTED", stateCancelled: "CANCELLED",
}

// mistralJob is a batch in Mistral's form.
type mistralJob struct {
	ID         string            `json:"id"`
	Object     string            `json:"object"`
	InputFiles []string          `json:"input_files"`
	Metadata   map[string]string `json:"metadata"`
	Endpoint   string            `json:"endpoint"`
	Model      string            `json:"model"`
	OutputFile *string           `json:"output_file"`
	ErrorFile  *string           `json:"error_file"`
	Errors     []mistralError    `json:"errors"`
	Status     string            `json:"status"`
	CreatedAt  int64             `json:"created_at"`
	Total      int               `json:"total_requests"`
	Done       int               `json:"completed_requests"`
	Succeeded  int               `json:"succeeded_requests"`
	Failed     int               `json:"failed_requests"`
	StartedAt  *int64            `json:"started_at"`
	EndedAt    *int64            `json:"completed_at"`
}

type mistralError struct {
	Message string `json:"message"`
	Count   int    `json:"count"`
}

func (o *batchObject) mistralErrors() []mistralError {
	out := []mistralError{}
	if o.Errors != nil {
		for _, flaw := range o.Errors.Data {
			out = append(out, mistralError{flaw.Message, 1})
		}
	}
	return out
}

// wrapped returns the answer to the creation of a batch.
func (s *Server) wrapped(o batchObject) any {
	if s.speaks("together") {
		return struct {
			Job     any    `json:"job"`
			Warning string `json:"warning"`
		}{s.showAs(o), ""}
	}
	return s.showAs(o)
}

// listAs answers with a page of a list in the dialect's form, newest first. The list has all items,
// oldest first; id and item return those of index i. usual and most are as in pageOf.
func (s *Server) listAs(w http.ResponseWriter, r *http.Request, all, usual, most int, id func(i int) string, item func(i int) any) {
	switch s.options.Dialect {
	case "together":
		list := make([]any, 0, all)
		for i := all - 1; i >= 0; i-- {
			list = append(list, item(i))
		}
		if strings.HasSuffix(r.URL.Path, "/files") {
			s.replyObject(w, map[string]any{"data": list})
			return
		}
		s.replyObject(w, list)
		return
	case "mistral":
		query := r.URL.Query()
		page, _ := strconv.Atoi(query.Get("page"))
		size, _ := strconv.Atoi(query.Get("page_size"))
		if size < 1 || size > most {
			size = 100
		}
		list := make([]any, 0, size)
		for i := all - 1 - page*size; i >= 0 && len(list) < size; i-- {
			list = append(list, item(i))
		}
		s.replyObject(w, struct {
			Data   []any  `json:"data"`
			Object string `json:"object"`
			Total  int    `json:"total"`
		}{list, "list", all})
		return
	}
	page, refusal := pageOf(r, all, usual, most, id)
	if refusal != nil {
		s.fail(w, refusal)
		return
	}
	for _, i := range page.indexes {
		page.Data = append(page.Data, item(i))
	}
	s.replyObject(w, page)
}
