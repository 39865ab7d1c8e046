package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

const (
	// patience is the budget of a call whose budget is not the subject.
	patience = 20 * time.Second
	// life is what an entry of these checks lives for.
	life = time.Minute
	// longHold does not pass while a check runs.
	longHold = 10 * time.Second
)

// world is what one check works in: a server, and a prefix that nobody else has there.
type world struct {
	testing.TB
	server  Server
	rdb     redis.UniversalClient // to look past the store
	prefix  string
	rules   guard.Set
	rewrite func(name, source string) string
	names   int
	hold    time.Duration // one that may be waited for
}

func newWorld(t testing.TB, server Server, rules guard.Set, rewrite func(name, source string) string) *world {
	w := &world{TB: t, server: server, prefix: "T" + store.NewOwner() + ":", rules: rules, rewrite: rewrite, hold: longHold}
	if _, ok := server.(Mover); !ok {
		w.hold = 300 * time.Millisecond
	}
	w.rdb = w.client()
	return w
}

// client returns a client that is patient and sends once more what met a connection that a restart had cut.
func (w *world) client() redis.UniversalClient {
	return w.server.Client(func(o *redis.Options) {
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = patience, patience, patience
		o.MaxRetries, o.MinRetryBackoff = 1, -1
	})
}

// store returns a store of a process of its own.
func (w *world) store(with ...func(*store.Options)) *store.Store {
	return w.storeOn(w.client(), with...)
}

func (w *world) storeOn(rdb redis.UniversalClient, with ...func(*store.Options)) *store.Store {
	o := store.Options{Prefix: w.prefix, Hold: longHold}
	for _, f := range with {
		f(&o)
	}
	s := store.New(&guard.Client{UniversalClient: rdb, Rules: w.rules, Rewrite: w.rewrite}, o)
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			w.Errorf("Close() = %v", err)
		}
	})
	return s
}

func holdOf(d time.Duration) func(*store.Options) {
	return func(o *store.Options) { o.Hold = d }
}

// token returns the key of a dependency that nobody has used.
func (w *world) token() string {
	w.names++
	return fmt.Sprintf("%srow:book:%d:invalid", w.prefix, w.names)
}

// entry returns the key of an entry that nobody has used.
func (w *world) entry() string {
	w.names++
	return fmt.Sprintf("%s{book:%d}", w.prefix, w.names)
}

func (w *world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

// want takes a lease and tokens as a load does.
func (w *world) want(s *store.Store, want store.Want) store.Begun {
	w.Helper()
	return w.wantFor(s, 10*time.Second, want)
}

func (w *world) wantFor(s *store.Store, lease time.Duration, want store.Want) store.Begun {
	w.Helper()
	if want.Entry == "" {
		want.Entry = w.entry()
	}
	if want.Owner == "" {
		want.Owner = store.NewOwner()
	}
	if want.Life == 0 {
		want.Life = life
	}
	begun, err := s.Begin(w.Context(), patience, lease, []store.Want{want})
	w.must("Begin", err)
	return begun[0]
}

// touch begins a load under one token, as one that asks whether anything was lost.
func (w *world) touch(s *store.Store, key string) store.Dependency {
	w.Helper()
	return w.want(s, store.Want{Tokens: []string{key}, Doubtful: true}).Tokens[0]
}

// see reads a token as a Get does.
func (w *world) see(s *store.Store, key string) store.Dependency {
	w.Helper()
	values, err := s.Read(w.Context(), patience, []string{key})
	w.must("Read", err)
	return values.Dependency(0)
}

func (w *world) invalidate(s *store.Store, key string) (at uint64) {
	w.Helper()
	times, err := s.Invalidate(w.Context(), patience, store.Mark{}, []string{key})
	w.must("Invalidate", err)
	return times[0]
}

func (w *world) place(s *store.Store, owner, key string) {
	w.Helper()
	_, err := s.PlaceHold(w.Context(), patience, owner, []string{key})
	w.must("PlaceHold", err)
}

func (w *world) release(s *store.Store, owner string, outcome store.Outcome, key string) {
	w.Helper()
	_, err := s.Release(w.Context(), patience, store.Mark{}, owner, outcome, []string{key})
	w.must("Release", err)
}

func (w *world) fill(s *store.Store, f store.Fill) store.Filled {
	w.Helper()
	if f.Life == 0 {
		f.Life = life
	}
	filled, err := s.Fill(w.Context(), patience, []store.Fill{f})
	w.must("Fill", err)
	return filled[0]
}

// woken waits for the load of an entry as a process does that has seen its lease.
func (w *world) woken(s *store.Store, entry string) (<-chan struct{}, func()) {
	w.Helper()
	return s.Woken(w.Context(), patience, entry, w.raw(store.LeaseKey(entry)))
}

// hear returns what is told from now on to those who wait.
func (w *world) hear() <-chan string {
	w.Helper()
	sub := w.rdb.Subscribe(w.Context(), w.prefix+"wake")
	w.Cleanup(func() { _ = sub.Close() })
	_, err := sub.Receive(w.Context())
	w.must("SUBSCRIBE", err)
	heard := make(chan string, 1)
	go func() {
		for m := range sub.Channel() {
			select {
			case heard <- m.Payload:
			default: // nobody asks for more than the first
			}
		}
	}()
	return heard
}

// raw returns the text under a key, empty if there is none.
func (w *world) raw(key string) string {
	w.Helper()
	text, err := w.rdb.Get(w.Context(), key).Result()
	if !errors.Is(err, redis.Nil) {
		w.must("GET "+key, err)
	}
	return text
}

// keys returns those that match a pattern, on a cluster those of all masters.
func (w *world) keys(pattern string) (keys []string) {
	w.Helper()
	var mu sync.Mutex
	ask := func(ctx context.Context, node redis.UniversalClient) error {
		some, err := node.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, some...)
		return err
	}
	cluster, ok := w.rdb.(*redis.ClusterClient)
	if !ok {
		w.must("KEYS", ask(w.Context(), w.rdb))
		return keys
	}
	w.must("KEYS", cluster.ForEachMaster(w.Context(), func(ctx context.Context, node *redis.Client) error { return ask(ctx, node) }))
	return keys
}

func (w *world) exists(key string) bool {
	w.Helper()
	n, err := w.rdb.Exists(w.Context(), key).Result()
	w.must("EXISTS "+key, err)
	return n == 1
}

// ttl is negative where the key is missing or has none.
func (w *world) ttl(key string) time.Duration {
	w.Helper()
	d, err := w.rdb.PTTL(w.Context(), key).Result()
	w.must("PTTL "+key, err)
	return d
}

// drop takes a key away as an eviction would, without a count.
func (w *world) drop(key string) {
	w.Helper()
	w.must("DEL "+key, w.rdb.Del(w.Context(), key).Err())
}

// now is Redis's time in microseconds.
func (w *world) now() uint64 {
	w.Helper()
	t, err := w.rdb.Time(w.Context()).Result()
	w.must("TIME", err)
	return uint64(t.UnixMicro())
}

// pass returns when d has passed by Redis's clock.
func (w *world) pass(d time.Duration) {
	w.Helper()
	if m, ok := w.server.(Mover); ok {
		m.Pass(d)
		return
	}
	end := w.now() + uint64(d.Microseconds())
	w.until("time passes", func() bool { return w.now() > end })
}

// until waits for something that comes by itself.
func (w *world) until(what string, true func() bool) {
	w.Helper()
	ask := time.NewTicker(time.Millisecond)
	defer ask.Stop()
	for end := time.Now().Add(patience); !true(); <-ask.C {
		if time.Now().After(end) {
			w.Fatalf("after %v: not yet: %s", patience, what)
		}
	}
}

func (w *world) restart() {
	w.Helper()
	w.must("restart", w.server.(Restarter).Restart())
}

// recorder is a testing.TB that notes failures instead of passing them on.
type recorder struct {
	testing.TB
	mu    sync.Mutex
	notes []string
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, text)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.notes, "\n")
}

func (r *recorder) Failed() bool                 { return r.text() != "" }
func (r *recorder) Fail()                        { r.note("failed") }
func (r *recorder) Error(args ...any)            { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) { r.note(fmt.Sprintf(f, args...)) }

func (r *recorder) FailNow() {
	r.Fail()
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
