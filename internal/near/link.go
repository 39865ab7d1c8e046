package near

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// link is the connection to one server by which word of changes comes.
type link struct {
	feed   *feed
	server redis.UniversalClient
	ended  context.Context //nolint:containedctx // of all that it does
	end    context.CancelFunc
	// until is the process's time until which the link is trusted: Lag past the moment at which the last ping was sent
	// whose answer has come. What the server said before it saw the ping has come before the answer.
	until atomic.Int64
}

func newLink(f *feed, server redis.UniversalClient) *link {
	l := &link{feed: f, server: server}
	l.ended, l.end = context.WithCancel(f.closed)
	return l
}

// pings is how many pings fit into Lag: an answer may take three quarters of it.
const pings = 4

// run listens, and begins anew whenever that ends.
func (l *link) run() {
	pause := l.feed.lag / pings
	for l.ended.Err() == nil {
		err := l.listen()
		l.until.Store(0)
		l.feed.trust()
		if l.ended.Err() != nil {
			return
		}
		l.feed.tell(err)
		select {
		case <-time.After(pause):
		case <-l.ended.Done():
		}
	}
}

// The ways in which a link finds itself broken.
var (
	errReconnected = errors.New("near: the connection was broken for a moment")
	errUnheard     = errors.New("near: what is published does not arrive here")
)

// listen is one connection from its beginning to its end. The client would mend a broken one by itself and not say so;
// any sign of that ends it.
func (l *link) listen() error {
	ctx, cancel := context.WithCancel(l.ended)
	var pinging sync.WaitGroup
	defer pinging.Wait()
	defer cancel()
	sub, done := l.subscribe(ctx)
	defer done()
	defer context.AfterFunc(ctx, func() { sub.Close() })()
	defer sub.Close()
	if err := sub.Subscribe(ctx, l.feed.o.Channel); err != nil {
		return err
	}
	subscribed, probe := false, newProbe()
	for {
		message, err := sub.ReceiveTimeout(ctx, l.feed.lag) // pongs come more often
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *redis.Subscription:
			if subscribed {
				return errReconnected
			}
			subscribed = true
			l.feed.forget() // nobody has heard what was said until now
			pinging.Go(func() { l.ping(ctx, sub, probe, cancel) })
		case *redis.Message:
			probe.hear(m.Payload)
			l.feed.wires.cut(m.Payload)
		case *redis.Pong:
			if sent, err := strconv.ParseInt(m.Payload, 10, 64); err == nil {
				l.until.Store(sent + l.feed.lag.Microseconds())
				l.feed.trust()
			}
		}
	}
}

// subscribe returns a subscription to nothing yet. Nothing is dialled before the first channel.
func (l *link) subscribe(ctx context.Context) (sub *redis.PubSub, done func()) {
	if len(l.feed.o.Tracked) > 0 {
		if client := l.tracking(); client != nil {
			return client.Subscribe(ctx), func() { client.Close() }
		}
	}
	return l.server.Subscribe(ctx), func() {}
}

// probe is published once, and has to come back: answers alone would not show that what others publish arrives.
type probe struct {
	text    string
	arrived chan struct{}
	once    sync.Once // a client may publish it a second time
}

func newProbe() *probe { return &probe{text: "?" + rand.Text(), arrived: make(chan struct{})} }

func (p *probe) hear(payload string) {
	if payload == p.text {
		p.once.Do(func() { close(p.arrived) })
	}
}

// send publishes the probe and waits for it.
func (p *probe) send(ctx context.Context, l *link) error {
	if err := l.server.Publish(ctx, l.feed.o.Channel, p.text).Err(); err != nil {
		return err
	}
	select {
	case <-p.arrived:
		return nil
	case <-time.After(l.feed.lag):
		return errUnheard
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ping asks for an answer again and again.
func (l *link) ping(ctx context.Context, sub *redis.PubSub, first *probe, broken func()) {
	defer broken()
	if err := first.send(ctx, l); err != nil {
		l.feed.tell(err)
		return
	}
	tick := time.NewTicker(l.feed.lag / pings)
	defer tick.Stop()
	for {
		sent, _ := l.feed.clock()
		if err := sub.Ping(ctx, strconv.FormatInt(sent, 10)); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
