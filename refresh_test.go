package cacheme_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// hotPage lives for nine to ten minutes, and is due for the last fifth of that.
type hotPage struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (hotPage) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "hot:<id>", TTL: 10 * time.Minute, Negative: 10 * time.Minute, Refresh: 0.8}
}

func (n hotPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{goodChange{ID: n.ID}} }

func (hotPage) Skip(ctx context.Context) bool { return ctx.Value(skipped{}) != nil }

type skipped struct{}

// hotSite is made of hot pages.
type hotSite struct {
	cacheme.Node[[]int64]
	ID int64 `cacheme:"field"`
}

func (hotSite) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "site:<id>", TTL: 10 * time.Minute, Refresh: 0.8, Copy: true}
}

// hotLink depends on what it points to.
type hotLink struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (hotLink) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "link:<id>", TTL: 10 * time.Minute, Refresh: 0.8}
}

func (hotLink) ResultInvalidNodes(to int64) []cacheme.Invalid {
	return []cacheme.Invalid{goodChange{ID: to}}
}

// How long after its load a page with any jitter is not due yet, is due, and is due no more, and how long it is left alone
// after an attempt.
const (
	notDue  = 7 * time.Minute
	due     = 8*time.Minute + time.Second
	expired = 10 * time.Minute
	pause   = 16 * time.Second
)

// hotWorld has a loader whose loads count, and can be changed.
type hotWorld struct {
	t     *testing.T
	cache *cachetest.Cache
	pages *cacheme.Bound[hotPage, int64]
	told  chan cacheme.Event

	mu     sync.Mutex
	n      int64
	loads  [][]int64
	during func(ctx context.Context, ids []int64) error
}

func newHotWorld(t *testing.T, o cacheme.Options) *hotWorld {
	t.Helper()
	w := &hotWorld{t: t, told: make(chan cacheme.Event, 1000)}
	o.Observer = func(_ context.Context, e cacheme.Event) {
		switch e.Kind {
		case cacheme.EventRefreshed, cacheme.EventRefreshDropped, cacheme.EventNotStored:
			w.told <- e
		case cacheme.EventLoad:
			if e.Err != nil {
				w.told <- e
			}
		default:
		}
	}
	w.cache = cachetest.NewWith(t, o, hotPage{}, hotSite{}, hotLink{}, goodChange{})
	var err error
	w.pages, err = cacheme.Bind(w.cache.Cache, func(ctx context.Context, p hotPage) (int64, error) {
		v, err := w.load(ctx, []hotPage{p})
		return v[p], err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// load gives each load its number.
func (w *hotWorld) load(ctx context.Context, pages []hotPage) (map[hotPage]int64, error) {
	w.mu.Lock()
	w.n++
	found, ids := map[hotPage]int64{}, []int64(nil)
	for _, p := range pages {
		found[p] = w.n
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	w.loads = append(w.loads, ids)
	during := w.during
	w.mu.Unlock()
	if during == nil {
		return found, nil
	}
	return found, during(ctx, ids)
}

func (w *hotWorld) then(during func(ctx context.Context, ids []int64) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.during = during
}

func (w *hotWorld) wantLoads(when string, want ...[]int64) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(want, w.loads); diff != "" {
		w.t.Errorf("loads %s (-want +got):\n%s", when, diff)
	}
}

func (w *hotWorld) get(id, want int64) {
	w.t.Helper()
	if v, err := w.pages.Get(within(w.t), hotPage{ID: id}); v != want || err != nil {
		w.t.Errorf("Get(%d) = %d, %v, want %d", id, v, err, want)
	}
}

func (w *hotWorld) wait(kind cacheme.EventKind) cacheme.Event {
	w.t.Helper()
	select {
	case e := <-w.told:
		if e.Kind != kind {
			w.t.Fatalf("told %+v, want %s", e, kind)
		}
		return e
	case <-time.After(soon):
		w.t.Fatalf("nothing is told, want %s", kind)
		return cacheme.Event{}
	}
}

// close ends all that is done in the background, which must have told nothing more.
func (w *hotWorld) close() {
	w.t.Helper()
	if err := w.cache.Close(within(w.t)); err != nil {
		w.t.Fatal(err)
	}
	if len(w.told) > 0 {
		w.t.Errorf("told %+v, want nothing", <-w.told)
	}
}

// gate holds up what passes it until it is opened; came tells that somebody stands before it.
func gate() (pass func(), came <-chan struct{}, open func()) {
	arrived, opened := make(chan struct{}, 100), make(chan struct{})
	return func() { arrived <- struct{}{}; <-opened }, arrived, func() { close(opened) }
}

func TestRefreshLoadsBehindItsReadersOnceAnEntryIsDue(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(notDue)
	w.get(1, 1)
	w.cache.Advance(due - notDue)
	pass, came, open := gate()
	w.then(func(context.Context, []int64) error { pass(); return nil })
	for range 100 {
		w.get(1, 1) // while the load is held up
	}
	<-came
	open()
	if e := w.wait(cacheme.EventRefreshed); e.Count != 1 || e.Node != "cacheme_test.hotPage" {
		t.Errorf("told %+v, want one page", e)
	}
	if r, err := w.pages.GetResult(within(t), hotPage{ID: 1}); r.Value != 2 || r.Tier != cacheme.TierRedis || r.Age > time.Minute || err != nil {
		t.Errorf("GetResult() = %+v, %v, want what was loaded behind the readers", r, err)
	}
	w.cache.Advance(due) // a third load: it goes on like that
	w.get(1, 2)
	w.wait(cacheme.EventRefreshed)
	w.get(1, 3)
	w.wantLoads("in all", []int64{1}, []int64{1}, []int64{1})
	if s := w.cache.Stats(); s.Misses != 1 || s.Loads != 3 {
		t.Errorf("Stats() = %+v, want one miss and three loads", s)
	}
	w.close()
}

func TestRefreshKeepsTheValuesOfAContextAndNotItsEnd(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(due)
	type tenant struct{}
	ctx, leave := context.WithCancel(context.WithValue(within(t), tenant{}, "north"))
	pass, came, open := gate()
	w.then(func(ctx context.Context, _ []int64) error {
		pass()
		if ctx.Value(tenant{}) != "north" || ctx.Err() != nil {
			t.Errorf("the context of the load has %v, %v, want the values of the hit and no end", ctx.Value(tenant{}), ctx.Err())
		}
		return nil
	})
	if _, err := w.pages.Get(ctx, hotPage{ID: 1}); err != nil {
		t.Fatal(err)
	}
	leave()
	<-came
	open()
	w.wait(cacheme.EventRefreshed)
}

func TestRefreshOfABatchIsOneLoad(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	asked := []hotPage{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 1}}
	many := func() []int64 {
		v, err := cacheme.GetManyFrom(within(t), w.cache.Cache, asked, w.load)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	many()
	w.cache.Advance(due)
	if _, err := w.pages.Refresh(within(t), hotPage{ID: 3}); err != nil { // it is not due
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 1, 2, 1}, many()); diff != "" {
		t.Errorf("GetMany of entries that are due (-want +got):\n%s", diff)
	}
	if e := w.wait(cacheme.EventRefreshed); e.Count != 2 {
		t.Errorf("told %+v, want two entries", e)
	}
	if diff := cmp.Diff([]int64{3, 3, 2, 3}, many()); diff != "" {
		t.Errorf("GetMany after that (-want +got):\n%s", diff)
	}
	w.wantLoads("in all", []int64{1, 2, 3}, []int64{3}, []int64{1, 2})
	w.close()
}

func TestRefreshOfAMemo(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	memo, err := cacheme.Memo(w.cache.Cache, cacheme.Memoized[int64, []int64]{
		Meta:   cacheme.Meta{Key: "memo:<id>", TTL: 10 * time.Minute, Refresh: 0.8, Copy: true},
		Values: func(id int64) []any { return []any{id} },
	}, func(ctx context.Context, id int64) ([]int64, error) {
		v, err := w.load(ctx, []hotPage{{ID: id}})
		return []int64{v[hotPage{ID: id}]}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(want int64) {
		t.Helper()
		v, err := memo.Get(within(t), 7)
		if diff := cmp.Diff([]int64{want}, v); diff != "" || err != nil {
			t.Errorf("Get of the memo: %v (-want +got):\n%s", err, diff)
		}
		v[0] = -1 // it is the caller's own
	}
	get(1)
	w.cache.Advance(due)
	get(1)
	w.wait(cacheme.EventRefreshed)
	get(2)
}

func TestRefreshOfWhatIsNotFound(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	missing := func() {
		t.Helper()
		if _, err := w.pages.Get(within(t), hotPage{ID: 1}); !errors.Is(err, cacheme.ErrNotFound) {
			t.Errorf("Get() = %v, want %v", err, cacheme.ErrNotFound)
		}
	}
	w.then(func(context.Context, []int64) error { return cacheme.ErrNotFound })
	missing()
	w.cache.Advance(due)
	missing()
	w.wait(cacheme.EventRefreshed)
	w.then(nil)
	w.cache.Advance(due)
	missing() // there by now, and it is still fresh
	w.wait(cacheme.EventRefreshed)
	w.get(1, 3)
	w.close()
}

func TestRefreshHandsNothingUpToTheLoadThatItsHitWasIn(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(due)
	pass, came, open := gate()
	returned := make(chan struct{})
	w.then(func(ctx context.Context, _ []int64) error {
		defer close(returned)
		pass()
		cacheme.DoNotStore(ctx, "for nobody")
		// The load that the hit was in is no load that this one runs inside of: this is no cycle.
		_, err := cacheme.GetFrom(ctx, w.cache.Cache, hotSite{ID: 1}, func(context.Context, hotSite) ([]int64, error) { return []int64{7}, nil })
		return err
	})
	site := func() ([]int64, error) {
		return cacheme.GetFrom(within(t), w.cache.Cache, hotSite{ID: 1}, func(ctx context.Context, _ hotSite) ([]int64, error) {
			v, err := w.pages.Get(ctx, hotPage{ID: 1})
			<-came
			open()
			select {
			case <-returned: // it must not: it waits for this load
			case <-time.After(50 * time.Millisecond):
			}
			return []int64{v}, err
		})
	}
	if v, err := site(); !slices.Equal(v, []int64{1}) || err != nil {
		t.Fatalf("the outer Get = %v, %v", v, err)
	}
	if e := w.wait(cacheme.EventNotStored); e.Node != "cacheme_test.hotPage" || e.Reason != "for nobody" {
		t.Errorf("told %+v, want the page alone not to be stored", e)
	}
	if r, err := cacheme.GetFrom(within(t), w.cache.Cache, hotSite{ID: 1}, func(context.Context, hotSite) ([]int64, error) { return nil, errShelf }); !slices.Equal(r, []int64{1}) || err != nil {
		t.Errorf("the outer value = %v, %v, want it to be cached", r, err)
	}
	w.get(1, 1) // the old entry stands
	w.close()
}

func TestRefreshBringsWhatIsInsideForward(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	site := func() (cacheme.Result[[]int64], error) {
		b, err := cacheme.Bind(w.cache.Cache, func(ctx context.Context, _ hotSite) ([]int64, error) {
			one, err := w.pages.Get(ctx, hotPage{ID: 1})
			if err != nil {
				return nil, err
			}
			others, err := cacheme.GetManyFrom(ctx, w.cache.Cache, []hotPage{{ID: 2}, {ID: 3}}, w.load)
			return append(others, one), err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.GetResult(within(t), hotSite{ID: 1})
	}
	if _, err := site(); err != nil {
		t.Fatal(err)
	}
	w.cache.Advance(20 * time.Second) // past the probation of the tokens that this made
	if _, err := site(); err != nil {
		t.Fatal(err)
	}
	for range 5 { // of the entries, none ever expires under its reader
		w.cache.Advance(due)
		if r, err := site(); r.Tier != cacheme.TierRedis || err != nil {
			t.Errorf("GetResult() of the site = %+v, %v, want it to be there", r, err)
		}
		w.wait(cacheme.EventRefreshed)
	}
	if s := w.cache.StatsOf(hotSite{}); s.Misses != 2 {
		t.Errorf("the site has %d misses, want those of the first two loads", s.Misses)
	}
	if n := w.cache.LoadsOf(hotPage{ID: 2}); n != 6 {
		t.Errorf("a page inside of it was loaded %d times, want once with each load of the site", n)
	}
	w.close()
}
