package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const staleText = `A load has read the row and not stored it yet; the row is written, and the write is told to the cache; then the load ends. Told is in how
many trials *the old value stays* after all is quiet, for an instance that asks then. The write is told through the instance that loads (*same instance*),
or through another (*two instances*); or there another reader stores the new value before the load ends (*overtaken*). *Joined*: a reader that
begins after the write has been told is given the value of that load, so that its own answer is old. *Natural*: five writes, 0 to 2 ms
apart, with eight readers in two instances, and nothing arranged. Who has no Redis has one instance.`

// staleCase is one way in which an old value could stay, or be given to somebody.
type staleCase struct {
	name string
	two  bool // takes two instances
	// happens reports whether it did in one trial with an item of its own.
	happens func(ctx context.Context, t trial) (bool, error)
}

var staleCases = []staleCase{
	{"same instance", false, func(ctx context.Context, t trial) (bool, error) { return t.slowLoad(ctx, t.one, nil) }},
	{"two instances", true, func(ctx context.Context, t trial) (bool, error) { return t.slowLoad(ctx, t.two, nil) }},
	{"overtaken", true, func(ctx context.Context, t trial) (bool, error) { return t.slowLoad(ctx, t.two, t.two) }},
	{"joined", false, func(ctx context.Context, t trial) (bool, error) { return t.joined(ctx) }},
	{"natural", false, func(ctx context.Context, t trial) (bool, error) { return t.natural(ctx) }},
}

// trial is one item, with two instances of a peer in front of it; those may be one.
type trial struct {
	one, two Peer
	source   *source
	id       int64
}

func staleFills(ctx context.Context, s size) ([]table, error) {
	t := table{Title: fmt.Sprintf("of %d trials each", s.trials)}
	for _, c := range staleCases {
		t.Columns = append(t.Columns, column{c.name, 0})
	}
	server, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.close() }()
	source := newSource(time.Millisecond)
	ones, done, err := open(ctx, server, contenders(), source, s.hold)
	if err != nil {
		return nil, err
	}
	defer done()
	twos, done, err := openUnsettled(server, contenders(), source, s.hold)
	if err != nil {
		return nil, err
	}
	defer done()
	for i, l := range ones {
		if l.name == rawMsgpack || l.name == rawJSON {
			continue // the codec is not what matters here
		}
		progressf("  %s", l.name)
		r := row{Name: l.name, About: string(l.tier)}
		for k, c := range staleCases {
			two := twos[i].peer
			if l.tier == inProcess {
				two = l.peer
			}
			if c.two && two == l.peer {
				r.Cells = append(r.Cells, none("–"))
				continue
			}
			n, err := trials(ctx, s.trials, func(ctx context.Context, n int) (bool, error) {
				return c.happens(ctx, trial{l.peer, two, source, int64(k*s.trials + n)})
			})
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", l.name, c.name, err)
			}
			r.Cells = append(r.Cells, of(float64(n)))
		}
		t.Rows = append(t.Rows, r)
	}
	for k, c := range staleCases {
		t.Words = append(t.Words, better(t, k, "In *"+c.name+"*")...)
	}
	t.Plots = []plot{{Name: "stale-fill", Title: "natural timing: trials of " + fmt.Sprint(s.trials) + " that end with the old value", Column: 4}}
	return []table{t}, nil
}

// trials counts in how many of them it happened, with some at a time: most of one is waiting.
func trials(ctx context.Context, n int, happens func(ctx context.Context, n int) (bool, error)) (count int, err error) {
	const atOnce = 8
	var first firstError
	var mu sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			did, err := happens(ctx, i)
			first.keep("trial", err)
			mu.Lock()
			defer mu.Unlock()
			if did {
				count++
			}
		})
	}
	wg.Wait()
	return count, first.err()
}

const (
	// quiet is how long nothing happens before a trial looks: what a client-side cache is told has arrived by then.
	quiet = 20 * time.Millisecond
	// aMoment is how long a second reader has before the first load ends: one that waits for it will not come earlier.
	aMoment = 20 * time.Millisecond
)

// slowLoad arranges a load that ends after the write, and after the second reader if there is one. It reports whether the
// old value stays.
func (t trial) slowLoad(ctx context.Context, writer, second Peer) (bool, error) {
	loading := t.source.stop(t.id)
	var first firstError
	var wg sync.WaitGroup
	wg.Go(func() { first.keep("first reader", errorOf(t.one.Get(ctx, t.id))) })
	g := <-loading
	t.source.write(t.id)
	first.keep("invalidate", writer.Invalidate(ctx, t.id))
	if second != nil {
		got := make(chan struct{})
		wg.Go(func() {
			defer close(got)
			first.keep("second reader", errorOf(second.Get(ctx, t.id)))
		})
		within(aMoment, got)
	}
	close(g.release)
	wg.Wait()
	if err := first.err(); err != nil {
		return false, err
	}
	return t.stays(ctx)
}

// joined reports whether a reader that begins after the write has been told is given the old value.
func (t trial) joined(ctx context.Context) (bool, error) {
	loading := t.source.stop(t.id)
	var first firstError
	var wg sync.WaitGroup
	wg.Go(func() { first.keep("first reader", errorOf(t.one.Get(ctx, t.id))) })
	g := <-loading
	version := t.source.write(t.id)
	first.keep("invalidate", t.one.Invalidate(ctx, t.id))
	got := make(chan struct{})
	var later Item
	wg.Go(func() {
		defer close(got)
		item, err := t.one.Get(ctx, t.id)
		first.keep("second reader", err)
		later = item
	})
	within(aMoment, got)
	close(g.release)
	wg.Wait()
	return later.Version != version, first.err()
}

// natural reports whether an old value stays after writes and reads that nobody arranges.
func (t trial) natural(ctx context.Context) (bool, error) {
	const writes, readers = 5, 8
	var first firstError
	var wg sync.WaitGroup
	written := make(chan struct{})
	for r := range readers {
		p := []Peer{t.one, t.two}[r%2]
		wg.Go(func() {
			for {
				select {
				case <-written:
					return
				case <-time.After(100 * time.Microsecond):
					first.keep("reader", errorOf(p.Get(ctx, t.id)))
				}
			}
		})
	}
	for w := range writes {
		time.Sleep(time.Duration((t.id*7+int64(w)*13)%20) * 100 * time.Microsecond)
		t.source.write(t.id)
		first.keep("invalidate", t.one.Invalidate(ctx, t.id))
	}
	close(written)
	wg.Wait()
	if err := first.err(); err != nil {
		return false, err
	}
	return t.stays(ctx)
}

// stays reports whether one of the instances has an old value after all is quiet.
func (t trial) stays(ctx context.Context) (bool, error) {
	time.Sleep(quiet)
	t.source.mu.Lock()
	version := t.source.rows[t.id]
	t.source.mu.Unlock()
	for _, p := range []Peer{t.one, t.two} {
		item, err := p.Get(ctx, t.id)
		if err != nil || item.Version != version {
			return true, err
		}
	}
	return false, nil
}

func within(d time.Duration, done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(d):
	}
}

func errorOf(_ Item, err error) error { return err }
