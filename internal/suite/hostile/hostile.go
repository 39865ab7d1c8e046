// Package hostile holds that nothing that somebody else put into Redis can hurt: bytes that are no entry, or one of
// another version, type or size, are a miss that is told and replaced by the next load. And the other way round: what
// looks like nothing, 0, "", nil, is a value like any other.
package hostile

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/suite"
)

// Run runs the suite on a Redis. The tests that count memory run alone.
func Run(t *testing.T, open suite.Open) {
	t.Run("an entry", func(t *testing.T) { entries(t, open) })
	t.Run("a bomb", func(t *testing.T) { bombs(t, open) })
	t.Run("beside the entry", func(t *testing.T) { besides(t, open) })
	t.Run("another declaration", func(t *testing.T) { foreign(t, open) })
	t.Run("nothing", func(t *testing.T) { falsy(t, open) })
}

type wordRow struct {
	ID int64 `bun:"id,pk"`
}

// Words is what the suite caches.
type Words struct {
	cacheme.Node[[]string]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Words) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "words:<id>", TTL: 10 * time.Minute, Compress: cacheme.On}
}

// InvalidNodes names the row.
func (w Words) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{WordsChanged{ID: w.ID}} }

// WordsChanged is one row.
type WordsChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (WordsChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*wordRow)(nil)} }

// world is a cache, and somebody who writes into its Redis past it.
type world struct {
	rdb    redis.UniversalClient
	prefix string
	cache  *cacheme.Cache
	events events
}

func newWorld(t testing.TB, server suite.Server) *world {
	t.Helper()
	w := &world{rdb: server.Client(suite.PatientClient), prefix: suite.Prefix()}
	w.cache = w.another(t, server, Words{}, WordsChanged{})
	return w
}

func (w *world) another(t testing.TB, server suite.Server, declarations ...cacheme.Declaration) *cacheme.Cache {
	t.Helper()
	return suite.NewCache(t, server.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: w.prefix, Observer: w.events.see}), declarations...)
}

const entryKey = "{words:1}"

var value = []string{"one", "two", "three"}

func (w *world) bound(t testing.TB) *cacheme.Bound[Words, []string] {
	t.Helper()
	b, err := cacheme.Bind(w.cache, func(context.Context, Words) ([]string, error) { return value, nil })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fresh brings the entry into Redis and returns its bytes.
func (w *world) fresh(t testing.TB) []byte {
	t.Helper()
	b := w.bound(t)
	for range 10 {
		r, err := b.GetResult(t.Context(), Words{ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Tier == cacheme.TierRedis {
			stored, err := w.rdb.Get(t.Context(), w.prefix+entryKey).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			return stored
		}
	}
	t.Fatal("ten reads in a row were no hit")
	return nil
}

// forged is the entry with something changed, and a checksum that is right.
func (w *world) forged(t testing.TB, change func(e *envelope.Entry), compressOver int) []byte {
	t.Helper()
	e, err := envelope.Decode(w.fresh(t), 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	change(&e)
	return e.Append(nil, compressOver)
}

func (w *world) plant(t testing.TB, b []byte) {
	t.Helper()
	if err := w.rdb.Set(t.Context(), w.prefix+entryKey, b, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
}

// survives asks for what was planted: it has to be a miss with an event, and a hit again after that one load.
func (w *world) survives(t testing.TB, what string, kind cacheme.EventKind) {
	t.Helper()
	b := w.bound(t)
	before := w.events.count(kind)
	r, err := b.GetResult(t.Context(), Words{ID: 1})
	if err != nil || r.Tier != cacheme.TierSource || len(r.Value) != len(value) {
		t.Errorf("%s: GetResult() = %d words from %q, %v, want a load", what, len(r.Value), r.Tier, err)
	}
	if w.events.count(kind) == before {
		t.Errorf("%s: no event %q", what, kind)
	}
	r, err = b.GetResult(t.Context(), Words{ID: 1})
	if err != nil || r.Tier != cacheme.TierRedis || len(r.Value) != len(value) {
		t.Errorf("%s: GetResult() = %d words from %q, %v after the load, want a hit", what, len(r.Value), r.Tier, err)
	}
}

// events counts what a cache told.
type events struct {
	mu   sync.Mutex
	seen map[cacheme.EventKind]int
}

func (e *events) see(_ context.Context, event cacheme.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen == nil {
		e.seen = map[cacheme.EventKind]int{}
	}
	e.seen[event.Kind]++
}

func (e *events) count(kind cacheme.EventKind) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[kind]
}

// allocated returns how many bytes the process takes during f, whatever it gives back.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
