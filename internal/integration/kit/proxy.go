package kit

import (
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Proxy stands between a client and a server on loopback and breaks what passes, on command. It is a toxiproxy with one
// toxic in each direction, see line, which does what it is told at once and whatever hangs. It begins healed. Its methods
// may be called from any goroutine.
type Proxy struct {
	addr  string
	toxic *toxiproxy.Proxy

	door   sync.Mutex // who opens and closes it
	closed bool       // the test has ended

	mu         sync.Mutex
	weather    weather
	cut, stray chan struct{} // closed, and replaced, by Cut and by Strand
}

// weather is what all lines of a proxy meet. The zero value lets everything pass.
type weather struct {
	swallow bool
	delay   time.Duration // of replies
	tear    *tear
	changed chan struct{} // closed when this is no longer the weather
}

// tear is where lines break off.
type tear struct {
	replies bool // of what the client gets, and not of what it sends
	after   int  // bytes
}

// NewProxy starts a proxy to the target's address that ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	register()
	p := &Proxy{weather: weather{changed: make(chan struct{})}, cut: make(chan struct{}), stray: make(chan struct{})}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	// The port is no outgoing connection's, so that it is still free when a refusal ends; see freePort. Somebody else
	// may take it between looking and listening.
	var err error
	for range 5 {
		var port int
		if port, err = freePort(); err != nil {
			break
		}
		p.addr = loopback(port)
		p.toxic = toxiproxy.NewProxy(server, t.Name(), p.addr, target)
		if err = p.lay("upstream"); err == nil {
			err = p.lay("downstream")
		}
		if err == nil {
			err = p.toxic.Start()
		}
		if err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("start a proxy to %s: %v", target, err)
	}
	t.Cleanup(func() {
		p.door.Lock()
		p.closed = true
		p.door.Unlock()
		p.Refuse()
	})
	return p
}

// lay puts a line of the proxy's own into every connection to come.
func (p *Proxy) lay(direction string) error {
	wrapper, err := p.toxic.Toxics.AddToxicJson(strings.NewReader(`{"type":"` + lineType + `","stream":"` + direction + `"}`))
	if err != nil {
		return err
	}
	l := wrapper.Toxic.(*line)
	l.proxy, l.replies = p, direction == "downstream"
	return nil
}

// Addr is where clients connect; it never changes.
func (p *Proxy) Addr() string { return p.addr }

// Refuse is a server that is gone: connections are cut, new ones refused.
func (p *Proxy) Refuse() {
	p.door.Lock()
	defer p.door.Unlock()
	p.toxic.Stop()
	p.Cut() // what was under way is no longer
}

// BlackHole is a network that drops everything: connections stay open, nothing arrives in either direction, and no
// end of a connection is told. New connections are taken, which loopback cannot help, and then hang. What was sent
// meanwhile arrives after Heal, as TCP would send it again.
func (p *Proxy) BlackHole() { p.set(weather{swallow: true}) }

// Delay makes each reply arrive d after it was sent; requests pass at once.
func (p *Proxy) Delay(d time.Duration) { p.set(weather{delay: d}) }

// TearReplies cuts each connection when its client has got so many bytes more: with 0 what was asked for is done, and
// nobody hears of it; with some, in the midst of a reply.
func (p *Proxy) TearReplies(after int) { p.set(weather{tear: &tear{replies: true, after: after}}) }

// TearRequests cuts each connection when its server has got so many bytes more: with 0 nothing arrives, with some the
// beginning of a request.
func (p *Proxy) TearRequests(after int) { p.set(weather{tear: &tear{after: after}}) }

// Heal undoes all of these. It returns an error if the port was taken while refusing.
func (p *Proxy) Heal() error {
	p.set(weather{})
	p.door.Lock()
	defer p.door.Unlock()
	if p.toxic.Enabled || p.closed {
		return nil
	}
	return p.toxic.Start()
}

// Cut closes every connection; new ones are as welcome as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.cut)
	p.cut = make(chan struct{})
}

// Strand leaves every connection open and dead, as a router does that has forgotten it: nothing arrives any more, not even
// its end, until it is cut. New ones are as welcome as before.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.stray)
	p.stray = make(chan struct{})
}

func (p *Proxy) set(w weather) {
	w.changed = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.weather.changed)
	p.weather = w
}

func (p *Proxy) now() weather {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.weather
}
