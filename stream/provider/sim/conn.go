package sim

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// connBuffer is how many bytes one direction holds before its writer waits: about as many as a
// socket, and enough that most answers cost one wake-up.
const connBuffer = 64 << 10

// memoryConn is one end of an in-memory connection. Unlike net.Pipe it buffers, so
// that a write does not wait for its read, and it can be reset.
type memoryConn struct {
	in, out *stream
}

// newConns returns both ends of a connection.
func newConns() (a, b *memoryConn) {
	ab, ba := newSimStream(), newSimStream()
	return &memoryConn{in: ba, out: ab}, &memoryConn{in: ab, out: ba}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// wrap says where an error came from, as a socket does. It returns io.EOF as it is.
func (c *memoryConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: addr{}.Network(), Source: addr{}, Addr: addr{}, Err: err}
}

// Close lets the other end read what was written, and then io.EOF. The other
// end's writes fail with EPIPE.
func (c *memoryConn) Close() error {
	c.out.closeWriter()
	c.in.closeReader()
	return nil
}

// reset breaks the connection: reads and writes of the other end fail with ECONNRESET, and bytes
// that it has not read are lost.
func (c *memoryConn) reset() {
	c.out.reset()
	c.in.reset()
}

func (c *memoryConn) LocalAddr() net.Addr  { return addr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return addr{} }

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.in.reader.set(t)
	c.out.writer.set(t)
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.reader.set(t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.writer.set(t)
	return nil
}

// stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond // on mu: bytes, room, an end, or a deadline
	buffer  []byte    // grows to what is needed, up to connBuffer
	start   int       // of the bytes that have not been read

	ended  bool // the writer closed: EOF after the last byte
	unread bool // the reader closed: writes fail
	broken bool // reset

	reader, writer deadline
}

func newSimStream() *stream {
	s := new(stream)
	s.changed.L = &s.mu
	s.reader.stream, s.writer.stream = s, s
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.unread:
			return 0, net.ErrClosed
		case s.broken:
			return 0, syscall.ECONNRESET
		case s.reader.passed:
			return 0, os.ErrDeadlineExceeded
		case s.start < len(s.buffer):
			n := copy(p, s.buffer[s.start:])
			s.start += n
			if s.start == len(s.buffer) {
				s.buffer, s.start = s.buffer[:0], 0
			}
			s.changed.Broadcast()
			return n, nil
		case len(p) == 0:
			return 0, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (written int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return written, net.ErrClosed
		case s.broken:
			return written, syscall.ECONNRESET
		case s.unread:
			return written, syscall.EPIPE
		case s.writer.passed:
			return written, os.ErrDeadlineExceeded
		case len(p) == 0:
			return written, nil
		}
		if room := connBuffer - (len(s.buffer) - s.start); room > 0 {
			if s.start > 0 {
				s.buffer = s.buffer[:copy(s.buffer, s.buffer[s.start:])]
				s.start = 0
			}
			n := min(room, len(p))
			s.buffer = append(s.buffer, p[:n]...)
			p = p[n:]
			written += n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

func (s *stream) closeWriter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.writer.stop()
	s.changed.Broadcast()
}

func (s *stream) closeReader() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = true
	s.buffer, s.start = nil, 0
	s.reader.stop()
	s.changed.Broadcast()
}

func (s *stream) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
	s.buffer, s.start = nil, 0
	s.changed.Broadcast()
}

// deadline is one side's time-out. Its fields are guarded by the stream's lock.
type deadline struct {
	stream  *stream
	timer   *time.Timer // nil when none is running
	setting int         // grows with each set and stop
	passed  bool
}

func (d *deadline) set(t time.Time) {
	d.stream.mu.Lock()
	defer d.stream.mu.Unlock()
	d.stop()
	left := time.Until(t)
	d.passed = !t.IsZero() && left <= 0
	if !t.IsZero() && left > 0 {
		setting := d.setting
		d.timer = time.AfterFunc(left, func() { d.pass(setting) })
	}
	d.stream.changed.Broadcast()
}

// pass marks the deadline as passed, unless it was set again or stopped meanwhile.
func (d *deadline) pass(setting int) {
	d.stream.mu.Lock()
	defer d.stream.mu.Unlock()
	if d.setting == setting {
		d.timer, d.passed = nil, true
		d.stream.changed.Broadcast()
	}
}

func (d *deadline) stop() {
	d.setting++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
