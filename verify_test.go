package cacheme_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// watchedShelf is a value with parts, whose truth a test changes behind the cache's back.
type watchedShelf struct {
	cacheme.Node[watchedBooks]
	ID int64 `cacheme:"field"`
}

func (watchedShelf) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "watched:<id>", Negative: time.Hour, Stale: time.Hour}
}

func (n watchedShelf) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{goodChange{ID: n.ID}}
}

func (watchedShelf) ResultInvalidNodes(v watchedBooks) []cacheme.Invalid {
	return []cacheme.Invalid{goodChange{ID: int64(1000 + len(v.Titles))}}
}

type watchedBooks struct {
	Titles []string
	Read   time.Time
	Prices map[string]float64
}

// unwatchedShelf is never verified.
type unwatchedShelf struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (unwatchedShelf) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "unwatched:<id>", Verify: cacheme.Off}
}

// verifyWorld has a node whose truth can be changed, and collects what is told of verified hits.
type verifyWorld struct {
	cache *cachetest.Cache
	bound *cacheme.Bound[watchedShelf, watchedBooks]
	told  chan cacheme.Event

	mu    sync.Mutex
	truth watchedBooks
	err   error
	loads int
	// during is called inside each load once the cache is filled, with its number.
	during func(ctx context.Context, load int)
}

func newVerifyWorld(t *testing.T, o cacheme.Options) *verifyWorld {
	t.Helper()
	w := &verifyWorld{told: make(chan cacheme.Event, 1000), truth: watchedBooks{Titles: []string{"a", "b"}}}
	if o.Verify == (cacheme.VerifyOptions{}) {
		o.Verify = cacheme.VerifyOptions{Share: 1, Settle: 1}
	}
	o.Observer = func(_ context.Context, e cacheme.Event) {
		switch e.Kind {
		case cacheme.EventVerified, cacheme.EventViolation, cacheme.EventUnverified, cacheme.EventIncomparable:
			w.told <- e
		default:
		}
	}
	w.cache = cachetest.NewWith(t, o, watchedShelf{}, unwatchedShelf{}, outerNode{}, goodNode{}, goodChange{})
	var err error
	if w.bound, err = cacheme.Bind(w.cache.Cache, w.load); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *verifyWorld) load(ctx context.Context, _ watchedShelf) (watchedBooks, error) {
	w.mu.Lock()
	w.loads++
	n, during := w.loads, w.during
	w.mu.Unlock()
	if during != nil {
		during(ctx, n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.truth, w.err
}

// becomes changes the truth, and tells the cache nothing.
func (w *verifyWorld) becomes(v watchedBooks, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.truth, w.err = v, err
}

func (w *verifyWorld) get(t *testing.T) {
	t.Helper()
	if _, err := w.bound.Get(within(t), watchedShelf{ID: 7}); err != nil && !errors.Is(err, cacheme.ErrNotFound) {
		t.Fatal(err)
	}
}

// fill loads entries until they are stored as right: a dependency that a result is the first to name is not older than its
// load.
func (w *verifyWorld) fill(t *testing.T, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		for {
			_, err := w.bound.Refresh(within(t), watchedShelf{ID: id})
			if err != nil && !errors.Is(err, cacheme.ErrNotFound) {
				t.Fatal(err)
			}
			if r, err := w.bound.Peek(within(t), watchedShelf{ID: id}); !r.Stale && !errors.Is(err, cacheme.ErrNoEntry) {
				break
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loads = 0
}

func (w *verifyWorld) wait(t *testing.T) cacheme.Event {
	t.Helper()
	select {
	case e := <-w.told:
		return e
	case <-time.After(soon):
		t.Fatal("nothing is told of a verified hit")
		return cacheme.Event{}
	}
}

// idle fails the test if anything is verified besides what was waited for.
func (w *verifyWorld) idle(t *testing.T) {
	t.Helper()
	if err := w.cache.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(w.told); n > 0 {
		t.Errorf("told %+v, want nothing", <-w.told)
	}
}

var watchedNode = "cacheme_test.watchedShelf"

func TestVerify(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		before     watchedBooks
		beforeErr  error
		after      watchedBooks
		afterErr   error
		want       cacheme.EventKind
		wantReason string
	}{
		{name: "a right value", before: watchedBooks{Titles: []string{"a"}}, after: watchedBooks{Titles: []string{"a"}}, want: cacheme.EventVerified},
		{
			name: "a wrong value", before: watchedBooks{Titles: []string{"a", "b"}}, after: watchedBooks{Titles: []string{"a", "c"}},
			want: cacheme.EventViolation, wantReason: ".Titles[1] differs (string)",
		},
		{
			name: "a longer value", before: watchedBooks{}, after: watchedBooks{Titles: []string{"a"}},
			want: cacheme.EventViolation, wantReason: ".Titles has another length ([]string)",
		},
		{name: "an empty list in place of none", before: watchedBooks{}, after: watchedBooks{Titles: []string{}}, want: cacheme.EventVerified},
		{name: "an instant in another zone", before: watchedBooks{Read: noon}, after: watchedBooks{Read: noon.In(time.FixedZone("x", 60))}, want: cacheme.EventVerified},
		{
			name: "maps and NaN", before: watchedBooks{Prices: map[string]float64{"a": math.NaN(), "b": 1}},
			after: watchedBooks{Prices: map[string]float64{"b": 1, "a": math.NaN()}}, want: cacheme.EventVerified,
		},
		{name: "still not there", beforeErr: cacheme.ErrNotFound, afterErr: cacheme.ErrNotFound, want: cacheme.EventVerified},
		{
			name: "there by now", beforeErr: cacheme.ErrNotFound, after: watchedBooks{Titles: []string{"a"}},
			want: cacheme.EventViolation, wantReason: `there is "not found", and the loader finds a value`,
		},
		{
			name: "gone by now", before: watchedBooks{Titles: []string{"a"}}, afterErr: cacheme.ErrNotFound,
			want: cacheme.EventViolation, wantReason: "there is a value, and the loader finds none",
		},
		{name: "a load that fails", before: watchedBooks{Titles: []string{"a"}}, afterErr: errShelf, want: cacheme.EventUnverified, wantReason: "its load failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newVerifyWorld(t, cacheme.Options{})
			w.becomes(c.before, c.beforeErr)
			w.fill(t, 7)
			loads := w.cache.Stats().Loads
			w.becomes(c.after, c.afterErr)
			w.get(t)
			e := w.wait(t)
			if e.Kind != c.want || e.Reason != c.wantReason || e.Node != watchedNode || e.Key != "watched:7" {
				t.Errorf("told %+v, want %s of watched:7: %s", e, c.want, c.wantReason)
			}
			if e.Kind == cacheme.EventViolation && (e.Explanation == nil || e.Explanation.State != cacheme.StateFresh || len(e.Explanation.Dependencies) == 0) {
				t.Errorf("a violation comes with the explanation %v, want that of a fresh entry with what it depends on", e.Explanation)
			}
			if e.Kind == cacheme.EventViolation && e.Duration <= 0 {
				t.Errorf("the entry of a violation is %v old, want its age", e.Duration)
			}
			if !errors.Is(e.Err, c.afterErr) && c.want == cacheme.EventUnverified {
				t.Errorf("told the error %v, want the loader's", e.Err)
			}
			is := func(k cacheme.EventKind) uint64 {
				if c.want == k {
					return 1
				}
				return 0
			}
			for name, s := range map[string]cacheme.Stats{"the cache": w.cache.Stats(), "the node": w.cache.StatsOf(watchedShelf{})} {
				if s.Verified != is(cacheme.EventVerified) || s.Unverified != is(cacheme.EventUnverified) || s.Violations != is(cacheme.EventViolation) {
					t.Errorf("of %s: %d verified, %d unverified, %d violations", name, s.Verified, s.Unverified, s.Violations)
				}
				if s.Loads != loads || s.Hits != 1 {
					t.Errorf("of %s: %d loads more and %d hits, want those of callers alone", name, s.Loads-loads, s.Hits)
				}
			}
			w.idle(t)
		})
	}
}

// afterLooks calls do behind a look of the cache at an entry, once it is armed.
type afterLooks struct {
	armed atomic.Bool
	do    func()
}

func (*afterLooks) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *afterLooks) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		h.saw(cmd)
		return err
	}
}

func (h *afterLooks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		h.saw(cmds...)
		return err
	}
}

func (h *afterLooks) saw(cmds ...redis.Cmder) {
	for _, cmd := range cmds {
		for _, arg := range cmd.Args() {
			if s, ok := arg.(string); ok && strings.Contains(s, "{watched:7}") && h.armed.CompareAndSwap(true, false) {
				h.do()
				return
			}
		}
	}
}

// A write that the cache is told of, whenever, is no violation.
func TestVerifySaysNothingWhere(t *testing.T) {
	t.Parallel()
	const wrong, replaced, private = "the entry was made wrong", "the entry was replaced, or is gone", "its load is for its caller alone: read in a transaction"
	invalidate := func(t *testing.T, w *verifyWorld) {
		if err := w.cache.Invalidate(within(t), goodChange{ID: 7}); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name   string
		load   int // of the sample
		during func(t *testing.T, w *verifyWorld, ctx context.Context)
		want   string
	}{
		{"the value is made wrong during the first load", 1, func(t *testing.T, w *verifyWorld, _ context.Context) { invalidate(t, w) }, wrong},
		{"the value is made wrong after the first look", 1, func(t *testing.T, w *verifyWorld, _ context.Context) {
			h := &afterLooks{do: func() { invalidate(t, w) }}
			w.cache.Redis().AddHook(h)
			h.armed.Store(true)
		}, wrong},
		{"the value is made wrong during the second load", 2, func(t *testing.T, w *verifyWorld, _ context.Context) { invalidate(t, w) }, wrong},
		{"what its result depends on is written", 2, func(t *testing.T, w *verifyWorld, _ context.Context) {
			if err := w.cache.Invalidate(within(t), goodChange{ID: 1002}); err != nil {
				t.Error(err)
			}
		}, wrong},
		{"the entry is replaced by an equal one", 2, func(t *testing.T, w *verifyWorld, _ context.Context) {
			if err := w.bound.Set(within(t), watchedShelf{ID: 7}, watchedBooks{Titles: []string{"a", "b"}}); err != nil {
				t.Error(err)
			}
		}, replaced},
		{"the entry is removed", 1, func(t *testing.T, w *verifyWorld, _ context.Context) {
			if err := w.cache.Remove(within(t), watchedShelf{ID: 7}); err != nil {
				t.Error(err)
			}
		}, replaced},
		{"a writer holds it", 1, func(t *testing.T, w *verifyWorld, _ context.Context) {
			hold, err := w.cache.Hold(within(t), goodChange{ID: 7})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = hold.Rollback(within(t)) })
		}, wrong},
		{"the first load is for its caller alone", 1, func(_ *testing.T, _ *verifyWorld, ctx context.Context) {
			cacheme.DoNotStore(ctx, "read in a transaction")
		}, private},
		{"the second load is for its caller alone", 2, func(_ *testing.T, _ *verifyWorld, ctx context.Context) {
			cacheme.DoNotStore(ctx, "read in a transaction")
		}, private},
		{"the load reads a replica", 1, func(_ *testing.T, _ *verifyWorld, ctx context.Context) {
			cacheme.FromReplica(ctx, "shop/books.go:1", "books")
		}, "the load read a replica"},
		{"the load panics", 1, func(*testing.T, *verifyWorld, context.Context) { panic("no") }, "its load failed"},
		{"the second load fails", 2, func(_ *testing.T, w *verifyWorld, _ context.Context) { w.becomes(watchedBooks{}, errShelf) }, "its load failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newVerifyWorld(t, cacheme.Options{})
			w.fill(t, 7)
			w.becomes(watchedBooks{Titles: []string{"a", "c"}}, nil)
			w.during = func(ctx context.Context, load int) {
				if load == c.load {
					c.during(t, w, ctx)
				}
			}
			w.get(t)
			if e := w.wait(t); e.Kind != cacheme.EventUnverified || e.Reason != c.want {
				t.Errorf("told %+v, want %s", e, c.want)
			}
			if s := w.cache.Stats(); s.Violations != 0 || s.Unverified != 1 {
				t.Errorf("Stats() = %+v, want one that says nothing", s)
			}
		})
	}
}

func TestVerifyTellsOnceOfALoaderThatGivesWhatItLikes(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newVerifyWorld(t, cacheme.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w.fill(t, 7)
	w.during = func(_ context.Context, load int) {
		w.becomes(watchedBooks{Titles: []string{"a", strings.Repeat("c", load)}}, nil)
	}
	for i := range 2 {
		w.get(t)
		if e := w.wait(t); e.Kind != cacheme.EventUnverified || e.Reason != "two loads differ" {
			t.Errorf("told %+v, want one that says nothing", e)
		}
		if i > 0 {
			continue
		}
		const want = "two loads gave different values and the cache was told of no write: .Titles[1] differs (string); " +
			"give the loader's result one order and take clocks and chance out of it, or set Meta.Verify to cacheme.Off"
		if e := w.wait(t); e.Kind != cacheme.EventIncomparable || e.Node != watchedNode || e.Reason != want {
			t.Errorf("told %+v, want %s", e, want)
		}
	}
	w.idle(t)
	if s := w.cache.Stats(); s.Violations != 0 || strings.Count(log.String(), "cacheme incomparable") != 1 {
		t.Errorf("%d violations, and the log says\n%s", s.Violations, &log)
	}
}

func TestVerifyLogsNoValueAndNoKey(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newVerifyWorld(t, cacheme.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w.becomes(watchedBooks{Prices: map[string]float64{"secret": 4711}}, nil)
	w.fill(t, 7)
	w.becomes(watchedBooks{Prices: map[string]float64{"secret": 4712}}, nil)
	w.get(t)
	w.wait(t)
	w.idle(t)
	said := log.String()
	if !strings.Contains(said, "level=ERROR") || !strings.Contains(said, `reason=".Prices[…] differs (float64)" age=`) {
		t.Errorf("the log says\n%s\nwant the violation", said)
	}
	for _, secret := range []string{"secret", "471", "watched:7"} {
		if strings.Contains(said, secret) {
			t.Errorf("the log tells %s:\n%s", secret, said)
		}
	}
}

func TestVerifySamplesNothingBut(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t, cacheme.Options{})
	ctx := within(t)
	unwatched := func(context.Context, unwatchedShelf) (int64, error) { return 1, nil }
	for range 2 {
		if _, err := cacheme.GetFrom(ctx, w.cache.Cache, unwatchedShelf{ID: 1}, unwatched); err != nil {
			t.Fatal(err)
		}
	}
	w.fill(t, 7)
	if _, err := w.bound.Get(cacheme.Bypass(ctx), watchedShelf{ID: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bound.Refresh(ctx, watchedShelf{ID: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bound.Peek(ctx, watchedShelf{ID: 7}); err != nil {
		t.Fatal(err)
	}
	w.idle(t)
}

func TestVerifyDoesNotSampleWhatStandsInAsStale(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t, cacheme.Options{})
	other, err := cacheme.New(w.cache.Redis(), cacheme.Options{Budget: soon, WriteBudget: soon})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close(within(t)) })
	other.MustRegister(watchedShelf{}, goodChange{})
	w.fill(t, 7)
	if err := other.Invalidate(within(t), goodChange{ID: 7}); err != nil { // whose own writes are never served stale
		t.Fatal(err)
	}
	loading, go1 := make(chan struct{}), make(chan struct{})
	w.during = func(context.Context, int) {
		close(loading)
		<-go1
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.bound.Get(within(t), watchedShelf{ID: 7}, cacheme.Stale(-1))
		done <- err
	}()
	<-loading
	r, err := w.bound.GetResult(within(t), watchedShelf{ID: 7})
	if err != nil || !r.Stale {
		t.Errorf("GetResult = %+v, %v, want a stale value", r, err)
	}
	many, err := cacheme.GetManyBound(within(t), w.bound, []watchedShelf{{ID: 7}}, nil)
	if err != nil || len(many) != 1 {
		t.Errorf("GetManyBound = %v, %v, want the stale value", many, err)
	}
	close(go1)
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.idle(t)
}

func TestVerifyReachesHitsOfGetManyAndMemos(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t, cacheme.Options{Verify: cacheme.VerifyOptions{Share: 1, Settle: 1, PerSecond: 1000}})
	var add atomic.Int64
	nodes := []goodNode{{ID: 1}, {ID: 2}, {ID: 3}}
	many := func(_ context.Context, nodes []goodNode) (map[goodNode]int64, error) {
		found := map[goodNode]int64{}
		for _, n := range nodes {
			found[n] = n.ID + add.Load()*(n.ID-1)
		}
		return found, nil
	}
	memo := cacheme.MustMemo(w.cache.Cache, cacheme.Memoized[int, int64]{
		Meta: cacheme.Meta{Key: "memo:<n>"}, Values: func(n int) []any { return []any{n} },
	}, func(_ context.Context, n int) (int64, error) { return int64(n) + add.Load(), nil })
	ask := func() {
		t.Helper()
		if _, err := cacheme.GetManyFrom(within(t), w.cache.Cache, nodes, many); err != nil {
			t.Fatal(err)
		}
		if _, err := memo.Get(within(t), 1); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	add.Store(1)
	ask()
	got := map[string]cacheme.EventKind{}
	for range 4 {
		e := w.wait(t)
		got[e.Key] = e.Kind
	}
	for key, want := range map[string]cacheme.EventKind{
		"good:1": cacheme.EventVerified, "good:2": cacheme.EventViolation, "good:3": cacheme.EventViolation, "memo:1": cacheme.EventViolation,
	} {
		if got[key] != want {
			t.Errorf("told %q of %s, want %s", got[key], key, want)
		}
	}
}

type tenantKey struct{}

func TestVerifyLoadsWithTheValuesOfTheCallerAndNoneOfItsScope(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t, cacheme.Options{})
	w.fill(t, 7)
	outer := make(chan struct{})
	tenants := make(chan any, 1)
	w.during = func(ctx context.Context, _ int) {
		tenants <- ctx.Value(tenantKey{})
		// What is got in here is no part of the outer load, which would otherwise not be stored.
		if _, err := cacheme.GetFrom(ctx, w.cache.Cache, unwatchedShelf{ID: 1}, func(context.Context, unwatchedShelf) (int64, error) { return 1, nil }); err != nil {
			t.Error(err)
		}
		close(outer)
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), tenantKey{}, "acme"))
	defer cancel()
	node := outerNode{ID: 1}
	load := func(ctx context.Context, _ outerNode) (string, error) {
		_, err := w.bound.Get(ctx, watchedShelf{ID: 7}) // a hit
		cancel()
		<-outer
		return "x", err
	}
	_, _ = cacheme.GetFrom(ctx, w.cache.Cache, node, load)
	if tenant := <-tenants; tenant != "acme" {
		t.Errorf("the load was of tenant %v, want the caller's", tenant)
	}
	if e := w.wait(t); e.Kind != cacheme.EventVerified {
		t.Errorf("told %+v, want it verified", e)
	}
	if v, err := cacheme.GetFrom(within(t), w.cache.Cache, node, func(context.Context, outerNode) (string, error) { return "loaded again", nil }); v != "x" || err != nil {
		t.Errorf("the outer value is %q, %v, want what was stored", v, err)
	}
}

func TestVerifyKeepsItsLimits(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t, cacheme.Options{Verify: cacheme.VerifyOptions{Share: 1, Pending: 1}})
	w.fill(t, 1, 2, 3)
	held, goOn := make(chan struct{}), make(chan struct{})
	w.during = func(_ context.Context, load int) {
		if load == 1 {
			close(held)
			<-goOn
		}
	}
	ids := func(ids ...int64) {
		t.Helper()
		for _, id := range ids {
			if _, err := w.bound.Get(within(t), watchedShelf{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids(1) // is under way
	<-held
	ids(2, 2, 3) // waits, is the same, finds no room
	if e := w.wait(t); e.Kind != cacheme.EventUnverified || e.Count != 1 || e.Reason != "too many wait" {
		t.Errorf("told %+v, want one for which there is no room", e)
	}
	close(goOn)
	for _, key := range []string{"watched:1", "watched:2"} {
		if e := w.wait(t); e.Kind != cacheme.EventVerified || e.Key != key {
			t.Errorf("told %+v, want %s verified", e, key)
		}
	}
	w.idle(t)
}

func TestVerifyEndsWithTheCache(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]cacheme.VerifyOptions{
		"while it loads":   {Share: 1},
		"while it settles": {Share: 1, Settle: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVerifyWorld(t, cacheme.Options{Verify: o})
			w.fill(t, 7)
			w.becomes(watchedBooks{}, nil)
			reached := make(chan struct{})
			if o.Settle == 0 {
				w.during = func(ctx context.Context, _ int) {
					close(reached)
					<-ctx.Done()
				}
			} else {
				h := &afterLooks{do: func() { close(reached) }}
				w.cache.Redis().AddHook(h)
				w.during = func(context.Context, int) { h.armed.Store(true) }
			}
			w.get(t)
			<-reached
			began := time.Now()
			if err := w.cache.Close(within(t)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("Close took %v", took)
			}
			if s := w.cache.Stats(); s.Violations+s.Verified != 0 {
				t.Errorf("Stats() = %+v, want nothing told", s)
			}
		})
	}
}

func TestVerifyRefusesOptionsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	rdb := cachetest.New(t).Redis()
	for _, c := range []struct {
		give cacheme.VerifyOptions
		want string
	}{
		{cacheme.VerifyOptions{Share: -0.1}, "Verify.Share is -0.1; write a part of the hits, from 0 to 1"},
		{cacheme.VerifyOptions{Share: 1.5}, "Verify.Share is 1.5; write a part of the hits, from 0 to 1"},
		{cacheme.VerifyOptions{Share: math.NaN()}, "Verify.Share is NaN; write a part of the hits, from 0 to 1"},
		{
			cacheme.VerifyOptions{PerSecond: -1, Concurrency: -2, Pending: -3, Settle: -4},
			"Verify.PerSecond is negative: -1; leave it out for the default; Verify.Concurrency is negative: -2; leave it out for the default; " +
				"Verify.Pending is negative: -3; leave it out for the default; Verify.Settle is negative: -4ns; leave it out for the default",
		},
	} {
		var usage *cacheme.UsageError
		_, err := cacheme.New(rdb, cacheme.Options{Verify: c.give})
		if want := "cacheme: cacheme.Options: " + c.want; !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("New = %v, want %s", err, want)
		}
	}
}
