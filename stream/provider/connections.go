package provider

import (
	"math"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"llmpipe/stream/provider/sim"
	"llmpipe/stream/provider/socket"
)

// Time-outs for what comes before a request can be sent. There is none for the response's headers:
// they come with the answer, and Config.Timeout bounds that.
const (
	dialTimeout = 10 * time.Second
	tlsTimeout  = 10 * time.Second
	idleTimeout = 90 * time.Second
)

// How soon a connection whose packets vanish, as when a laptop wakes up elsewhere or a NAT forgets
// it, is known to be dead while an answer is waited for. Over HTTP/2 a ping is sent when nothing
// has come for silence, and has pingTimeout to come back: long enough for TCP to get over ten bad
// seconds. Over HTTP/1.1 the system probes: after probeIdle, probes times at every probeInterval.
// It cannot while bytes wait to be acknowledged.
const (
	silence       = 5 * time.Second
	pingTimeout   = 10 * time.Second
	probeIdle     = 15 * time.Second
	probeInterval = 5 * time.Second
	probes        = 3
)

// transportTo returns what makes transports to base, through via if there is one, or to the
// simulator, or over connections of the caller's. Each keeps so many idle connections at most.
func transportTo(base *url.URL, via *proxy, sim *sim.Server, own socket.Dial, idle int) func(open *atomic.Int64) *http.Transport {
	dialer := &net.Dialer{
		Timeout:         dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeIdle, Interval: probeInterval, Count: probes},
	}
	return func(open *atomic.Int64) *http.Transport {
		dial := socket.Count(dialer.DialContext, open)
		switch {
		case sim != nil:
			dial = sim.DialContext
		case own != nil:
			dial = own
		}
		t := &http.Transport{
			DialContext:         dial,
			TLSHandshakeTimeout: tlsTimeout,
			MaxIdleConnsPerHost: max(idle, 2),
			IdleConnTimeout:     idleTimeout,
			ForceAttemptHTTP2:   true,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: pingTimeout},
			// On this machine compressing costs both ends more than the wire does.
			DisableCompression: sim != nil || isLoopback(base.Hostname()),
			ReadBufferSize:     8 << 10,
			WriteBufferSize:    8 << 10,
		}
		via.use(t)
		return t
	}
}

// connections are those of one client to its provider.
//
// Where an answer did not come in time nobody knows whether its connection lives. Over HTTP/1.1 it
// is closed, and with it every other that is idle, so that the retry goes over one that has just
// answered or is new. Over HTTP/2 all requests share one: where nothing at all has come over it,
// requests go to another transport and so to a new connection, while those that are under way have
// their time to end.
//
// An idle one may hold a thread of its server, as llama.cpp's does for 5 s, and others wait for
// that. So no more are kept than were of use lately: see expect.
type connections struct {
	make    func() *http.Transport
	current atomic.Pointer[http.Transport]
	fresh   *http.Transport // keeps no connection, so that none is used twice

	open     atomic.Int64 // sockets
	inFlight atomic.Int64 // attempts under way
	peak     atomic.Int64 // most of them since the last expect
	past     atomic.Int64 // the peak before, as it fades
	allowed  atomic.Int64 // as many attempts as there may come to be
}

// newConnections makes connections for as many attempts as there come to be, until expect is told
// otherwise. transport makes what they are dialled by, and is given what counts them.
func newConnections(transport func(open *atomic.Int64) *http.Transport) *connections {
	c := &connections{}
	c.make = func() *http.Transport { return transport(&c.open) }
	c.fresh = c.make()
	c.fresh.DisableKeepAlives = true
	c.current.Store(c.make())
	c.allowed.Store(math.MaxInt64)
	return c
}

// fading is what is left of a past peak at each call of expect, and slack what is kept beyond it,
// for what is dialled in vain when another connection comes free first, and so that one request now
// and then finds a connection.
const (
	fading = 0.95
	slack  = 2
)

// expect is told, a few times a second and never by two at once, how many requests may be in flight
// from now on; 0 where no more will be than are. It closes idle connections beyond that, and beyond
// what was in flight lately.
func (c *connections) expect(n int) {
	c.past.Store(int64(max(fading*float64(c.past.Load()), float64(c.peak.Swap(c.inFlight.Load())))))
	c.allowed.Store(int64(n))
	c.trim()
}

// trim closes idle connections if there are too many.
func (c *connections) trim() {
	keep := c.allowed.Load()
	if keep > 0 {
		keep = min(keep, max(c.past.Load(), c.peak.Load()))
		keep += keep/4 + slack
	}
	if open := c.open.Load(); open > keep && open > c.inFlight.Load() {
		c.current.Load().CloseIdleConnections()
	}
}

// begin counts an attempt.
func (c *connections) begin() {
	n := c.inFlight.Add(1)
	for peak := c.peak.Load(); n > peak && !c.peak.CompareAndSwap(peak, n); peak = c.peak.Load() {
	}
}

// end takes back begin.
func (c *connections) end() {
	c.inFlight.Add(-1)
	c.trim()
}

// limit bounds how many are open at once, idle ones and those being made among them, but for those
// that are used once. It is called before anything is asked.
func (c *connections) limit(n int) {
	unlimited := c.make
	c.make = func() *http.Transport {
		t := unlimited()
		t.MaxConnsPerHost = n
		return t
	}
	c.current.Swap(c.make()).CloseIdleConnections()
}

// RoundTrip implements http.RoundTripper.
func (c *connections) RoundTrip(req *http.Request) (*http.Response, error) {
	return c.current.Load().RoundTrip(req)
}

// doubt is told of a request over via and l that got no answer in time.
func (c *connections) doubt(via *http.Transport, l *link) {
	switch {
	case !l.multiplexed():
		c.current.Load().CloseIdleConnections()
	case l.silent() && c.current.Load() == via:
		if c.current.CompareAndSwap(via, c.make()) {
			via.CloseIdleConnections()
		}
	}
}

// close closes idle connections.
func (c *connections) close() {
	c.current.Load().CloseIdleConnections()
}
