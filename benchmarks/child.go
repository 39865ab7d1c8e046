package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// childVariable holds the order of a process that this program starts of itself: a reader or the writer of a fleet.
const childVariable = "CACHEME_BENCHMARKS_CHILD"

// order is what such a process has to do, until its standard input ends.
type order struct {
	Watcher  string        `json:"watcher"` // by whose name it reads and writes
	Cache    string        `json:"cache"`   // an address
	Database sqlite        `json:"database"`
	Hold     time.Duration `json:"hold"`
	Keys     int           `json:"keys"`
	Readers  int           `json:"readers"` // goroutines; 0: this is the writer
	Rate     int           `json:"rate"`    // of writes a second
}

// word is what such a process says on its standard output, a line each.
type word struct {
	Ready  bool    `json:"ready,omitempty"`
	Reads  int64   `json:"reads,omitempty"` // so far
	Report *report `json:"report,omitempty"`
}

// report is its last word.
type report struct {
	Reads       int64       `json:"reads"`
	Loads       int64       `json:"loads"`
	Errors      int64       `json:"errors"`
	Seen        []sightings `json:"seen"` // of each goroutine
	Writes      []written   `json:"writes"`
	Undelivered int         `json:"undelivered"`
	LongestLoad int64       `json:"longestLoad"` // nanoseconds
}

// child does what an order says if this process was given one.
func child() (was bool, err error) {
	text := os.Getenv(childVariable)
	if text == "" {
		return false, nil
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return true, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends with the parent, whatever becomes of that
		stop()
	}()
	return true, o.obey(ctx, bufio.NewWriter(os.Stdout))
}

func (o order) obey(ctx context.Context, out *bufio.Writer) error {
	say := func(w word) error { return errors.Join(json.NewEncoder(out).Encode(w), out.Flush()) }
	t, err := newClock()
	if err != nil {
		return err
	}
	m, err := o.member(t) //nolint:contextcheck // what Install asks of the database is bounded by itself
	if err != nil {
		return err
	}
	defer m.close() //nolint:contextcheck // it ends with ctx, and closes after that
	if err := m.settle(ctx); err != nil {
		return err
	}
	if err := say(word{Ready: true}); err != nil {
		return err
	}
	var work sync.WaitGroup
	if o.Readers == 0 {
		work.Go(func() { m.write(ctx) })
	}
	m.report.Seen = make([]sightings, o.Readers)
	for r := range o.Readers {
		m.report.Seen[r] = sightings{}
		work.Go(func() { m.read(ctx, m.report.Seen[r]) })
	}
	for ctx.Err() == nil {
		select {
		case <-time.After(50 * time.Millisecond):
			if err := say(word{Reads: m.reads.Load()}); err != nil {
				return err
			}
		case <-ctx.Done():
		}
	}
	work.Wait()
	m.report.Reads, m.report.Loads, m.report.Errors = m.reads.Load(), m.loads.Load(), m.failed.Load()
	m.report.LongestLoad = m.longestLoad.Load()
	return say(word{Report: &m.report})
}

// member is one process of a fleet: a cache, and the database behind it.
type member struct {
	order
	clock                *clock
	rdb                  *redis.Client
	cache                *cacheme.Cache
	db                   *bun.DB
	kept                 atomic.Int64 // times that a write could not be told
	get                  func(ctx context.Context, id int64) (int64, error)
	reads, loads, failed atomic.Int64
	longestLoad          atomic.Int64
	report               report
}

func (o order) member(t *clock) (*member, error) {
	w, err := watcherOf(o.Watcher)
	if err != nil {
		return nil, err
	}
	m := &member{order: o, clock: t, rdb: newClient(o.Cache)}
	options := cacheme.Options{Prefix: "P0:", TTL: lifetime, Hold: o.Hold}
	if o.Readers == 0 {
		options.Observer = func(_ context.Context, e cacheme.Event) {
			if e.Kind == cacheme.EventKept {
				m.kept.Add(1)
			}
		}
	}
	if w.options != nil {
		w.options(&options)
	}
	if m.cache, err = cacheme.New(m.rdb, options); err != nil {
		return nil, err
	}
	if err := m.cache.Register(RowChanged{}); err != nil {
		return nil, err
	}
	if m.db, err = o.Database.hooked(m.cache); err != nil {
		return nil, err
	}
	bound, err := cacheme.Memo(m.cache, cacheme.Memoized[int64, int64]{
		Meta:         w.meta,
		Values:       func(id int64) []any { return []any{id} },
		InvalidNodes: func(id int64) []cacheme.Invalid { return ItemByID{ID: id}.InvalidNodes() },
	}, m.load)
	if err != nil {
		return nil, err
	}
	m.get = func(ctx context.Context, id int64) (int64, error) { return bound.Get(ctx, id) }
	if w.keep > 0 {
		m.get = kept(w.keep, m.get)
	}
	return m, nil
}

// rowOf is the row with an item's version, one of the three that the item depends on.
func rowOf(id int64) int64 { return 3 * id }

// load reads the version of a row from the database.
func (m *member) load(ctx context.Context, id int64) (int64, error) {
	m.loads.Add(1)
	began := m.clock.now()
	defer func() {
		took := m.clock.now() - began
		for was := m.longestLoad.Load(); took > was && !m.longestLoad.CompareAndSwap(was, took); was = m.longestLoad.Load() {
		}
	}()
	return version(ctx, m.db, rowOf(id))
}

// settle waits until the prefix has been in use for one hold time, as viaCacheme does.
func (m *member) settle(ctx context.Context) error {
	for id := range int64(m.Keys) {
		if _, err := m.get(ctx, id); err != nil {
			return err
		}
	}
	return sleep(ctx, m.Hold+m.Hold/10)
}

// read asks for one key after the other as fast as it goes.
func (m *member) read(ctx context.Context, s sightings) {
	for ctx.Err() == nil {
		id := rand.Int64N(int64(m.Keys))
		asked := m.clock.now()
		version, err := m.get(ctx, id)
		if err != nil {
			if ctx.Err() == nil {
				m.failed.Add(1)
			}
			continue
		}
		s.note(id, version, asked)
		m.reads.Add(1)
	}
}

// write commits one version after the other at the rate that was asked for.
func (m *member) write(ctx context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(m.Rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id := rand.Int64N(int64(m.Keys))
		kept := m.kept.Load()
		version, err := commit(ctx, m.db, rowOf(id))
		switch {
		case ctx.Err() != nil:
			return // cut short by the end
		case err != nil:
			m.failed.Add(1)
			continue
		}
		w := written{Key: id, Version: version}
		if m.kept.Load() == kept {
			w.Returned = m.clock.now()
		} else {
			m.report.Undelivered++
		}
		m.report.Writes = append(m.report.Writes, w)
	}
}

func (m *member) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(m.cache.Close(ctx), m.rdb.Close(), m.db.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "a member of a fleet:", err)
	}
}

// kept is a cache that is not coherent on purpose: it keeps what it got for so long, whatever is written.
func kept(keep time.Duration, get func(context.Context, int64) (int64, error)) func(context.Context, int64) (int64, error) {
	type value struct {
		version int64
		until   time.Time
	}
	var mu sync.Mutex
	values := map[int64]value{}
	return func(ctx context.Context, id int64) (int64, error) {
		mu.Lock()
		v, ok := values[id]
		mu.Unlock()
		if ok && time.Now().Before(v.until) {
			return v.version, nil
		}
		version, err := get(ctx, id)
		if err == nil {
			mu.Lock()
			values[id] = value{version, time.Now().Add(keep)}
			mu.Unlock()
		}
		return version, err
	}
}
