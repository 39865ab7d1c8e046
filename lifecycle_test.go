package cacheme_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// outerNode is loaded with the help of other nodes.
type outerNode struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (outerNode) Meta() cacheme.Meta { return cacheme.Meta{Key: "outer:<id>"} }

// told remembers what an observer was told.
type told struct {
	mu     sync.Mutex
	events []cacheme.Event
}

func (o *told) see(_ context.Context, e cacheme.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// reasons of the values of a key that were not stored.
func (o *told) reasons(key string) (out []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Kind == cacheme.EventNotStored && e.Key == key {
			out = append(out, e.Reason)
		}
	}
	return out
}

func loadGood(_ context.Context, n goodNode) (int64, error) { return n.ID, nil }

func loadGoods(_ context.Context, nodes []goodNode) (map[goodNode]int64, error) {
	found := map[goodNode]int64{}
	for _, n := range nodes {
		found[n] = n.ID
	}
	return found, nil
}

// wantOuterNotStored loads an outer value twice, with something inside that says nothing of what it depends on: it is
// returned each time, never stored, and the observer is told why.
func wantOuterNotStored(t *testing.T, cache *cachetest.Cache, o *told, inside func(ctx context.Context) error, reason string) {
	t.Helper()
	load := func(ctx context.Context, _ outerNode) (string, error) { return "outer", inside(ctx) }
	for i := range 2 {
		v, err := cacheme.GetFrom(within(t), cache.Cache, outerNode{ID: 1}, load)
		if v != "outer" || err != nil {
			t.Errorf("GetFrom = %q, %v, want the outer value", v, err)
		}
		if n := cache.LoadsOf(outerNode{ID: 1}); n != i+1 {
			t.Errorf("%d loads for %d Gets, want one for each", n, i+1)
		}
	}
	got := o.reasons("outer:1")
	if len(got) != 2 || got[0] != reason || got[1] != reason {
		t.Errorf("the outer value was not stored for the reasons %q, want twice %q", got, reason)
	}
}

func TestInnerAnswerWithoutDependenciesKeepsTheOuterValueFromBeingStored(t *testing.T) {
	t.Parallel()
	// ended is the load's context with an end of its own.
	ended := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	isEnd := func(err error) bool { return errors.Is(err, context.Canceled) }
	isCycle := func(err error) bool {
		_, ok := errors.AsType[*cacheme.CycleError](err)
		return ok
	}
	for _, c := range []struct {
		name   string
		inside func(ctx context.Context, cache *cacheme.Cache) error
		is     func(error) bool
		reason string
	}{
		{"a Get that ends by its own context", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetFrom(ended(ctx), cache, goodNode{ID: 1}, loadGood)
			return err
		}, isEnd, "an inner Get failed"},
		{"a GetMany that ends by its own context", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetManyFrom(ended(ctx), cache, []goodNode{{ID: 1}, {ID: 2}}, loadGoods)
			return err
		}, isEnd, "an inner Get failed"},
		{"a Get of what is being loaded", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetFrom(ctx, cache, outerNode{ID: 1}, func(context.Context, outerNode) (string, error) { return "", nil })
			return err
		}, isCycle, "an inner Get asked for what is being loaded"},
		{"a GetMany of what is being loaded", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetManyFrom(ctx, cache, []outerNode{{ID: 1}}, func(context.Context, []outerNode) (map[outerNode]string, error) { return nil, nil })
			return err
		}, isCycle, "an inner Get asked for what is being loaded"},
		{"a Peek that finds nothing", func(ctx context.Context, cache *cacheme.Cache) error {
			b, err := cacheme.Bind(cache, loadGood)
			if err == nil {
				_, err = b.Peek(ctx, goodNode{ID: 1})
			}
			return err
		}, func(err error) bool { return errors.Is(err, cacheme.ErrNoEntry) }, "an inner Peek found nothing"},
		{"a Peek past the cache", func(ctx context.Context, cache *cacheme.Cache) error {
			b, err := cacheme.Bind(cache, loadGood)
			if err == nil {
				_, err = b.Peek(cacheme.Bypass(ctx), goodNode{ID: 1})
			}
			return err
		}, func(err error) bool { return errors.Is(err, cacheme.ErrNoEntry) }, "an inner Peek went past the cache"},
		{"a Peek that fails", func(ctx context.Context, cache *cacheme.Cache) error {
			b, err := cacheme.Bind(cache, loadGood)
			if err == nil {
				_, err = b.Peek(ended(ctx), goodNode{ID: 1})
			}
			return err
		}, isEnd, "an inner Peek failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := &told{}
			cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, outerNode{}, goodNode{}, goodChange{})
			wantOuterNotStored(t, cache, o, func(ctx context.Context) error {
				if err := c.inside(ctx, cache.Cache); !c.is(err) {
					t.Errorf("inside: %v, which is not what the test is about", err)
				}
				return nil
			}, c.reason)
		})
	}
}

func TestValueThatWasLoadedWithTheHelpOfAnotherCacheIsNotStored(t *testing.T) {
	t.Parallel()
	o := &told{}
	cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, outerNode{}, goodNode{}, goodChange{})
	other := cachetest.New(t, goodNode{}, goodChange{})
	wantOuterNotStored(t, cache, o, func(ctx context.Context) error {
		v, err := cacheme.GetFrom(ctx, other.Cache, goodNode{ID: 1}, loadGood)
		if v != 1 {
			t.Errorf("GetFrom of the other cache = %d, want 1", v)
		}
		return err
	}, "an inner Get asked another cache")
	if s := other.Stats(); s.Loads != 1 || s.Hits != 1 {
		t.Errorf("the other cache has %d loads and %d hits, want one of each: its own value depends on nothing outside", s.Loads, s.Hits)
	}
}

func TestAfterCloseWritesSaySoAndGetsLoad(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	ctx := within(t)
	b, err := cacheme.Bind(cache.Cache, loadGood)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(ctx, goodNode{ID: 1}); err != nil {
		t.Fatal(err)
	}
	hold, err := cache.Hold(ctx, goodChange{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := cache.Close(ctx); err != nil {
			t.Fatalf("Close() = %v", err)
		}
	}
	if err := cache.Redis().Close(); err != nil { // the user's own to close, after the cache
		t.Fatal(err)
	}
	_, errPattern := cache.RemovePattern(ctx, "good:*")
	_, errHold := cache.Hold(ctx, goodChange{ID: 2})
	for name, err := range map[string]error{
		"Invalidate":    cache.Invalidate(ctx, goodChange{ID: 1}),
		"Remove":        cache.Remove(ctx, goodNode{ID: 1}),
		"RemovePattern": errPattern,
		"Set":           b.Set(ctx, goodNode{ID: 1}, 5),
		"Hold":          errHold,
		"Hold.Renew":    hold.Renew(ctx),
		"Hold.Commit":   hold.Commit(ctx),
		"Hold.Doubt":    hold.Doubt(ctx),
	} {
		if !errors.Is(err, cacheme.ErrClosed) {
			t.Errorf("%s after Close = %v, want %v", name, err, cacheme.ErrClosed)
		}
		if undelivered, ok := errors.AsType[*cacheme.UndeliveredError](err); ok {
			t.Errorf("%s after Close = %v: nobody would deliver it", name, undelivered)
		}
	}
	if n := cache.Stats().Pending; n != 0 {
		t.Errorf("%d invalidations are pending after Close, want none", n)
	}
	before := cache.LoadsOf(goodNode{ID: 1})
	for range 2 {
		if v, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, loadGood); v != 1 || err != nil {
			t.Errorf("GetFrom after Close = %d, %v, want the loader's 1", v, err)
		}
	}
	if n := cache.LoadsOf(goodNode{ID: 1}) - before; n != 2 {
		t.Errorf("%d loads for 2 Gets after Close, want 2", n)
	}
	if err := cache.Close(ctx); err != nil {
		t.Errorf("Close() once more = %v", err)
	}
}

func TestCloseWaitsForALoaderThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	cache := cachetest.NewWith(t, cacheme.Options{LoadTimeout: time.Millisecond}, goodNode{}, goodChange{})
	release := make(chan struct{})
	var returned atomic.Bool
	_, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 1}, func(context.Context, goodNode) (int64, error) {
		<-release
		returned.Store(true)
		return 1, nil
	})
	if !errors.Is(err, cacheme.ErrLoadTimeout) {
		t.Errorf("GetFrom = %v, want %v", err, cacheme.ErrLoadTimeout)
	}
	// The flight is over, or is in a moment; its loader is not.
	brief, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := cache.Close(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close() = %v while a loader runs, want the end of its context", err)
	}
	closed := make(chan error)
	go func() { closed <- cache.Close(within(t)) }()
	close(release)
	if err := <-closed; err != nil {
		t.Errorf("Close() = %v when the loader returned, want nil", err)
	}
	if !returned.Load() {
		t.Error("Close returned before the loader")
	}
}

func TestDisableDuringALoadKeepsItsValueFromBeingStored(t *testing.T) {
	t.Parallel()
	o := &told{}
	cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, goodNode{}, goodChange{})
	load := func(_ context.Context, n goodNode) (int64, error) {
		cache.Disable()
		return n.ID, nil
	}
	if v, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 7}, load); v != 7 || err != nil {
		t.Errorf("GetFrom = %d, %v, want the value of the load that was under way", v, err)
	}
	cache.Enable()
	if r, err := peekAt(cache, goodNode{ID: 7}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek = %+v, %v, want %v", r, err, cacheme.ErrNoEntry)
	}
	if got := o.reasons("good:7"); len(got) != 1 || !strings.Contains(got[0], "disabled") {
		t.Errorf("the value was not stored for the reasons %q, want one that says disabled", got)
	}
}

// The options of a call belong to the caller: he may share them among goroutines.
func TestRefreshLeavesTheCallersOptionsAlone(t *testing.T) {
	cache := cachetest.New(t, goodNode{}, goodChange{})
	cache.SetDefault(t)
	b, err := cacheme.Bind(cache.Cache, loadGood)
	if err != nil {
		t.Fatal(err)
	}
	shared := append(make([]cacheme.CallOption, 0, 4), cacheme.TTL(time.Minute))
	ctx := within(t)
	var wg sync.WaitGroup
	for id := range int64(2) {
		wg.Go(func() {
			for range 10 {
				if v, err := b.Refresh(ctx, goodNode{ID: id}, shared...); v != id || err != nil {
					t.Errorf("Bound.Refresh = %d, %v, want %d", v, err, id)
				}
				if v, err := cacheme.Refresh(ctx, goodNode{ID: id}, loadGood, shared...); v != id || err != nil {
					t.Errorf("Refresh = %d, %v, want %d", v, err, id)
				}
			}
		})
	}
	wg.Wait()
	if n := cache.Stats().Loads; n != 40 {
		t.Errorf("%d loads for 40 calls of Refresh", n)
	}
	for i, o := range shared[:cap(shared)] {
		if i >= len(shared) && o != nil {
			t.Errorf("Refresh wrote into the room behind the caller's options, at %d", i)
		}
	}
}

func TestNegativeTTLMeansThatNothingIsStored(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{-time.Hour, 0} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			o := &told{}
			cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, goodNode{}, goodChange{})
			for range 2 {
				if v, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 7}, loadGood, cacheme.TTL(d)); v != 7 || err != nil {
					t.Errorf("GetFrom = %d, %v, want 7", v, err)
				}
			}
			if n := cache.LoadsOf(goodNode{ID: 7}); n != 2 {
				t.Errorf("%d loads for 2 Gets, want 2", n)
			}
			if s := cache.Stats(); s.RedisErrors != 0 || s.NotStored != 2 {
				t.Errorf("Stats() = %+v, want 2 values that were not stored and no error of Redis", s)
			}
			if got := o.reasons("good:7"); len(got) != 2 || !strings.Contains(got[0], "time is over") {
				t.Errorf("the values were not stored for the reasons %q, want that their time is over", got)
			}
		})
	}
}
