package sim

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxBody bounds a request body. OpenAI takes at most 512 MB in one upload
// (platform.openai.com/docs/api-reference/files), and less everywhere else.
const maxBody = 512 << 20

// Server is a simulated provider: an http.Handler that answers as OpenAI's API
// does, under /v1 and without it, and costs nothing. It enforces limits, sends
// their headers, counts tokens and fails as often as its options say.
//
//	POST /v1/chat/completions, /v1/embeddings, /v1/responses, /v1/completions, /v1/messages
//	GET  /v1/models, /v1/models/{model}
//	POST /v1/files, /v1/batches, /v1/batches/{id}/cancel
//	GET  /v1/files, /v1/files/{id}, /v1/files/{id}/content, /v1/batches, /v1/batches/{id}
//	DELETE /v1/files/{id}
//	POST /v1/messages/batches, /v1/messages/batches/{id}/cancel
//	GET  /v1/messages/batches, /v1/messages/batches/{id}, /v1/messages/batches/{id}/results
//	GET  /stats    what was asked so far (Stats as JSON)
//
// An answer depends on the options and on the request body, not on what came before. In a
// conversation its words depend only on Options.Seed and on what the user said last, so that every
// API and model answers a prompt alike. What a message's usage says about the cache depends on what
// was marked and answered before. Latency and faults depend on the order of arrival, so that a body
// that failed can succeed when it is sent again. A batch answers a body as its endpoint would.
// Files are kept in the system's temporary directory until the simulator is closed.
//
// A Server is safe for concurrent use. Close it when done.
type Server struct {
	options Options
	start   time.Time
	mux     *http.ServeMux
	limits  *limits // nil when there is no limit
	cache   cache
	places  places
	threads chan struct{} // nil when each connection has its own
	stats   stats
	files   files
	batches batches

	googleUploads googleUploads

	ids      atomic.Uint64 // of files and batches
	requests atomic.Uint64 // everything that arrived: the source of request ids
	arrivals atomic.Uint64 // requests for an answer, and file and batch calls: the source of latency and faults
	sold     atomic.Int64  // answers counted against the quota
	inFlight atomic.Int64

	closing sync.Once
	done    chan struct{} // closed by Close

	serve    sync.Once // starts server on the first DialContext
	listener *Listener
	server   *http.Server
	served   chan struct{} // closed when server has stopped accepting
}

// New returns a provider that behaves as o says. The windows of o.Outage are counted from this
// call.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		options:  o,
		start:    time.Now(),
		mux:      http.NewServeMux(),
		limits:   newLimits(o),
		places:   places{most: int64(o.MaxInFlight)},
		done:     make(chan struct{}),
		listener: NewListener(),
		served:   make(chan struct{}),
	}
	if o.Threads > 0 {
		s.threads = make(chan struct{}, o.Threads)
	}
	s.batches.queued = make(map[string]int)
	s.batches.life, s.batches.end = context.WithCancel(context.Background())
	s.server = &http.Server{Handler: s}
	s.route("POST", "/chat/completions", s.ask(chat))
	s.route("POST", "/embeddings", s.ask(embeddings))
	s.route("POST", "/responses", s.ask(responses))
	s.route("POST", "/completions", s.ask(completions))
	s.route("GET", "/models", s.listModels)
	s.route("GET", "/models/{model...}", s.showModel)
	s.route("POST", "/files", s.manage(s.upload))
	s.route("GET", "/files", s.manage(s.listFiles))
	s.route("GET", "/files/{id}", s.manage(s.showFile))
	s.route("GET", "/files/{id}/content", s.manage(s.sendFile))
	s.route("DELETE", "/files/{id}", s.manage(s.deleteFile))
	s.route("POST", "/batches", s.manage(s.createBatch))
	s.route("GET", "/batches", s.manage(s.listBatches))
	s.route("GET", "/batches/{id}", s.manage(s.showBatch))
	s.route("POST", "/batches/{id}/cancel", s.manage(s.cancelBatch))
	s.route("POST", "/messages", s.ask(messages))
	s.route("POST", "/messages/batches", s.manage(s.createMessageBatch))
	s.route("GET", "/messages/batches", s.manage(s.listMessageBatches))
	s.route("GET", "/messages/batches/{id}", s.manage(s.showMessageBatch))
	s.route("POST", "/messages/batches/{id}/cancel", s.manage(s.cancelMessageBatch))
	s.route("GET", "/messages/batches/{id}/results", s.manage(s.sendResults))
	if s.speaks("gemini") {
		s.routeGoogle()
	}
	s.mux.HandleFunc("/", s.unknown)
	return s
}

// route serves path, as ServeMux patterns write it, with and without /v1.
func (s *Server) route(method, path string, h http.HandlerFunc) {
	s.mux.HandleFunc(method+" "+path, h)
	s.mux.HandleFunc(method+" /v1"+path, h)
}

// Close resets the connections of requests that hang or wait, closes the connections made by
// DialContext, ends all batches and removes the files.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.done)
		s.listener.Close()
		s.server.Close()
		// Whoever dials first from now on finds the listener closed. If nobody has dialled, no server was
		// started that Close would have to wait for.
		s.serve.Do(func() { close(s.served) })
		<-s.served
		s.batches.close()
		s.files.close()
	})
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/stats" && r.Method == http.MethodGet {
		s.serveStats(w)
		return
	}
	number := s.requests.Add(1)
	s.stats.arrived(time.Now())
	if s.linkLeft() == 0 {
		s.cut(w)
		return
	}
	w.Header()["X-Request-Id"] = []string{"req_" + hex(mix(s.options.Seed, number))}
	if ofAnthropic(r) {
		w = speaksAnthropic{w}
	}
	if key := s.options.Key; key != "" && r.Header.Get("Authorization") != "Bearer "+key && r.Header.Get("X-Api-Key") != key &&
		(!s.speaks("gemini") || r.Header.Get("X-Goog-Api-Key") != key) {
		s.fail(w, errKey)
		return
	}
	if !s.translate(r) {
		s.fail(w, errPath(r.Method, r.URL.Path))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unknown answers requests that no route takes: with 405 if the path has another method, and else
// with 404.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	probe := *r
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		probe.Method = method
		if _, pattern := s.mux.Handler(&probe); pattern != "/" && method != r.Method {
			w.Header().Set("Allow", method)
			s.fail(w, errMethod(r.Method, r.URL.Path))
			return
		}
	}
	s.fail(w, errPath(r.Method, r.URL.Path))
}

// reply writes a whole JSON answer and counts its status.
func (s *Server) reply(w http.ResponseWriter, status int, body []byte) {
	s.stats.replied(status)
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	// The write fails if the client has gone: then nobody is left to tell.
	_, _ = w.Write(body)
}

// fail answers with an error in the API's form.
func (s *Server) fail(w http.ResponseWriter, e *apiError) {
	h := w.Header()
	_, anthropic := w.(speaksAnthropic)
	if e.retryAfter > 0 {
		h["Retry-After"] = []string{strconv.FormatInt(int64((e.retryAfter+time.Second-1)/time.Second), 10)}
		if !anthropic {
			h["Retry-After-Ms"] = []string{strconv.FormatInt(e.retryAfter.Milliseconds(), 10)}
		}
	}
	body := e.append(nil)
	if anthropic {
		body = e.appendAnthropic(nil, h.Get("X-Request-Id"))
	}
	s.reply(w, e.status, s.layout(body))
}

// reset breaks the connection, so that the client sees ECONNRESET or EOF instead of an answer. If
// the connection cannot be hijacked (HTTP/2, a recorder), reset panics with http.ErrAbortHandler,
// which makes a server do the same.
func (s *Server) reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	socket := conn
	if bound, ok := conn.(*threadConn); ok {
		socket = bound.Conn
	}
	switch c := socket.(type) {
	case *net.TCPConn:
		// With data unsent and linger 0 the kernel sends RST, not FIN.
		_ = c.SetLinger(0)
	case *memoryConn:
		c.reset()
	}
	_ = conn.Close()
}

// wait returns true after d, or false if the client goes away or the simulator is closed before
// that.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}

// buffers are what a request needs while it is served.
type buffers struct {
	body    bytes.Buffer
	request request
	answer  []byte
}

// keep is the size in bytes of the largest buffer that goes back to the pool: one huge prompt must
// not be held for the rest of the run.
const keep = 1 << 20

var pool = sync.Pool{New: func() any { return new(buffers) }}

func (b *buffers) release() {
	if max(b.body.Cap(), cap(b.answer), cap(b.request.scratch), cap(b.request.text)) > keep {
		return
	}
	b.body.Reset()
	b.request.reset(nil)
	b.answer = b.answer[:0]
	pool.Put(b)
}
