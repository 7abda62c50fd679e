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

// Time-outs for what happens before a request can be sent, and for idle connections. There is none
// for the response's headers: they come with the answer, which Config.Timeout bounds.
const (
	dialTimeout = 10 * time.Second
	tlsTimeout  = 10 * time.Second
	idleTimeout = 90 * time.Second
)

// These decide how soon a connection whose packets vanish is known to be dead while a request waits
// for its answer. Packets vanish when a laptop wakes up elsewhere, say, or a NAT forgets the
// connection. Over HTTP/2 a ping is sent when nothing has come for silence. Its answer must come
// within pingTimeout, which is long enough for TCP to get over ten bad seconds. Over HTTP/1.1 the
// system probes: first after probeIdle, then every probeInterval, up to probes times. It cannot
// probe while bytes wait to be acknowledged.
const (
	silence       = 5 * time.Second
	pingTimeout   = 10 * time.Second
	probeIdle     = 15 * time.Second
	probeInterval = 5 * time.Second
	probes        = 3
)

// transportTo returns a function that makes transports to base. They go through via if there is
// one, to the simulator, or over the caller's own connections. Each keeps up to max(idle, 2) idle
// connections.
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
			// On one machine, compression costs both ends more than the transfer does.
			DisableCompression: sim != nil || isLoopback(base.Hostname()),
			ReadBufferSize:     8 << 10,
			WriteBufferSize:    8 << 10,
		}
		via.use(t)
		return t
	}
}

// connections are the connections of one client to its provider.
//
// If an answer did not come in time, it is unknown whether its connection is alive. Over HTTP/1.1
// that connection is closed, together with every idle one. So the retry goes over a connection that
// has just answered, or over a new one. Over HTTP/2 all requests share one connection. If nothing
// at all has come over it, new requests go to another transport and so to a new connection, while
// requests under way have their time to end.
//
// An idle connection may hold a thread of its server while other requests wait for that thread;
// llama.cpp's server holds one for 5 s. So no more connections are kept than were of use lately:
// see expect.
type connections struct {
	make    func() *http.Transport
	current atomic.Pointer[http.Transport]
	fresh   *http.Transport // keeps no connection, so none is used twice

	open     atomic.Int64 // sockets
	inFlight atomic.Int64 // attempts under way
	peak     atomic.Int64 // most attempts in flight since the last expect
	past     atomic.Int64 // the earlier peak, fading
	allowed  atomic.Int64 // how many attempts there may be at once
}

// newConnections makes connections for any number of attempts, until expect sets a number.
// transport makes the transports that dial them, and is given the counter of open connections.
func newConnections(transport func(open *atomic.Int64) *http.Transport) *connections {
	c := &connections{}
	c.make = func() *http.Transport { return transport(&c.open) }
	c.fresh = c.make()
	c.fresh.DisableKeepAlives = true
	c.current.Store(c.make())
	c.allowed.Store(math.MaxInt64)
	return c
}

// fading is the fraction of a past peak that is left after each call of expect. slack is how many
// connections are kept beyond the peak. It covers connections that were dialled in vain because
// another came free first, and lets an occasional single request find a connection.
const (
	fading = 0.95
	slack  = 2
)

// expect takes how many requests may be in flight from now on; 0 means no more than are in flight
// now. It closes idle connections beyond that, and beyond what was in flight lately. It is called a
// few times a second, and never by two goroutines at once.
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

// end undoes begin.
func (c *connections) end() {
	c.inFlight.Add(-1)
	c.trim()
}

// limit bounds how many connections are open at once, including idle ones and those being made.
// Connections that are used only once do not count. It must be called before any request.
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

// doubt handles a request over via and l that got no answer in time.
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
