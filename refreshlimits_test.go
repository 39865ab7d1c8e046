package cacheme_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func TestRefreshThatFailsLeavesTheEntryAndIsTriedAgainAfterAPause(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(due)
	w.then(func(context.Context, []int64) error { return errShelf })
	w.get(1, 1)
	for range 3 {
		if e := w.wait(cacheme.EventLoad); !errors.Is(e.Err, errShelf) {
			t.Errorf("told %+v, want the error of the load", e)
		}
		for range 100 {
			w.get(1, 1)
		}
		w.cache.Advance(pause)
		w.get(1, 1)
	}
	w.wait(cacheme.EventLoad)
	w.close() // no load but one in each pause
	w.wantLoads("in all", []int64{1}, []int64{1}, []int64{1}, []int64{1}, []int64{1})
}

func TestRefreshNeverBringsBackWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]bool{"while it waits": false, "while it loads": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHotWorld(t, cacheme.Options{Refresh: cacheme.RefreshOptions{Concurrency: 1}})
			w.get(1, 1)
			w.get(2, 2)
			w.cache.Advance(due)
			pass, came, open := gate()
			w.then(func(context.Context, []int64) error { pass(); return nil })
			w.get(1, 1)
			<-came
			w.get(2, 2) // waits for the first to be loaded
			gone := hotPage{ID: 2}
			if during {
				gone.ID = 1
			}
			if err := w.cache.Remove(within(t), gone); err != nil {
				t.Fatal(err)
			}
			open()
			if during {
				if e := w.wait(cacheme.EventNotStored); e.Reason != "the lease was lost" {
					t.Errorf("told %+v", e)
				}
			}
			w.wait(cacheme.EventRefreshed) // of the other
			if _, err := w.pages.Peek(within(t), gone); !errors.Is(err, cacheme.ErrNoEntry) {
				t.Errorf("Peek() = %v, want %v", err, cacheme.ErrNoEntry)
			}
			w.close()
			if n, want := w.cache.LoadsOf(hotPage{ID: 2}), 1; !during && n != want {
				t.Errorf("what is gone was loaded %d times, want %d", n, want)
			}
		})
	}
}

func TestRefreshIsMadeWrongLikeEveryLoad(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(due)
	pass, came, open := gate()
	w.then(func(context.Context, []int64) error { pass(); return nil })
	w.get(1, 1)
	<-came
	if err := w.cache.Invalidate(within(t), goodChange{ID: 1}); err != nil {
		t.Fatal(err)
	}
	open()
	w.get(1, 3) // not the second, which began before the write
}

func TestRefreshKeepsAFreshEntryRatherThanOneThatIsNot(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(20 * time.Second) // past the probation of the token that this made
	to := int64(1)
	link := func() cacheme.Result[int64] {
		b, err := cacheme.Bind(w.cache.Cache, func(context.Context, hotLink) (int64, error) { return to, nil })
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.GetResult(within(t), hotLink{ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	link()
	w.cache.Advance(due)
	to = 99 // of which there is no token: nobody can tell whether it was written while it was loaded
	link()
	if e := w.wait(cacheme.EventNotStored); e.Reason != "the entry that is there is fresh, and it would not be" {
		t.Errorf("told %+v", e)
	}
	if r := link(); r.Value != 1 || r.Tier != cacheme.TierRedis {
		t.Errorf("GetResult() = %+v, want the old entry", r)
	}
	w.close()
}

func TestRefreshLeavesAloneWhatGoesPastTheCache(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{})
	w.get(1, 1)
	w.cache.Advance(due)
	if r, err := w.pages.Peek(within(t), hotPage{ID: 1}); r.Value != 1 || err != nil {
		t.Errorf("Peek() = %v, %v", r.Value, err)
	}
	for _, ctx := range []context.Context{cacheme.Bypass(within(t)), context.WithValue(within(t), skipped{}, true)} {
		if _, err := w.pages.Get(ctx, hotPage{ID: 1}); err != nil {
			t.Fatal(err)
		}
	}
	w.cache.Disable()
	w.get(1, 4)
	w.cache.Enable()
	w.close()
	w.wantLoads("for those who went past the cache", []int64{1}, []int64{1}, []int64{1}, []int64{1})
}

func TestRefreshThatWaitsEndsWithDisableAndWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *hotWorld){
		"disabled":        func(w *hotWorld) { w.cache.Disable() },
		"redis is down":   func(w *hotWorld) { w.cache.Down() },
		"redis is silent": func(w *hotWorld) { w.cache.Silent() },
		"expired":         func(w *hotWorld) { w.cache.Advance(expired) },
		"closed":          func(w *hotWorld) { go func() { _ = w.cache.Close(context.Background()) }() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHotWorld(t, cacheme.Options{Budget: 200 * time.Millisecond, Refresh: cacheme.RefreshOptions{Concurrency: 1}})
			w.get(1, 1)
			w.get(2, 2)
			w.cache.Advance(due)
			pass, came, open := gate()
			w.then(func(context.Context, []int64) error { pass(); return nil })
			w.get(1, 1)
			<-came
			w.get(2, 2)
			end(w)
			for name == "closed" && w.cache.Enabled() {
				time.Sleep(time.Millisecond)
			}
			open()
			if err := w.cache.Close(within(t)); err != nil {
				t.Fatal(err)
			}
			if n := w.cache.LoadsOf(hotPage{ID: 2}); n != 1 {
				t.Errorf("what waited was loaded %d times, want once: nobody waits for it", n)
			}
		})
	}
}

func TestRefreshKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	w := newHotWorld(t, cacheme.Options{Refresh: cacheme.RefreshOptions{Concurrency: 1, Pending: 2}})
	for id := range int64(4) {
		w.get(id, id+1)
	}
	w.cache.Advance(due)
	pass, came, open := gate()
	w.then(func(context.Context, []int64) error { pass(); return nil })
	w.get(0, 1)
	<-came
	for range 10 {
		for id := range int64(4) {
			w.get(id, id+1)
		}
	}
	if e := w.wait(cacheme.EventRefreshDropped); e.Count != 1 || e.Reason != "too many wait" {
		t.Errorf("told %+v, want one of three to be dropped, once", e)
	}
	open()
	for range 3 {
		w.wait(cacheme.EventRefreshed)
	}
	w.close()
}

// hotFrom declares a share that is none.
type hotFrom[S share] struct{ cacheme.Node[int64] }

func (hotFrom[S]) Meta() cacheme.Meta {
	var s S
	return cacheme.Meta{Key: "from:" + s.name(), Refresh: s.of()}
}

type share interface {
	name() string
	of() float64
}

type (
	negativeShare struct{}
	smallShare    struct{}
	wholeShare    struct{}
	noShare       struct{}
	leastShare    struct{}
)

func (negativeShare) name() string { return "negative" }
func (negativeShare) of() float64  { return -0.5 }
func (smallShare) name() string    { return "small" }
func (smallShare) of() float64     { return 0.09 }
func (wholeShare) name() string    { return "whole" }
func (wholeShare) of() float64     { return 1 }
func (noShare) name() string       { return "none" }
func (noShare) of() float64        { return math.NaN() }
func (leastShare) name() string    { return "least" }
func (leastShare) of() float64     { return 0.1 }

func TestRefreshHasToBeAPartOfTheTTL(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	const remedy = " write the part of the TTL after which a hit has the entry loaded again, from 0.1 to less than 1, such as 0.8, or leave it out"
	for _, c := range []struct {
		node cacheme.Declaration
		want string
	}{
		{hotFrom[negativeShare]{}, "is -0.5;" + remedy},
		{hotFrom[smallShare]{}, "is 0.09;" + remedy},
		{hotFrom[wholeShare]{}, "is 1;" + remedy},
		{hotFrom[noShare]{}, "is NaN;" + remedy},
	} {
		var declaration *cacheme.DeclarationError
		if err := cache.Register(c.node); !errors.As(err, &declaration) || declaration.Field != "Refresh" || declaration.Reason != c.want {
			t.Errorf("Register(%T) = %v, want Refresh to be told: %s", c.node, err, c.want)
		}
	}
	if err := cache.Register(hotFrom[leastShare]{}); err != nil {
		t.Error(err)
	}
	_, err := cacheme.New(cache.Redis(), cacheme.Options{Refresh: cacheme.RefreshOptions{Concurrency: -1, PerSecond: -2, Pending: -3}})
	const want = "cacheme: cacheme.Options: Refresh.Concurrency is negative: -1; leave it out for the default; " +
		"Refresh.PerSecond is negative: -2; leave it out for the default; Refresh.Pending is negative: -3; leave it out for the default"
	if err == nil || err.Error() != want {
		t.Errorf("New() = %v, want %s", err, want)
	}
}
