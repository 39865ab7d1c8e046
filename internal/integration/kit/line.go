package kit

import (
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// lineType is the name of line among the toxics.
const lineType = "cacheme"

var register = sync.OnceFunc(func() { toxics.Register(lineType, new(line)) })

// line is one direction of a proxy's connections. It is the proxy's only toxic and stays in them for good, because
// toxiproxy's own can neither be taken out nor outlived in time: see docs/decisions.md.
type line struct {
	proxy   *Proxy
	replies bool
}

// passage is one connection's way through a line.
type passage struct {
	cut, stray <-chan struct{}
	torn       *tear // the last one that was begun with
	left       int   // bytes until then
}

// NewState begins a connection.
func (l *line) NewState() any {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	return &passage{cut: l.proxy.cut, stray: l.proxy.stray}
}

// GetBufferSize lets reading and writing run apart, so that a delay is the age of each parcel and not the sum of those
// before it.
func (*line) GetBufferSize() int { return 64 }

// Pipe carries what comes until its source ends or the connection is cut.
func (l *line) Pipe(stub *toxics.ToxicStub) {
	p := stub.State.(*passage)
	// Whoever still sends shall not wait for ever: once both directions are closed, both sources end.
	defer func() {
		stub.Close()
		for c := range stub.Input {
			_ = c
		}
	}()
	for {
		select {
		case <-p.cut:
			return
		case c := <-stub.Input:
			if !l.pass(p, c) || c == nil {
				return
			}
			whole := l.torn(p, c)
			select {
			case <-p.cut:
				return
			case stub.Output <- c:
			}
			if !whole {
				return
			}
		}
	}
}

// pass waits until a parcel, or the end of all if it is nil, may arrive; false means that the connection was cut first.
func (l *line) pass(p *passage, c *stream.StreamChunk) bool {
	for {
		w := l.proxy.now()
		var due <-chan time.Time
		select {
		case <-p.stray:
			<-p.cut
			return false
		default:
		}
		switch {
		case w.swallow:
		case c == nil || !l.replies || time.Since(c.Timestamp) >= w.delay:
			return true
		default:
			due = time.After(w.delay - time.Since(c.Timestamp))
		}
		select {
		case <-p.cut:
			return false
		case <-p.stray:
		case <-due:
		case <-w.changed:
		}
	}
}

// torn shortens a parcel in which the connection breaks off, and reports whether it was left whole.
func (l *line) torn(p *passage, c *stream.StreamChunk) (whole bool) {
	t := l.proxy.now().tear
	if t != p.torn {
		p.torn = t
		if t != nil {
			p.left = t.after
		}
	}
	if t == nil || t.replies != l.replies {
		return true
	}
	if len(c.Data) < p.left {
		p.left -= len(c.Data)
		return true
	}
	c.Data = c.Data[:p.left]
	return false
}
