package kit

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a client and a server on loopback and breaks what passes, on command. It begins healed.
// Its methods may be called from any goroutine.
type Proxy struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener // nil while refusing
	swallow  bool
	delay    time.Duration
	changed  chan struct{} // closed, and replaced, when swallow changes
	links    map[*link]struct{}
	closed   bool

	work sync.WaitGroup
}

// link is one client's connection with its continuation to the target.
type link struct {
	client, server net.Conn
	cut            chan struct{}
	once           sync.Once
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.cut)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// NewProxy starts a proxy to the target's address that ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target, changed: make(chan struct{}), links: make(map[*link]struct{})}
	// The port is no outgoing connection's, so that it is still free when a refusal ends; see freePort. Somebody else
	// may take it between looking and listening.
	var err error
	for range 5 {
		var port int
		if port, err = freePort(); err != nil {
			break
		}
		p.addr = loopback(port)
		if err = p.listen(); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("start a proxy to %s: %v", target, err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.Refuse()
		p.work.Wait()
	})
	return p
}

// Addr is where clients connect; it never changes.
func (p *Proxy) Addr() string { return p.addr }

// Refuse is a server that is gone: connections are cut, new ones refused.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.Cut()
}

// BlackHole is a network that drops everything: connections stay open, nothing arrives in either direction, and no
// end of a connection is told. New connections are taken, which loopback cannot help, and then hang. What was sent
// meanwhile arrives after Heal, as TCP would send it again.
func (p *Proxy) BlackHole() { p.set(true, 0) }

// Delay makes each reply arrive d later; requests pass at once.
func (p *Proxy) Delay(d time.Duration) { p.set(false, d) }

// Heal undoes Refuse, BlackHole and Delay. It returns an error if the port was taken while refusing.
func (p *Proxy) Heal() error {
	p.set(false, 0)
	return p.listen()
}

// Cut closes every connection; new ones are as welcome as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

func (p *Proxy) set(swallow bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallow, p.delay = swallow, delay
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = l
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.connect(l, c) })
		}
	})
	return nil
}

func (p *Proxy) connect(from net.Listener, client net.Conn) {
	server, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server, cut: make(chan struct{})}
	p.mu.Lock()
	// A refusal that came during the dial has not seen this link.
	refused := p.listener != from
	if !refused {
		p.links[l] = struct{}{}
	}
	p.mu.Unlock()
	defer func() {
		l.close()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	}()
	if refused {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(l, server, client, false) })
	both.Go(func() { p.carry(l, client, server, true) })
	both.Wait()
}

// parcel is what one read returned, and when it may arrive.
type parcel struct {
	bytes []byte
	due   time.Time
}

// carry moves bytes one way until its source ends or the link is cut. Reading and writing run apart, so that a delay
// is the age of each parcel and not the sum of those before it.
func (p *Proxy) carry(l *link, to, from net.Conn, replies bool) {
	parcels := make(chan parcel, 64)
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		defer close(parcels)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				select {
				case parcels <- parcel{b[:n], p.due(replies)}:
				case <-l.cut:
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					l.close()
				}
				return
			}
		}
	})
	for next := range parcels {
		if !p.pass(l, next.due) {
			return
		}
		if _, err := to.Write(next.bytes); err != nil {
			l.close()
			return
		}
	}
	if p.pass(l, time.Time{}) {
		// The source has said its last word; the other direction may go on.
		_ = to.(*net.TCPConn).CloseWrite()
	}
}

func (p *Proxy) due(replies bool) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !replies {
		return time.Time{}
	}
	return time.Now().Add(p.delay)
}

// pass waits until the time has come and nothing is swallowed; false means that the link was cut first.
func (p *Proxy) pass(l *link, due time.Time) bool {
	if wait := time.Until(due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-l.cut:
			return false
		}
	}
	for {
		p.mu.Lock()
		swallow, changed := p.swallow, p.changed
		p.mu.Unlock()
		if !swallow {
			return true
		}
		select {
		case <-changed:
		case <-l.cut:
			return false
		}
	}
}
