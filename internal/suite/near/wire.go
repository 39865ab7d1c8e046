package near

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// wire is the connections of one process. While it is silent nothing arrives, and no end is told of that.
type wire struct {
	silent atomic.Bool
	mu     sync.Mutex
	conns  []net.Conn
}

// lay makes the connections of a client ones of the wire.
func (w *wire) lay(o *redis.Options) {
	dial := o.Dialer
	if dial == nil {
		dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.conns = append(w.conns, c)
		return &end{Conn: c, wire: w}, nil
	}
}

// cut breaks all connections that there are.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

type end struct {
	net.Conn
	wire *wire
}

// Read drops what arrives on a silent wire.
func (e *end) Read(b []byte) (int, error) {
	for {
		n, err := e.Conn.Read(b)
		if err != nil || !e.wire.silent.Load() {
			return n, err
		}
	}
}
