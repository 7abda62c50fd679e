package provider

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// deadlines hands out contexts that end with their parent, or with errTimeout if an attempt takes
// too long. A context that has not ended is reused for the next attempt: a new context and timer
// for each would cost more than the limiter does. There are as many contexts as there were attempts
// under way at once.
type deadlines struct {
	timeout time.Duration

	mu   sync.Mutex
	idle []*deadline
}

// deadline is the context of successive attempts.
type deadline struct {
	context.Context
	cancel context.CancelCauseFunc
	parent context.Context
	timer  *time.Timer
	end    time.Time // when the timer fires

	stub    *http.Request // the stub that request is a copy of
	request *http.Request // nil before the first
	link    *link         // the connection that the attempt was sent over
}

// copyOf returns a copy of stub that ends with x. It returns the last attempt's copy if that was of
// the same stub: a request may be reused once its response's body has been closed (see
// [http.RoundTripper]).
func (x *deadline) copyOf(stub *http.Request) *http.Request {
	if x.stub != stub {
		x.stub, x.request = stub, stub.WithContext(httptrace.WithClientTrace(x.Context, &x.link.trace))
	}
	return x.request
}

// start returns a context for an attempt that begins now. The caller returns it by end.
func (d *deadlines) start(parent context.Context) *deadline {
	if x := d.take(); x != nil {
		if x.parent == parent {
			x.begin(d.timeout)
			x.link.conn = nil
			return x
		}
		x.cancel(nil)
	}
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(d.timeout, func() { cancel(errTimeout) })
	end := time.Now().Add(d.timeout)
	return &deadline{Context: ctx, cancel: cancel, parent: parent, timer: timer, end: end, link: newLink()}
}

// begin starts the clock with the time left.
func (x *deadline) begin(left time.Duration) {
	x.end = time.Now().Add(left)
	x.timer.Reset(left)
}

// pause stops the attempt's clock until resume is called.
func (x *deadline) pause() (resume func()) {
	if !x.timer.Stop() {
		return func() {} // the time is over
	}
	left := time.Until(x.end)
	return func() { x.begin(left) }
}

func (d *deadlines) take() *deadline {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := len(d.idle) - 1
	if last < 0 {
		return nil
	}
	x := d.idle[last]
	d.idle = d.idle[:last]
	return x
}

// end takes back x, whose attempt is over. Unless done says that nothing of the attempt still uses
// x, x is not reused but ended, together with whatever is still going on.
func (d *deadlines) end(x *deadline, done bool) {
	if !x.timer.Stop() || !done {
		x.cancel(nil)
		return
	}
	if x.request != nil {
		x.request.Body, x.request.GetBody = nil, nil // or a large body is held until the next
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, x)
}

// close ends the contexts that are not in use.
func (d *deadlines) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.idle {
		x.cancel(nil)
	}
	d.idle = nil
}
