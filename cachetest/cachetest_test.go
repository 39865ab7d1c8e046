package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = 20 * time.Minute

type Book struct {
	ID    int64 `bun:",pk"`
	Title string
}

type BookChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }

type Detail struct {
	cacheme.Node[Book]
	ID int64 `cacheme:"field"`
}

func (Detail) Meta() cacheme.Meta { return cacheme.Meta{Key: "detail:<id>", TTL: ttl} }

func (d Detail) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: d.ID}} }

// Listing depends on what it holds.
type Listing struct {
	cacheme.Node[[]Book]
	Page int `cacheme:"field"`
}

func (Listing) Meta() cacheme.Meta { return cacheme.Meta{Key: "listing:<page>", TTL: ttl} }

func (Listing) ResultInvalidNodes(books []Book) (out []cacheme.Invalid) {
	for _, b := range books {
		out = append(out, BookChanged{ID: b.ID})
	}
	return out
}

// Lasting may stand in for a while.
type Lasting struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (Lasting) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "lasting:<id>", TTL: ttl, Stale: time.Hour}
}

func loadDetail(_ context.Context, d Detail) (Book, error) {
	return Book{ID: d.ID, Title: "Emma"}, nil
}

func get[N cacheme.NodeOf[V], V any](t *testing.T, c *cachetest.Cache, node N, load func(context.Context, N) (V, error)) V {
	t.Helper()
	v, err := cacheme.GetFrom(context.Background(), c.Cache, node, load)
	if err != nil {
		t.Fatalf("GetFrom(%v) = %v", node, err)
	}
	return v
}

func wantLoads(t *testing.T, got, want int, when string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d loads, want %d", when, got, want)
	}
}

func TestEntryIsHitUntilItsTTLAndNotAfter(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t, Detail{}, BookChanged{})
	get(t, c, Detail{ID: 1}, loadDetail)
	for past := time.Duration(0); past < ttl*9/10-time.Minute; past += time.Minute {
		c.Advance(time.Minute)
		get(t, c, Detail{ID: 1}, loadDetail)
		wantLoads(t, c.LoadsOf(Detail{ID: 1}), 1, "after "+past.String())
	}
	c.Advance(3 * time.Minute)
	get(t, c, Detail{ID: 1}, loadDetail)
	wantLoads(t, c.LoadsOf(Detail{ID: 1}), 2, "after the TTL")
}

func TestDaysMayPass(t *testing.T) {
	t.Parallel()
	c := cachetest.NewWith(t, cacheme.Options{Prefix: "shop:"}, Detail{}, BookChanged{})
	c.Advance(72 * time.Hour)
	get(t, c, Detail{ID: 1}, loadDetail)
	c.Advance(ttl / 2)
	get(t, c, Detail{ID: 1}, loadDetail)
	wantLoads(t, c.LoadsOf(Detail{ID: 1}), 1, "half a TTL later")
}

func TestExpiredEntryStandsInByTheCachesOwnTime(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t, Lasting{})
	get(t, c, Lasting{ID: 1}, func(context.Context, Lasting) (int, error) { return 1, nil })
	c.Advance(ttl + time.Minute)

	entered, release := make(chan struct{}), make(chan struct{})
	done := make(chan int)
	bound, err := cacheme.Bind(c.Cache, func(context.Context, Lasting) (int, error) {
		close(entered)
		<-release
		return 2, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		v, _ := bound.Get(context.Background(), Lasting{ID: 1})
		done <- v
	}()
	<-entered
	r, err := bound.GetResult(context.Background(), Lasting{ID: 1})
	if err != nil || r.Value != 1 || !r.Stale || r.Age < ttl {
		t.Errorf("GetResult while loading = %+v, %v, want the old value, stale, older than %v", r, err, ttl)
	}
	close(release)
	if v := <-done; v != 2 {
		t.Errorf("the loading Get = %d, want 2", v)
	}
}

func TestResultDependencyThatIsOlderThanTheLoadIsTrusted(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t, Detail{}, Listing{}, BookChanged{})
	get(t, c, Detail{ID: 1}, loadDetail) // the token of book 1 exists from here on
	list := func(context.Context, Listing) ([]Book, error) { return []Book{{ID: 1}}, nil }
	c.Advance(time.Second)
	get(t, c, Listing{Page: 1}, list)
	get(t, c, Listing{Page: 1}, list)
	wantLoads(t, c.LoadsOf(Listing{Page: 1}), 1, "second time")
}

func TestFlushAndRestartForgetAndTheNextEntryLives(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*cachetest.Cache){
		"FlushAll": (*cachetest.Cache).FlushAll,
		"Restart":  (*cachetest.Cache).Restart,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cachetest.New(t, Detail{}, BookChanged{})
			var wg sync.WaitGroup // several connections in the pool
			for id := range int64(8) {
				wg.Go(func() { _, _ = cacheme.GetFrom(context.Background(), c.Cache, Detail{ID: id}, loadDetail) })
			}
			wg.Wait()
			lose(c)
			get(t, c, Detail{ID: 1}, loadDetail)
			wantLoads(t, int(c.Stats().Loads), 9, "after the loss")
			c.Advance(ttl / 2)
			get(t, c, Detail{ID: 1}, loadDetail)
			wantLoads(t, int(c.Stats().Loads), 9, "half a TTL later")
			if s := c.Stats(); s.RedisErrors != 0 {
				t.Errorf("Stats().RedisErrors = %d, want 0", s.RedisErrors)
			}
		})
	}
}

func TestKitLeavesNoTraces(t *testing.T) {
	t.Parallel()
	var events []cacheme.Event
	c := cachetest.NewWith(t, cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) { events = append(events, e) }})
	c.Advance(time.Hour)
	if events != nil {
		t.Errorf("events = %+v, want none", events)
	}
	if s := c.Stats(); s != (cacheme.Stats{}) {
		t.Errorf("Stats() = %+v, want zeros", s)
	}
	keys, err := c.Redis().Keys(context.Background(), "*").Result()
	if err != nil || len(keys) != 1 || keys[0] != "CM:meta:watch" {
		t.Errorf("keys = %v, %v, want the record of losses alone", keys, err)
	}
	if d := c.Redis().TTL(context.Background(), keys[0]).Val(); d <= 0 {
		t.Errorf("TTL(%s) = %v, want one", keys[0], d)
	}
}

func TestCachesOfTwoTestsShareNothing(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			c := cachetest.New(t, Detail{}, BookChanged{})
			get(t, c, Detail{ID: 1}, loadDetail)
			wantLoads(t, c.LoadsOf(Detail{ID: 1}), 1, "in a cache of its own")
		})
	}
}

func TestSetDefaultEndsWithItsTest(t *testing.T) {
	c := cachetest.New(t, Detail{}, BookChanged{})
	former := cacheme.DefaultCache()
	t.Run("inner", func(t *testing.T) {
		c.SetDefault(t)
		for range 2 {
			if b, err := cacheme.Get(context.Background(), Detail{ID: 3}, loadDetail); err != nil || b.ID != 3 {
				t.Fatalf("Get = %v, %v", b, err)
			}
		}
		wantLoads(t, c.LoadsOf(Detail{ID: 3}), 1, "through the default cache")
	})
	if cacheme.DefaultCache() != former {
		t.Error("the default cache is not the former one again")
	}
}

// fatal is a test that notes how it failed.
type fatal struct {
	testing.TB
	text string
}

func (f *fatal) Helper() {}

func (f *fatal) Fatal(args ...any) { f.text = fmt.Sprint(args...); panic(f) }

func (f *fatal) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

// failing returns how a call on a test fails.
func failing(t *testing.T, call func(testing.TB)) (text string) {
	f := &fatal{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
		text = f.text
	}()
	call(f)
	return ""
}

func TestMistakesEndTheTest(t *testing.T) {
	t.Parallel()
	got := failing(t, func(t testing.TB) { cachetest.New(t, &Detail{}) })
	if want := "cacheme: *cachetest_test.Detail: is a pointer; give Register the value: cachetest_test.Detail{}"; got != want {
		t.Errorf("New(&Detail{}) fails with %q, want %q", got, want)
	}
	got = failing(t, func(t testing.TB) { cachetest.NewWith(t, cacheme.Options{TTL: -1}) })
	if want := "cacheme: cacheme.Options: TTL is negative: -1ns; leave it out for the default"; got != want {
		t.Errorf("NewWith fails with %q, want %q", got, want)
	}
	got = failing(t, func(t testing.TB) { cachetest.New(t).Advance(-time.Second) })
	if want := "cachetest: Advance(-1s): time goes forwards; give a positive duration"; got != want {
		t.Errorf("Advance fails with %q, want %q", got, want)
	}
	for want, call := range map[string]func(*cachetest.Cache){
		"cachetest: Slow(-1s): ":        func(c *cachetest.Cache) { c.Slow(-time.Second) },
		"cachetest: LoseCommands(-1): ": func(c *cachetest.Cache) { c.LoseCommands(-1) },
		"cachetest: LoseReplies(-1): ":  func(c *cachetest.Cache) { c.LoseReplies(-1) },
		"cachetest: Lossy(-0.1): ":      func(c *cachetest.Cache) { c.Lossy(-0.1, 1) },
		"cachetest: Lossy(1.1): ":       func(c *cachetest.Cache) { c.Lossy(1.1, 1) },
		"cachetest: Lossy(NaN): ":       func(c *cachetest.Cache) { c.Lossy(math.NaN(), 1) },
	} {
		if got := failing(t, func(t testing.TB) { call(cachetest.New(t)) }); !strings.HasPrefix(got, want) {
			t.Errorf("a mistaken fault fails with %q, want %q", got, want)
		}
	}
}

func TestTimeMayPassAfterClose(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Hour)
	if err := c.Redis().Get(context.Background(), "nothing").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("Get = %v, want %v", err, redis.Nil)
	}
}
