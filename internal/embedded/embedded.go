// Package embedded runs a Redis inside the process, for tests and for the runnable examples: nothing to install,
// no port unless one is asked for, and a clock that a test may move by hand.
//
// The commands are those of miniredis. This package adds what a cache needs from its server beside them: the fields
// of INFO by which one run of a server is told from the next, TTLs that pass with time, in-memory connections that
// never block a writer, and a restart that keeps the data.
//
// Not promised: eviction, Redis Cluster's slot checks, keyspace events and client tracking. What depends on those
// is tested against real servers in internal/integration.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Options say how a Server runs. The zero value is a server on the real clock that answers INFO and has no socket.
type Options struct {
	// Clock is what moves TIME and TTLs. Defaults to Real.
	Clock Clock

	// ListenTCP also opens a socket on a free loopback port, see [Server.Addr]. Defaults to false. A socket cannot be
	// used inside testing/synctest; [Server.Client] can.
	ListenTCP bool

	// WithoutInfo leaves INFO to miniredis, which knows neither run_id nor evicted_keys and refuses the server
	// section. It stands for managed servers whose INFO is forbidden. Defaults to false.
	WithoutInfo bool
}

// Server is one embedded Redis. Its methods may be called from any goroutine.
type Server struct {
	options Options
	mini    *miniredis.Miniredis
	clock   *clock
	traffic traffic

	// told is what INFO tells. Its lock is apart from mu, which Restart holds while it waits for commands to end: one
	// of them may be an INFO.
	told struct {
		sync.Mutex
		run, addr string
	}

	mu       sync.Mutex
	closed   bool
	clients  []*redis.Client
	listener net.Listener
	accept   sync.WaitGroup
}

// ErrClosed is what a connection attempt to a closed Server fails with.
var ErrClosed = errors.New("embedded: server closed")

// Start starts an empty server. It fails only if a socket is asked for and cannot be opened, or with an unknown clock.
//
// A server that shall live inside a testing/synctest bubble is started inside it: its goroutines belong to the bubble.
func Start(o Options) (*Server, error) {
	s := &Server{options: o, mini: miniredis.NewMiniRedis()}
	c, err := newClock(o.Clock, s.mini)
	if err != nil {
		return nil, err
	}
	s.clock = c
	if err := s.begin(); err != nil {
		c.stop()
		return nil, err
	}
	if o.ListenTCP {
		if err := s.listen(); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Client returns a new client over in-memory connections: no socket, and usable inside testing/synctest. Contexts
// bound its I/O, and a connection that a Restart has cut is replaced by one retry without waiting. Each function may
// change the client's options. Close closes the client; closing it earlier is fine.
func (s *Server) Client(with ...func(*redis.Options)) *redis.Client {
	o := &redis.Options{
		Addr:                  "embedded",
		Dialer:                func(context.Context, string, string) (net.Conn, error) { return s.dial() },
		ContextTimeoutEnabled: true,
		// The caller's context bounds all; nothing is lost on the way between two goroutines.
		ReadTimeout:  time.Minute,
		WriteTimeout: time.Minute,
		// go-redis looks for a dead connection in its pool by the file descriptor, which a connection in memory has
		// not: so the first use finds out, and one retry without a pause hides it as the look would have.
		MaxRetries:      1,
		MinRetryBackoff: -1,
		// One pool, and no commands but the caller's: Commands then counts what a test expects.
		PipelinePoolSize:         -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	for _, f := range with {
		f(o)
	}
	c := redis.NewClient(o)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return c
	}
	s.clients = append(s.clients, c)
	return c
}

// Addr returns the socket's address, "" if none was asked for. It stays the same over a Restart.
func (s *Server) Addr() string {
	s.told.Lock()
	defer s.told.Unlock()
	return s.told.addr
}

// FlushAll removes every key of every database, as the command does. The run stays the same.
func (s *Server) FlushAll() { s.mini.FlushAll() }

// Restart ends this run of the server and begins another on the same data: every connection is cut, blocked commands
// end, and INFO tells another run_id. It is a restart from a snapshot that misses nothing; for one that lost
// everything, call FlushAll as well. It returns ErrClosed after Close.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.mini.Close()
	return s.beginLocked()
}

// Close closes the clients that Client returned, cuts all other connections and waits for the server's goroutines. A
// second call does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	clients := s.clients
	s.clients = nil
	if s.listener != nil {
		_ = s.listener.Close()
	}
	s.mu.Unlock()

	for _, c := range clients {
		_ = c.Close() // redis.ErrClosed where the caller was first
	}
	s.accept.Wait()
	s.clock.stop()
	s.mini.Close()
}

func (s *Server) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beginLocked()
}

// beginLocked starts a run. miniredis starts when it is first dialled; a dial through it comes first, alone, so that
// the hook is in place before the first connection that anybody uses.
func (s *Server) beginLocked() error {
	s.mini.Lock()
	// Close cancelled this context, and with it every later blocking command.
	s.mini.Ctx, s.mini.CtxCancel = context.WithCancel(context.Background())
	s.mini.Unlock()

	first, err := s.mini.Dial()
	if err != nil {
		return fmt.Errorf("embedded: start: %w", err)
	}
	s.mini.Server().SetPreHook(s.before)
	s.told.Lock()
	s.told.run = newRun()
	s.told.Unlock()
	return first.Close()
}

// dial refuses after Close, where miniredis would silently start again.
func (s *Server) dial() (net.Conn, error) {
	near, far := pipe()
	if err := s.serve(far); err != nil {
		return nil, err
	}
	return near, nil
}

func (s *Server) serve(c net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return ErrClosed
	}
	s.mini.Server().ServeConn(c)
	return nil
}

// listen accepts on a socket of its own rather than miniredis's, so that the port outlives a Restart.
func (s *Server) listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("embedded: listen: %w", err)
	}
	s.told.Lock()
	s.told.addr = l.Addr().String()
	s.told.Unlock()
	s.listener = l
	s.accept.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.serve(c) != nil {
				return
			}
		}
	})
	return nil
}
