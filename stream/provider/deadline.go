package provider

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// deadlines hand out contexts that end with their parent, or with errTimeout when an attempt has
// taken too long. One that has not ended serves the next attempt as well: a context with a timer
// for each would cost more than the limiter does. There are as many as attempts were under way at a
// time.
type deadlines struct {
	timeout time.Duration

	mu   sync.Mutex
	idle []*deadline
}

// deadline is the context of one attempt after another.
type deadline struct {
	context.Context
	cancel context.CancelCauseFunc
	parent context.Context
	timer  *time.Timer
	end    time.Time // when the timer fires

	stub    *http.Request // what request is a copy of
	request *http.Request // nil before the first
	link    *link         // what the attempt was sent over
}

// copyOf returns a copy of stub that ends with x. It is the last attempt's where that was one of
// the same: a request may be used again once its response's body has been closed (see
// [http.RoundTripper]).
func (x *deadline) copyOf(stub *http.Request) *http.Request {
	if x.stub != stub {
		x.stub, x.request = stub, stub.WithContext(httptrace.WithClientTrace(x.Context, &x.link.trace))
	}
	return x.request
}

// start returns a context for an attempt that begins now. It goes back by end.
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

// begin lets the time run: so much of it.
func (x *deadline) begin(left time.Duration) {
	x.end = time.Now().Add(left)
	x.timer.Reset(left)
}

// pause lets the attempt's time stand still until resume is called.
func (x *deadline) pause() (resume func()) {
	if !x.timer.Stop() {
		return func() {} // it is over
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

// end takes back x, whose attempt is over. Unless the attempt is known to be done with it in every
// respect, x is not used again but ended, and with it whatever still goes on.
func (d *deadlines) end(x *deadline, done bool) {
	if !x.timer.Stop() || !done {
		x.cancel(nil)
		return
	}
	if x.request != nil {
		x.request.Body, x.request.GetBody = nil, nil // a large one is not to be held until the next
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, x)
}

// close ends those that nobody uses.
func (d *deadlines) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.idle {
		x.cancel(nil)
	}
	d.idle = nil
}
