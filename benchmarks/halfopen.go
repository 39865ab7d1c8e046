package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// relay stands between a fleet and its Redis, and can make the connections of this moment half-open: they stay, and what is
// sent on them is swallowed, in both directions and without a word to anybody. Connections that are made later are well.
type relay struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	links    map[*link]bool
	work     sync.WaitGroup
}

// link is one connection with its continuation.
type link struct {
	client, server net.Conn
	swallows       atomic.Bool
}

func newRelay(ctx context.Context, target string) (*relay, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, target: target, links: map[*link]bool{}}
	r.work.Go(r.accept)
	return r, nil
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target) //nolint:noctx // the loopback answers at once, or refuses
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{client: client, server: server}
		r.mu.Lock()
		r.links[l] = true
		r.mu.Unlock()
		r.work.Go(func() { r.carry(l, server, client) })
		r.work.Go(func() { r.carry(l, client, server) })
	}
}

// carry moves bytes one way. An end is told to the other side, unless the link is half-open.
func (r *relay) carry(l *link, to, from net.Conn) {
	_, _ = io.Copy(swallower{l, to}, from)
	if l.swallows.Load() {
		return // the relay closes it in the end
	}
	l.close()
	r.mu.Lock()
	delete(r.links, l)
	r.mu.Unlock()
}

// swallower writes to one end of a link, or to nobody.
type swallower struct {
	link *link
	to   net.Conn
}

func (s swallower) Write(b []byte) (int, error) {
	if s.link.swallows.Load() {
		return len(b), nil
	}
	return s.to.Write(b)
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

// halfOpen does that to all connections that there are, and returns how many.
func (r *relay) halfOpen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.links {
		l.swallows.Store(true)
	}
	return len(r.links)
}

// close cuts all connections.
func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	for l := range r.links {
		l.close()
	}
	r.mu.Unlock()
	r.work.Wait()
}
