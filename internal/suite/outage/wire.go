package outage

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// wire is a Wire inside the dialer of a client: it works over sockets and over memory alike.
type wire struct {
	mu      sync.Mutex
	refuse  bool
	swallow bool
	delay   time.Duration
	changed chan struct{} // closed, and replaced, at every change
	lines   map[*line]struct{}
	over    chan struct{} // the test has ended
}

func newWire(t testing.TB) *wire {
	w := &wire{changed: make(chan struct{}), lines: map[*line]struct{}{}, over: make(chan struct{})}
	t.Cleanup(func() { close(w.over) })
	return w
}

func (w *wire) set(refuse, swallow bool, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse, w.swallow, w.delay = refuse, swallow, delay
	for l := range w.lines {
		if refuse {
			_ = l.Conn.Close()
		}
		if !swallow {
			l.flush()
		}
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *wire) Refuse()               { w.set(true, false, 0) }
func (w *wire) BlackHole()            { w.set(false, true, 0) }
func (w *wire) Delay(d time.Duration) { w.set(false, false, d) }

func (w *wire) Heal() error {
	w.set(false, false, 0)
	return nil
}

func (w *wire) state() (refuse, swallow bool, delay time.Duration, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refuse, w.swallow, w.delay, w.changed
}

// ByWire puts the wire between a client and its Redis.
func (w *wire) ByWire(o *redis.Options) { o.Dialer = w.dialer(o.Dialer) }

type dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer puts the wire between a client and what it would dial.
func (w *wire) dialer(next dial) dial {
	if next == nil {
		next = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		for {
			refuse, swallow, _, changed := w.state()
			if refuse {
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			if !swallow {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
			case <-w.over:
				return nil, fmt.Errorf("the test is over: %w", net.ErrClosed)
			}
		}
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l := &line{Conn: conn, wire: w, closed: make(chan struct{})}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines[l] = struct{}{}
		return l, nil
	}
}

// line is one connection.
type line struct {
	net.Conn
	wire   *wire
	once   sync.Once
	closed chan struct{}
	held   []byte // sent while nothing passed; guarded by the wire

	mu       sync.Mutex
	deadline time.Time // of reads
	due      []byte    // what was read from the connection below and is not yet told
	at       time.Time // ... nor may be before
}

// flush sends on what was held back, as TCP would send it again. The wire is locked.
func (l *line) flush() {
	if len(l.held) > 0 {
		_, _ = l.Conn.Write(l.held) // a connection that died meanwhile tells its reader
		l.held = nil
	}
}

func (l *line) Write(b []byte) (int, error) {
	l.wire.mu.Lock()
	if l.wire.swallow {
		l.held = append(l.held, b...)
		l.wire.mu.Unlock()
		return len(b), nil
	}
	l.wire.mu.Unlock()
	return l.Conn.Write(b)
}

func (l *line) Read(b []byte) (int, error) {
	if len(l.due) == 0 {
		got := make([]byte, 16<<10)
		n, err := l.Conn.Read(got)
		if err != nil {
			return 0, err
		}
		_, _, delay, _ := l.wire.state()
		l.due, l.at = got[:n], time.Now().Add(delay)
	}
	if left := time.Until(l.at); left > 0 {
		arrived := make(chan struct{})
		timer := time.AfterFunc(left, func() { close(arrived) })
		defer timer.Stop()
		if err := l.wait(arrived); err != nil {
			return 0, err
		}
	}
	for {
		_, swallow, _, changed := l.wire.state()
		if !swallow {
			break
		}
		if err := l.wait(changed); err != nil {
			return 0, err
		}
	}
	n := copy(b, l.due)
	l.due = l.due[n:]
	return n, nil
}

// wait waits for pass, at most until the deadline.
func (l *line) wait(pass <-chan struct{}) error {
	l.mu.Lock()
	deadline := l.deadline
	l.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-pass:
		return nil
	case <-late:
		return os.ErrDeadlineExceeded
	case <-l.closed:
		return net.ErrClosed
	}
}

func (l *line) SetDeadline(t time.Time) error {
	_ = l.SetReadDeadline(t)
	return l.SetWriteDeadline(t)
}

func (l *line) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	l.deadline = t
	l.mu.Unlock()
	return l.Conn.SetReadDeadline(t)
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	l.wire.mu.Lock()
	delete(l.wire.lines, l)
	l.wire.mu.Unlock()
	return l.Conn.Close()
}
