package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func TestDoNotStoreKeepsTheValueAndAllThatItIsInsideOfFromBeingStored(t *testing.T) {
	t.Parallel()
	const reason = "read in a transaction"
	for _, c := range []struct {
		name   string
		inside func(ctx context.Context, cache *cacheme.Cache) error
		reason string
	}{
		{"by the loader", func(ctx context.Context, _ *cacheme.Cache) error {
			cacheme.DoNotStore(ctx, reason)
			return nil
		}, reason},
		{"twice: the first reason is told", func(ctx context.Context, _ *cacheme.Cache) error {
			cacheme.DoNotStore(ctx, reason)
			cacheme.DoNotStore(ctx, "another")
			return nil
		}, reason},
		{"without a reason", func(ctx context.Context, _ *cacheme.Cache) error {
			cacheme.DoNotStore(ctx, "")
			return nil
		}, "its loader said so"},
		{"by a goroutine of the load", func(ctx context.Context, _ *cacheme.Cache) error {
			var wg sync.WaitGroup
			wg.Go(func() { cacheme.DoNotStore(context.WithoutCancel(ctx), reason) })
			wg.Wait()
			return nil
		}, reason},
		{"by an inner load", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetFrom(ctx, cache, goodNode{ID: 1}, func(ctx context.Context, _ goodNode) (int64, error) {
				cacheme.DoNotStore(ctx, reason)
				return 1, nil
			})
			return err
		}, reason},
		{"by an inner load that fails", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetFrom(ctx, cache, goodNode{ID: 1}, func(ctx context.Context, _ goodNode) (int64, error) {
				cacheme.DoNotStore(ctx, reason)
				return 0, errShelf
			})
			if !errors.Is(err, errShelf) {
				return fmt.Errorf("the inner load = %w", err)
			}
			return nil
		}, reason},
		{"by an inner batch", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetManyFrom(ctx, cache, []goodNode{{ID: 1}, {ID: 2}}, func(ctx context.Context, nodes []goodNode) (map[goodNode]int64, error) {
				cacheme.DoNotStore(ctx, reason)
				return loadGoods(ctx, nodes)
			})
			return err
		}, reason},
		{"by an inner loader past the cache", func(ctx context.Context, cache *cacheme.Cache) error {
			_, err := cacheme.GetFrom(cacheme.Bypass(ctx), cache, goodNode{ID: 1}, func(ctx context.Context, _ goodNode) (int64, error) {
				cacheme.DoNotStore(ctx, reason)
				return 1, nil
			})
			return err
		}, reason},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := &told{}
			cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, outerNode{}, goodNode{}, goodChange{})
			wantOuterNotStored(t, cache, o, func(ctx context.Context) error { return c.inside(ctx, cache.Cache) }, c.reason)
			for id := range int64(3) {
				if _, err := peekAt(cache, goodNode{ID: id}); !errors.Is(err, cacheme.ErrNoEntry) {
					t.Errorf("Peek of the inner node %d = %v, want %v", id, err, cacheme.ErrNoEntry)
				}
			}
		})
	}
}

func TestDoNotStoreCountsInsideOfItsLoadAlone(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, outerNode{}, goodNode{}, goodChange{})
	ctx := within(t)
	cacheme.DoNotStore(ctx, "outside of any load")
	var left context.Context
	if _, err := cacheme.GetFrom(ctx, cache.Cache, outerNode{ID: 1}, func(ctx context.Context, _ outerNode) (string, error) {
		left = context.WithoutCancel(ctx) //nolint:fatcontext // what is left of it is the matter
		// An inner load that is stored, in an outer one that is not.
		_, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, loadGood)
		cacheme.DoNotStore(ctx, "for this caller")
		return "outer", err
	}); err != nil {
		t.Fatal(err)
	}
	if r, err := peekAt(cache, goodNode{ID: 1}); r.Value != 1 || err != nil {
		t.Errorf("Peek of the inner node = %v, %v, want its value", r.Value, err)
	}
	cacheme.DoNotStore(left, "after the load")
	if _, err := cacheme.GetFrom(left, cache.Cache, outerNode{ID: 2}, func(context.Context, outerNode) (string, error) { return "outer", nil }); err != nil {
		t.Fatal(err)
	}
	if r, err := peekAt(cache, outerNode{ID: 2}); r.Value != "outer" || err != nil {
		t.Errorf("Peek of what was loaded after it = %v, %v, want its value", r.Value, err)
	}
}

// refusing is a Redis that cannot be reached.
type refusing struct{}

func (refusing) DialHook(next redis.DialHook) redis.DialHook { return next }
func (refusing) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(context.Context, redis.Cmder) error { return net.ErrClosed }
}

func (refusing) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(context.Context, []redis.Cmder) error { return net.ErrClosed }
}

// asking asks for good:1 and tells when it is missed.
type asking func(ctx context.Context, load func(context.Context) int64, missed func()) (int64, error)

func askOne(cache *cachetest.Cache) asking {
	return func(ctx context.Context, load func(context.Context) int64, missed func()) (int64, error) {
		return cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, func(ctx context.Context, _ goodNode) (int64, error) { return load(ctx), nil },
			cacheme.OnMiss(func(context.Context, string) { missed() }))
	}
}

func askMany(cache *cachetest.Cache) asking {
	return func(ctx context.Context, load func(context.Context) int64, missed func()) (int64, error) {
		values, err := cacheme.GetManyFrom(ctx, cache.Cache, []goodNode{{ID: 1}}, func(ctx context.Context, nodes []goodNode) (map[goodNode]int64, error) {
			return map[goodNode]int64{nodes[0]: load(ctx)}, nil
		}, cacheme.OnMiss(func(context.Context, string) { missed() }))
		if err != nil {
			return 0, err
		}
		return values[0], nil
	}
}

// crowd has some callers wait for the load of another one, and returns what each was given.
func crowd(t *testing.T, ask asking, callers int, first, load func(context.Context) int64) (leader int64, others []int64) {
	t.Helper()
	ctx := within(t)
	loading, goOn := make(chan struct{}), make(chan struct{})
	given := make(chan int64, 1)
	go func() {
		v, err := ask(ctx, func(ctx context.Context) int64 {
			close(loading)
			<-goOn
			return first(ctx)
		}, func() {})
		if err != nil {
			t.Error(err)
		}
		given <- v
	}()
	<-loading
	var wg, missed sync.WaitGroup
	missed.Add(callers)
	others = make([]int64, callers)
	for i := range callers {
		wg.Go(func() {
			var err error
			if others[i], err = ask(ctx, load, sync.OnceFunc(missed.Done)); err != nil {
				t.Error(err)
			}
		})
	}
	missed.Wait()
	close(goOn)
	wg.Wait()
	return <-given, others
}

func TestThoseWhoWaitForAValueThatIsNotForThemShareTheNextLoad(t *testing.T) {
	t.Parallel()
	const callers = 20
	for name, ask := range map[string]func(*cachetest.Cache) asking{"Get": askOne, "GetMany": askMany} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, Redis away %v", name, away), func(t *testing.T) {
				t.Parallel()
				cache := cachetest.New(t, goodNode{}, goodChange{})
				if away {
					cache.Redis().AddHook(refusing{})
				}
				var loads atomic.Int64
				leader, others := crowd(t, ask(cache), callers, func(ctx context.Context) int64 {
					cacheme.DoNotStore(ctx, "read in a transaction")
					return -1
				}, func(context.Context) int64 { return loads.Add(1) })
				if leader != -1 {
					t.Errorf("the first caller was given %d, want -1, his own", leader)
				}
				for _, v := range others {
					if v < 1 || v > 1 && !away {
						t.Errorf("a caller who waited was given %d, want 1, from the next load", v)
					}
				}
				// Without Redis, who looks up when the next load is over finds nothing stored.
				if n := loads.Load(); n != 1 && !away {
					t.Errorf("%d loads for %d callers who waited, want 1", n, callers)
				}
			})
		}
	}
}

// Where every value is for its caller alone, each loads for himself: after two loads of others at most, and all at once.
func TestNobodyQueuesBehindLoadsThatAreOfNoUseToHim(t *testing.T) {
	t.Parallel()
	const (
		callers = 20
		long    = time.Second
	)
	for name, ask := range map[string]func(*cachetest.Cache) asking{"Get": askOne, "GetMany": askMany} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(20 * 365 * 24 * time.Hour) // a bubble begins in 2000, when a Unix time had nine digits
				var o told
				cache := cachetest.NewWith(t, cacheme.Options{Observer: o.see}, goodNode{}, goodChange{})
				began := time.Now()
				var loads atomic.Int64
				var wg sync.WaitGroup
				given := make([]int64, callers)
				for i := range callers {
					wg.Go(func() {
						var err error
						given[i], err = ask(cache)(context.Background(), func(ctx context.Context) int64 {
							cacheme.DoNotStore(ctx, "for one caller")
							time.Sleep(long)
							return loads.Add(1)
						}, func() {})
						if err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(began); took >= 4*long {
					t.Errorf("%d callers took %v, with loads of %v", callers, took, long)
				}
				slices.Sort(given)
				if n := len(slices.Compact(given)); n != callers || loads.Load() != callers {
					t.Errorf("%d callers were given %d values in %d loads, want one load for each", callers, n, loads.Load())
				}
				if n := len(o.reasons("good:1")); n != callers {
					t.Errorf("%d values were told as not stored, want %d", n, callers)
				}
			})
		})
	}
}

// A batch is for its caller alone as a whole.
func TestThoseWhoWaitForOneOfABatchThatIsNotForThemLoadIt(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	ctx := within(t)
	loading, missed := make(chan struct{}), make(chan struct{})
	given := make(chan []int64, 1)
	go func() {
		values, err := cacheme.GetManyFrom(ctx, cache.Cache, []goodNode{{ID: 1}, {ID: 2}}, func(ctx context.Context, _ []goodNode) (map[goodNode]int64, error) {
			close(loading)
			<-missed
			cacheme.DoNotStore(ctx, "one of them is uncommitted")
			return map[goodNode]int64{{ID: 1}: -1, {ID: 2}: -2}, nil
		})
		if err != nil {
			t.Error(err)
		}
		given <- values
	}()
	<-loading
	v, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 2}, loadGood, cacheme.OnMiss(func(context.Context, string) { close(missed) }))
	if v != 2 || err != nil {
		t.Errorf("GetFrom = %d, %v, want a load of its own", v, err)
	}
	if got := fmt.Sprint(<-given); got != "[-1 -2]" {
		t.Errorf("the batch was given %v, want its own values", got)
	}
}

// An error of a load that is for its caller alone is so too.
func TestErrorOfALoadForItsCallerAloneIsNotForThoseWhoWait(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	ctx := within(t)
	loading, missed := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		_, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, func(ctx context.Context, _ goodNode) (int64, error) {
			close(loading)
			<-missed
			cacheme.DoNotStore(ctx, "the transaction is over")
			return 0, errShelf
		})
		failed <- err
	}()
	<-loading
	v, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, loadGood, cacheme.OnMiss(func(context.Context, string) { close(missed) }))
	if v != 1 || err != nil {
		t.Errorf("GetFrom = %d, %v, want a load of its own", v, err)
	}
	if err := <-failed; !errors.Is(err, errShelf) {
		t.Errorf("GetFrom of the first caller = %v, want %v", err, errShelf)
	}
}

// What encloses such a load is for its caller alone as well: its value was made of what nobody else may see.
func TestThoseWhoWaitForAnOuterLoadDoNotGetWhatIsForOneCallerAlone(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, outerNode{}, goodNode{}, goodChange{})
	ctx := within(t)
	loading, missed := make(chan struct{}), make(chan struct{})
	given := make(chan string, 1)
	outer := func(inner func(context.Context, goodNode) (int64, error), opts ...cacheme.CallOption) string {
		v, err := cacheme.GetFrom(ctx, cache.Cache, outerNode{ID: 1}, func(ctx context.Context, _ outerNode) (string, error) {
			n, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 1}, inner)
			return fmt.Sprint("made of ", n), err
		}, opts...)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	go func() {
		given <- outer(func(ctx context.Context, _ goodNode) (int64, error) {
			close(loading)
			<-missed
			cacheme.DoNotStore(ctx, "uncommitted")
			return -1, nil
		})
	}()
	<-loading
	if v := outer(loadGood, cacheme.OnMiss(func(context.Context, string) { close(missed) })); v != "made of 1" {
		t.Errorf("who waited was given %q, want what is made of 1", v)
	}
	if v := <-given; v != "made of -1" {
		t.Errorf("the first caller was given %q, want what is made of -1", v)
	}
}
