package freshness

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// trip is one kind of round trip that a cache makes.
type trip string

const (
	look  trip = "look"  // the MGET of a read
	begin trip = "begin" // lease and tokens
	late  trip = "late"  // tokens of the result
	fill  trip = "fill"
)

// tripOf tells the round trips apart by their keys. What a test does not care for is "".
func tripOf(cmds []redis.Cmder) trip {
	args := cmds[0].Args()
	if name, _ := args[0].(string); name == "mget" {
		return look
	} else if name != "evalsha" {
		return ""
	}
	first, second := keyOf(args, 3), keyOf(args, 4)
	switch {
	case strings.HasSuffix(first, leaseSuffix) && args[2] != 1: // one key is that of a renewal
		return begin
	case strings.HasSuffix(second, leaseSuffix):
		return fill
	case strings.HasSuffix(first, tokenSuffix) && touches(args):
		return late
	}
	return ""
}

const (
	leaseSuffix = ":lease"
	tokenSuffix = ":invalid"
)

func keyOf(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	key, _ := args[i].(string)
	return key
}

// touches tells the script by which a load reads tokens from those of a writer: its first argument is a number of loads,
// where theirs is an epoch.
func touches(args []any) bool {
	keys, _ := args[2].(int)
	if len(args) <= keys+3 {
		return false
	}
	_, loads := args[keys+3].(int)
	return loads
}

// breakpoint stops the next round trip of its kind.
type breakpoint struct {
	trip    trip
	after   bool          // after the reply instead of before the command is sent
	reached chan struct{} // closed when the trip has stopped there
	goOn    chan struct{}
	fail    error // what the trip ends with, instead of being sent; nil: it goes on
}

func (b *breakpoint) release() { close(b.goOn) }

// breaks is a hook on a client that stops round trips where a schedule wants it.
type breaks struct {
	mu     sync.Mutex
	points []*breakpoint
	// reply, if set, may change what Redis answered.
	reply func(redis.Cmder)
	// linger, if set, keeps replies back for a while. It is set before the first trip.
	linger func(trip)
}

// before stops the next such trip before it is sent.
func (b *breaks) before(t trip) *breakpoint { return b.add(&breakpoint{trip: t}) }

// after stops the next such trip when its reply is there and nobody has seen it yet.
func (b *breaks) after(t trip) *breakpoint { return b.add(&breakpoint{trip: t, after: true}) }

// fail ends the next such trip with err. It does not stop it.
func (b *breaks) fail(t trip, err error) {
	b.add(&breakpoint{trip: t, fail: err}).release()
}

func (b *breaks) add(p *breakpoint) *breakpoint {
	p.reached, p.goOn = make(chan struct{}), make(chan struct{})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.points = append(b.points, p)
	return p
}

func (b *breaks) rewriteReplies(f func(redis.Cmder)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reply = f
}

func (b *breaks) stop(ctx context.Context, cmds []redis.Cmder, after bool) error {
	p := b.take(tripOf(cmds), after)
	if p == nil {
		return nil
	}
	close(p.reached)
	select {
	case <-p.goOn:
		return p.fail
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *breaks) take(t trip, after bool) *breakpoint {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.points {
		if p.trip == t && p.after == after {
			b.points = append(b.points[:i:i], b.points[i+1:]...)
			return p
		}
	}
	return nil
}

func (b *breaks) rewrite(cmds []redis.Cmder) {
	b.mu.Lock()
	f := b.reply
	b.mu.Unlock()
	if f == nil {
		return
	}
	for _, cmd := range cmds {
		f(cmd)
	}
}

func (b *breaks) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (b *breaks) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		cmds := []redis.Cmder{cmd}
		return b.around(ctx, cmds, func() error { return next(ctx, cmd) })
	}
}

func (b *breaks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return b.around(ctx, cmds, func() error { return next(ctx, cmds) })
	}
}

func (b *breaks) around(ctx context.Context, cmds []redis.Cmder, send func() error) error {
	if err := b.stop(ctx, cmds, false); err != nil {
		return failed(cmds, err)
	}
	err := send()
	b.rewrite(cmds)
	if b.linger != nil {
		b.linger(tripOf(cmds))
	}
	if stopped := b.stop(ctx, cmds, true); stopped != nil {
		return failed(cmds, stopped)
	}
	return err
}

func failed(cmds []redis.Cmder, err error) error {
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}
