package embedded

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe returns the two ends of an in-memory connection whose writes never wait for the reader.
//
// net.Pipe, which miniredis offers, has no buffer: a client that writes a pipeline of more than a few kB waits for
// the server to read on, while the server waits for the client to read the first replies; and a subscriber that reads
// nothing for a while stops the whole server, which publishes under its lock. A socket's buffers hide both, so this
// has buffers too.
func pipe() (near, far net.Conn) {
	a, b := newStream(), newStream()
	return &end{in: a, out: b}, &end{in: b, out: a}
}

// stream is one direction of a connection. Waiting uses sync.Cond and timers alone, which testing/synctest knows.
type stream struct {
	mu       sync.Mutex
	changed  *sync.Cond
	buffer   bytes.Buffer
	ended    bool // the writing end is closed: what is in the buffer is the rest
	closed   bool // the reading end is closed
	deadline time.Time
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case past(s.deadline):
			return 0, os.ErrDeadlineExceeded
		case s.buffer.Len() > 0 || len(b) == 0:
			return s.buffer.Read(b)
		case s.ended:
			return 0, io.EOF
		}
		s.wait()
	}
}

// wait returns when something changed or the deadline may have passed. It is called with the lock held.
func (s *stream) wait() {
	if !s.deadline.IsZero() {
		t := time.AfterFunc(time.Until(s.deadline), s.wake)
		defer t.Stop()
	}
	s.changed.Wait()
}

// wake takes the lock, so that it cannot fall between a reader's look and its waiting.
func (s *stream) wake() { s.change(func() {}) }

func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

// end is one end of a pipe.
type end struct {
	in, out *stream

	mu       sync.Mutex
	deadline time.Time // of writes
}

func (e *end) Read(b []byte) (int, error) { return e.in.read(b) }

func (e *end) Write(b []byte) (n int, err error) {
	e.mu.Lock()
	late := past(e.deadline)
	e.mu.Unlock()
	if late {
		return 0, os.ErrDeadlineExceeded
	}
	e.out.change(func() {
		switch {
		case e.out.ended:
			err = net.ErrClosed
		case e.out.closed:
			// A socket, too, takes what its peer will never read, and the next Read tells: that order is what
			// go-redis knows to be a lost connection, worth another try.
			n = len(b)
		default:
			n, err = e.out.buffer.Write(b)
		}
	})
	return n, err
}

// Close ends both directions; the other end still reads what was written.
func (e *end) Close() error {
	e.in.change(func() { e.in.closed = true })
	e.out.change(func() { e.out.ended = true })
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetWriteDeadline(t)
	return e.SetReadDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() { e.in.deadline = t })
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deadline = t
	return nil
}

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "embedded" }

func past(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}
