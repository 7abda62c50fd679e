package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// oddBatches is a provider of batches that a test makes odd in one way. All else goes well: each
// batch has ended when it is first looked at, with an answer to every request.
type oddBatches struct {
	URL string // up to /v1

	// What a test sets before the first call. A nil function decides nothing.

	on     func(step string, n int, w http.ResponseWriter) bool // of the nth call of a step, from 1: true when it is answered by that
	making func(n int)                                          // before the nth batch is made, from 1
	state  func(b *oddBatch) string                             // members of the batch's object beside its id, file and metadata
	line   func(b *oddBatch, i int, id string) string           // what its output file says of its ith request, from 0
	gone   int                                                  // the batch, from 1, whose output file is not there
	lost   int                                                  // the making of a batch, from 1, that gets no answer
	rising bool                                                 // batches are listed from the oldest on

	steps
	mu    sync.Mutex
	files []oddFile
	made  []*oddBatch
}

type oddFile struct{ name, content string }

// oddBatch is one that was made.
type oddBatch struct {
	n        int // from 1
	file     int // from 1
	ids      []string
	metadata map[string]string
	created  time.Time
}

func newOddBatches(t testing.TB) *oddBatches {
	t.Helper()
	o := &oddBatches{}
	o.URL = serve(t, func(w http.ResponseWriter, r *http.Request) { o.serve(t, w, r) })
	return o
}

// said is the line of an output file that answers a request with "said".
func said(id string) string { return saidWith(id, `"said"`) }

// saidWith is said with other content, a JSON value.
func saidWith(id, content string) string { return answerLine(id, choice(content), 3000, 1000) }

// choice is one that has this content, a JSON value.
func choice(content string) string {
	return `{"message":{"role":"assistant","content":` + content + `},"finish_reason":"stop"}`
}

// answerLine is the line of an output file that answers a request.
func answerLine(id, choices string, prompt, completion int) string {
	return fmt.Sprintf(`{"id":"b","custom_id":%q,"response":{"status_code":200,"request_id":"r","body":{"model":"gpt-4o-mini",`+
		`"choices":[%s],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}},"error":null}`+"\n",
		id, choices, prompt, completion, prompt+completion)
}

// refusedLine is the line of an output file that says that a request failed.
func refusedLine(id string, status int, code string) string {
	return fmt.Sprintf(`{"id":"b","custom_id":%q,"response":{"status_code":%d,"request_id":"r","body":{"error":{"message":`+
		`"refused by the test","type":%q,"param":null,"code":%q}}},"error":null}`+"\n", id, status, code, code)
}

// ended are the members of a batch that has answered everything.
func (b *oddBatch) ended() string {
	return fmt.Sprintf(`"status":"completed","output_file_id":"out-%d","request_counts":{"total":%d,"completed":%[2]d,"failed":0}`,
		b.n, len(b.ids))
}

// failedWith are the members of a batch that failed as a whole.
func (b *oddBatch) failedWith(code string) string {
	return fmt.Sprintf(`"status":"failed","errors":{"object":"list","data":[{"code":%q,"message":"refused by the test",`+
		`"line":null}]}`, code)
}

const stillRunning = `"status":"in_progress"`

var outputOf = regexp.MustCompile(`/files/out-([0-9]+)/content$`)

func (o *oddBatches) serve(t testing.TB, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method == http.MethodHead {
		return // killed while it sent, or a look at who is there
	}
	step := stepOf(r)
	n := o.take(step)
	w.Header().Set("Content-Type", "application/json")
	if o.on != nil && o.on(step, n, w) {
		return
	}
	if step == "POST /batches" && o.making != nil {
		o.making(n)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var id int
	switch _, _ = fmt.Sscanf(lastPart(strings.TrimSuffix(r.URL.Path, "/content")), "batch_%d", &id); step {
	case "POST /files":
		name, content := uploadedFile(t, r, body)
		o.files = append(o.files, oddFile{name, content})
		fmt.Fprint(w, o.fileObject(len(o.files)))
	case "GET /files":
		var all []string
		for i := range o.files {
			all = append(all, o.fileObject(len(o.files)-i))
		}
		fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":false}`, strings.Join(all, ","))
	case "GET /files/ID":
		_, _ = fmt.Sscanf(lastPart(r.URL.Path), "file-%d", &id)
		fmt.Fprint(w, o.fileObject(id))
	case "LOOK /batches":
		fmt.Fprint(w, `{"object":"list","data":[],"has_more":false}`)
	case "DELETE /files/ID":
		fmt.Fprint(w, `{"object":"file","deleted":true}`)
	case "POST /batches":
		b := o.make(t, body)
		if n == o.lost {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, o.object(b, `"status":"validating"`))
	case "GET /batches":
		var all []string
		for _, b := range o.made {
			all = append(all, o.object(b, o.stateOf(b)))
		}
		if !o.rising {
			slices.Reverse(all)
		}
		fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":false}`, strings.Join(all, ","))
	case "GET /batches/ID":
		b := o.made[id-1]
		fmt.Fprint(w, o.object(b, o.stateOf(b)))
	case "GET /files/ID/content":
		_, _ = fmt.Sscan(outputOf.FindStringSubmatch(r.URL.Path)[1], &id)
		if id == o.gone {
			answerError(w, http.StatusNotFound, "not_found")
			return
		}
		_, _ = io.WriteString(w, o.outputOf(o.made[id-1]))
	default:
		t.Errorf("asked for %s", step)
	}
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (o *oddBatches) fileObject(n int) string {
	f := o.files[n-1]
	return fmt.Sprintf(`{"id":"file-%d","object":"file","bytes":%d,"filename":%q,"purpose":"batch","status":"processed"}`,
		n, len(f.content), f.name)
}

func (o *oddBatches) make(t testing.TB, body []byte) *oddBatch {
	var asked struct {
		File     string            `json:"input_file_id"`
		Metadata map[string]string `json:"metadata"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Errorf("%v in %s", err, body)
	}
	b := &oddBatch{n: len(o.made) + 1, metadata: asked.Metadata, created: time.Now()}
	if _, err := fmt.Sscanf(asked.File, "file-%d", &b.file); err != nil {
		t.Errorf("a batch of the file %q", asked.File)
	}
	for _, line := range splitLines(o.files[b.file-1].content) {
		var l struct {
			ID string `json:"custom_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("%v in %s", err, line)
		}
		b.ids = append(b.ids, l.ID)
	}
	o.made = append(o.made, b)
	return b
}

func (o *oddBatches) object(b *oddBatch, state string) string {
	metadata, _ := json.Marshal(b.metadata)
	return fmt.Sprintf(`{"id":"batch_%d","object":"batch","input_file_id":"file-%d","created_at":%d,"metadata":%s,%s}`,
		b.n, b.file, b.created.Unix(), metadata, state)
}

func (o *oddBatches) stateOf(b *oddBatch) string {
	if o.state != nil {
		return o.state(b)
	}
	return b.ended()
}

func (o *oddBatches) outputOf(b *oddBatch) string {
	var all strings.Builder
	for i, id := range b.ids {
		if o.line == nil {
			all.WriteString(said(id))
		} else {
			all.WriteString(o.line(b, i, id))
		}
	}
	return all.String()
}

// batches are those that were made.
func (o *oddBatches) batches() []*oddBatch {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*oddBatch(nil), o.made...)
}

// args are those of a run that goes by batch here.
func (o *oddBatches) args(more ...string) []string { return byBatch(o.URL, more...) }
