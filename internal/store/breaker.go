package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// breakerFailures in a row open the breaker: a black hole then costs no more than this many budgets.
	breakerFailures = 3
	// breakerPause is the time between probes while it is open.
	breakerPause = 250 * time.Millisecond
	// probeBudget bounds one probe.
	probeBudget = time.Second
)

// breaker keeps callers away from a Redis that does not answer. While it is open a goroutine probes; when Redis
// answers, what has to be delivered is delivered first, and only then does anybody else get through.
type breaker struct {
	s        *Store
	onReturn func() error
	onChange func(open bool, why error)
	failures atomic.Int32
	opened   atomic.Bool
	mu       sync.Mutex // guards done and the start of the probe
	done     bool
	stop     context.CancelFunc
	ctx      context.Context //nolint:containedctx // of the probes, ended by close
}

func (b *breaker) init(s *Store, onReturn func() error, onChange func(open bool, why error)) {
	b.s, b.onReturn, b.onChange = s, onReturn, onChange
	b.ctx, b.stop = context.WithCancel(context.Background())
}

func (b *breaker) open() bool { return b.opened.Load() }

// Away reports whether the breaker is open.
func (s *Store) Away() bool { return s.breaker.opened.Load() }

func (b *breaker) succeeded() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
}

func (b *breaker) failed(err error) {
	if !isDown(err) {
		return
	}
	if b.failures.Add(1) < breakerFailures {
		return
	}
	if b.start() {
		b.onChange(true, err)
	}
}

// start opens the breaker and begins to probe, unless somebody else has.
func (b *breaker) start() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done || b.opened.Load() || !b.s.gate.Enter() {
		return false
	}
	b.opened.Store(true)
	go b.probe()
	return true
}

// probe asks until Redis answers, then closes the breaker.
func (b *breaker) probe() {
	defer b.s.gate.Leave()
	pause := time.NewTicker(breakerPause)
	defer pause.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-pause.C:
		}
		if b.answers() && b.onReturn() == nil {
			b.failures.Store(0)
			b.opened.Store(false)
			b.onChange(false, nil)
			return
		}
	}
}

// answers reports whether everybody who has keys is there, and known. While a master of a cluster is not, the others are
// left alone only as long as three calls in a row have needed it.
func (b *breaker) answers() bool {
	_, err := callAnyway(b.ctx, b.s, probeBudget, func(ctx context.Context) (Epoch, error) {
		err := b.s.eachMaster(ctx, func(ctx context.Context, node redis.UniversalClient, _ string) error {
			return node.Ping(ctx).Err()
		})
		if err != nil {
			return Epoch{}, err
		}
		return b.s.currentEpoch(ctx)
	})
	return err == nil
}

func (b *breaker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
	b.stop()
}
