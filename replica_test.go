package cacheme_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// replicas collects what is told of replicas.
type replicas struct {
	mu  sync.Mutex
	all []cacheme.Event
}

func (r *replicas) see(_ context.Context, e cacheme.Event) {
	if e.Kind == cacheme.EventReplica {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, e)
	}
}

func TestFromReplica_is_told_once_for_a_table_and_nothing_is_stored(t *testing.T) {
	t.Parallel()
	r := &replicas{}
	cache := cachetest.NewWith(t, cacheme.Options{Observer: r.see}, outerNode{}, goodNode{}, goodChange{})
	ctx := within(t)
	cacheme.FromReplica(ctx, "outside of any load", "goods")
	for range 3 {
		got, err := cacheme.GetFrom(ctx, cache.Cache, outerNode{ID: 1}, func(ctx context.Context, _ outerNode) (string, error) {
			_, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, func(ctx context.Context, n goodNode) (int64, error) {
				cacheme.FromReplica(ctx, "shop/goods.go:7", "goods", "prices")
				return loadGood(ctx, n)
			})
			return "outer", err
		})
		if got != "outer" || err != nil {
			t.Errorf("Get() = %q, %v, want what was loaded", got, err)
		}
	}
	if _, err := peekAt(cache, outerNode{ID: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek of the outer node = %v, want %v", err, cacheme.ErrNoEntry)
	}
	if _, err := peekAt(cache, goodNode{ID: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek of the inner node = %v, want %v", err, cacheme.ErrNoEntry)
	}
	if len(r.all) != 2 || r.all[0].Table != "goods" || r.all[1].Table != "prices" || r.all[0].Line != "shop/goods.go:7" || r.all[0].Node == "" {
		t.Errorf("told %+v, want each table once", r.all)
	}
}

func TestFromReplica_leaves_the_load_to_all_who_wait(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	const callers = 50
	var loads, missed atomic.Int64
	var all sync.WaitGroup
	open := make(chan struct{})
	for range callers {
		all.Go(func() {
			_, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 1}, func(ctx context.Context, n goodNode) (int64, error) {
				loads.Add(1)
				cacheme.FromReplica(ctx, "")
				<-open
				return loadGood(ctx, n)
			}, cacheme.OnMiss(func(context.Context, string) {
				if missed.Add(1) == callers {
					close(open)
				}
			}))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := loads.Load(); n > 4 {
		t.Errorf("%d loads for %d callers, want them to share", n, callers)
	}
}
