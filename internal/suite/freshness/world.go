package freshness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

const (
	// patience bounds what waits for another: no schedule takes nearly as long, unless it hangs.
	patience = 2 * time.Minute
	// holdTime is the hold time of the worlds whose time is not the machine's.
	holdTime = 10 * time.Second
	staleAge = time.Minute
)

// broken says which rule of the protocol is taken out. The zero value leaves all of them in.
type broken struct {
	rules guard.Set
	lua   *luaRule
}

// luaRule is a rule that acts in a script, and is taken out by changing its source.
type luaRule struct {
	script    string
	text, off string
}

// rewrite changes the script. A text that is not there any more would leave the rule in, and the test without meaning.
func (r *luaRule) rewrite(t testing.TB) func(name, source string) string {
	return func(name, source string) string {
		if r == nil || name != r.script {
			return source
		}
		if !strings.Contains(source, r.text) {
			t.Errorf("%s.lua does not hold %q any more", name, r.text)
		}
		return strings.Replace(source, r.text, r.off, 1)
	}
}

// instance is one process: a cache with a client of its own.
type instance struct {
	cache *cacheme.Cache
	rdb   redis.UniversalClient
	*breaks
	get func(context.Context, question) (int64, error)
}

// world is a database of rows, whose values are their versions, and some instances that cache it. Versions only grow,
// so that a value which is older than what a read was promised shows.
type world struct {
	t         testing.TB
	subject   subject
	prefix    string
	instances []*instance
	records   sync.Map // id to *record
	loads     atomic.Int64
	// source is what a loader reads; nil: the record.
	source func(context.Context, *instance) (int64, error)

	mu       sync.Mutex
	breaches []string
}

// record is one row.
type record struct {
	version  atomic.Int64 // in the database
	promised atomic.Int64 // the last one whose write has returned
}

// promise raises what later reads have to return at least.
func (r *record) promise(v int64) {
	for {
		old := r.promised.Load()
		if v <= old || r.promised.CompareAndSwap(old, v) {
			return
		}
	}
}

func (w *world) record(id int64) *record {
	r, _ := w.records.LoadOrStore(id, new(record))
	return r.(*record)
}

func newWorld(t testing.TB, server suite.Server, s subject, instances int, b broken, o cacheme.Options) *world {
	t.Helper()
	w := &world{t: t, subject: s, prefix: suite.Prefix()}
	o.Prefix = w.prefix
	for range instances {
		i := &instance{breaks: &breaks{}, rdb: server.Client(unhurried)}
		i.rdb.AddHook(i.breaks)
		rdb := &guard.Client{UniversalClient: i.rdb, Rules: b.rules, Rewrite: b.lua.rewrite(t)}
		i.cache = suite.NewCache(t, rdb, suite.Patient(o), declarations()...)
		i.get = s.bind(t, i.cache)
		w.instances = append(w.instances, i)
	}
	return w
}

// unhurried keeps timeouts out of what is about order.
func unhurried(o *redis.Options) {
	suite.PatientClient(o)
	o.PoolSize = 32
}

// breach notes a broken promise.
func (w *world) breach(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaches = append(w.breaches, fmt.Sprintf(format, args...))
}

// broke returns the promises broken so far.
func (w *world) broke() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.breaches
}

// reading is one Get under way.
type reading struct {
	w       *world
	who     string
	floor   int64         // what it was promised when it began
	loading chan struct{} // closed when its loader has read the database
	missed  chan struct{} // closed when it found nothing usable
	goOn    chan struct{} // its loader returns when this is closed
	done    chan struct{}
	value   int64
	err     error
}

// start begins a Get whose loader, if it is called, reads the database and then waits for release.
func (w *world) start(i *instance, id int64, who string) *reading {
	return w.ask(i, question{id: id}, who)
}

func (w *world) ask(i *instance, q question, who string) *reading {
	r := &reading{
		w: w, who: who, floor: w.record(q.id).promised.Load(),
		loading: make(chan struct{}), missed: make(chan struct{}), goOn: make(chan struct{}), done: make(chan struct{}),
	}
	q.missed = sync.OnceFunc(func() { close(r.missed) })
	loading := sync.OnceFunc(func() { close(r.loading) })
	q.load = func(ctx context.Context) (int64, error) {
		v, err := w.load(ctx, i, q.id)
		w.loads.Add(1)
		loading()
		select {
		case <-r.goOn:
			return v, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r.value, r.err = i.get(ctx, q)
	}()
	return r
}

func (w *world) load(ctx context.Context, i *instance, id int64) (int64, error) {
	if w.source != nil {
		return w.source(ctx, i)
	}
	return w.record(id).version.Load(), nil
}

// isLoading waits until the loader has read the database.
func (r *reading) isLoading() { r.await(r.loading, "to load") }

// hasMissed waits until the Get has looked and found nothing that it may serve.
func (r *reading) hasMissed() { r.await(r.missed, "to look") }

func (r *reading) await(c <-chan struct{}, what string) {
	r.w.t.Helper()
	select {
	case <-c:
	case <-r.done:
		r.w.t.Fatalf("%s returned %d, %v; it was expected %s", r.who, r.value, r.err, what)
	}
}

// end lets the loader go on, waits for the Get, and holds it to what it was promised.
func (r *reading) end() int64 {
	close(r.goOn)
	return r.result()
}

// release lets the loader go on.
func (r *reading) release() { close(r.goOn) }

func (r *reading) result() int64 {
	r.w.t.Helper()
	<-r.done
	switch {
	case r.err != nil:
		r.w.t.Errorf("%s: Get = %v", r.who, r.err)
	case r.value < r.floor:
		r.w.breach("%s was given version %d, and %d had been promised before it began", r.who, r.value, r.floor)
	}
	return r.value
}

// read is a whole Get.
func (w *world) read(i *instance, id int64, who string) int64 {
	w.t.Helper()
	return w.start(i, id, who).end()
}

// write commits a new version and invalidates what it makes wrong.
func (w *world) write(i *instance, id int64) {
	w.t.Helper()
	r := w.record(id)
	v := r.version.Add(1)
	w.check("write", w.subject.write(w.t.Context(), i.cache, id))
	r.promise(v)
}

// lose takes away what Redis has under keys of the world that match pattern, as eviction and a flush would.
func (w *world) lose(pattern string) {
	ctx := context.Background()
	rdb := w.instances[0].rdb
	keys, err := suite.Keys(ctx, rdb, w.prefix+pattern)
	if err == nil && len(keys) > 0 {
		_, err = suite.Drop(ctx, rdb, keys...)
	}
	if err != nil {
		w.t.Errorf("lose %s = %v", pattern, err)
	}
}

// hold places a hold on what a write of the subject makes wrong.
func (w *world) hold(i *instance, id int64) *cacheme.Hold {
	w.t.Helper()
	h, err := i.cache.Hold(w.t.Context(), w.subject.wrong(id))
	w.check("Hold", err)
	return h
}

// atRest holds every instance to the database, with nobody in the middle of anything.
func (w *world) atRest(id int64) {
	w.t.Helper()
	want := w.record(id).version.Load()
	for n, i := range w.instances {
		if got := w.read(i, id, fmt.Sprintf("instance %d at rest", n)); got != want {
			w.breach("with nobody in the middle of anything, instance %d returned version %d of %d", n, got, want)
		}
	}
}

func (w *world) check(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s = %v", what, err)
	}
}
