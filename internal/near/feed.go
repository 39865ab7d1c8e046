package near

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/gate"
)

// FeedOptions say where word of changes comes from.
type FeedOptions struct {
	// Channel carries the Redis keys that were made wrong or removed, one a message. Whoever does that publishes it, on
	// the server where it is done and in the same script.
	Channel string
	// Servers are where keys are changed, by name: the one server, or each master of a cluster.
	Servers func(context.Context) (map[string]redis.UniversalClient, error)
	// Pulse returns something that differs once the servers are others, or lost what they held. It is asked each Lag.
	Pulse func(context.Context) (string, error)
	// Tracked are the beginnings of keys that values may depend on. With them the servers are asked to tell of every change
	// of such a key, where they can. States then tells in which state some keys are now, see Cache.Keep.
	Tracked []string
	States  func(context.Context, []string) ([]uint64, error)
	// Told is told when values begin to be served (nil), and when not even a new connection brings that back, or they have
	// never been: why.
	Told func(error)
}

// feed listens to all servers. It is trusted while it can show for each of them that no word is missing.
type feed struct {
	o       FeedOptions
	lag     time.Duration
	clock   func() (int64, uint64)
	trusted *atomic.Int64
	wires   *wires
	forget  func()
	doubts  doubts

	started atomic.Bool
	closed  context.Context //nolint:containedctx // of all that it does
	end     context.CancelFunc
	running gate.Gate

	mu     sync.Mutex
	links  map[string]*link
	pulse  string
	served bool // as it was last told
	told   bool // that anything was
}

func newFeed(o Options, trusted *atomic.Int64, w *wires, forget func()) *feed {
	f := &feed{o: o.Feed, lag: o.Lag, clock: o.Clock, trusted: trusted, wires: w, forget: forget, links: map[string]*link{}}
	f.doubts.feed = f
	f.closed, f.end = context.WithCancel(context.Background())
	if f.o.Told == nil {
		f.o.Told = func(error) {}
	}
	return f
}

// start starts the feed, the first time.
func (f *feed) start() {
	if f.started.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.started.Load() {
		f.started.Store(f.goes(f.run))
	}
}

// goes runs do until it ends or the feed is closed, and is false after that.
func (f *feed) goes(do func()) bool {
	if !f.running.Enter() {
		return false
	}
	go func() {
		defer f.running.Leave()
		do()
	}()
	return true
}

// close ends the feed, and waits for what it does up to the end of ctx: a client may heed no context.
func (f *feed) close(ctx context.Context) error {
	f.end()
	f.trust()
	return f.running.Close(ctx)
}

// run follows the servers and feels their pulse until close.
func (f *feed) run() {
	tick := time.NewTicker(f.lag)
	defer tick.Stop()
	for {
		f.follow()
		f.feel()
		f.tell(nil)
		select {
		case <-tick.C:
		case <-f.closed.Done():
			return
		}
	}
}

// follow has one link to each server. One that comes forgets everything once it listens, and until then nothing is served;
// one that goes may take along what it was about to hear.
func (f *feed) follow() {
	ctx, cancel := context.WithTimeout(f.closed, f.lag)
	defer cancel()
	servers, err := f.o.Servers(ctx)
	if err != nil {
		f.tell(err)
		return
	}
	gone := false
	f.mu.Lock()
	for name, l := range f.links {
		if servers[name] != l.server {
			l.end()
			delete(f.links, name)
			gone = true
		}
	}
	for name, server := range servers {
		if _, known := f.links[name]; !known {
			l := newLink(f, server)
			f.links[name] = l
			f.goes(l.run)
		}
	}
	f.trustLocked()
	f.mu.Unlock()
	if gone {
		f.forget()
	}
}

// feel asks whether the servers are still the same and have lost nothing. That they do not answer says nothing: the links
// tell that.
func (f *feed) feel() {
	ctx, cancel := context.WithTimeout(f.closed, f.lag)
	defer cancel()
	pulse, err := f.o.Pulse(ctx)
	if err != nil || pulse == f.pulse {
		return
	}
	first := f.pulse == ""
	f.pulse = pulse
	if first {
		return
	}
	// The links may hang on a server that is no longer the one that is written to.
	f.mu.Lock()
	for name, l := range f.links {
		l.end()
		delete(f.links, name)
	}
	f.trustLocked()
	f.mu.Unlock()
	f.forget()
	f.follow()
}

// trust works out until when all links are trusted.
func (f *feed) trust() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trustLocked()
}

func (f *feed) trustLocked() {
	var until int64
	first := true
	for _, l := range f.links {
		if at := l.until.Load(); first || at < until {
			until, first = at, false
		}
	}
	if f.closed.Err() != nil {
		until = 0
	}
	f.trusted.Store(until)
}

// tell tells when values begin to be served, and when they are not.
func (f *feed) tell(why error) {
	own, _ := f.clock()
	f.mu.Lock()
	serving := own < f.trusted.Load()
	changed := (serving != f.served || !f.told) && f.closed.Err() == nil
	if !serving && why == nil {
		changed = false // whoever knows why tells it
	}
	if changed {
		f.served, f.told = serving, true
	}
	f.mu.Unlock()
	switch {
	case !changed:
	case serving:
		f.o.Told(nil)
	default:
		f.o.Told(why)
	}
}
