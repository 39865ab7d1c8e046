package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func Example() {
	t, end := exampleTest() // in a test, t is there
	defer end()

	cache := cachetest.New(t, Detail{}, BookChanged{})
	look := func(when string) {
		book, err := cacheme.GetFrom(context.Background(), cache.Cache, Detail{ID: 7}, loadDetail)
		fmt.Printf("%s: %s, %v, %d loads\n", when, book.Title, err, cache.LoadsOf(Detail{ID: 7}))
	}

	look("first")
	look("again")
	cache.Advance(10 * time.Minute)
	look("ten minutes later")
	_ = cache.Invalidate(context.Background(), BookChanged{ID: 7})
	look("after an edit")
	cache.Advance(20 * time.Minute)
	look("after its TTL")

	// Output:
	// first: Emma, <nil>, 1 loads
	// again: Emma, <nil>, 1 loads
	// ten minutes later: Emma, <nil>, 1 loads
	// after an edit: Emma, <nil>, 2 loads
	// after its TTL: Emma, <nil>, 3 loads
}

func ExampleCache_LoadsOf() {
	t, end := exampleTest() // in a test, t is there
	defer end()
	ctx := context.Background()

	cache := cachetest.New(t, Detail{}, BookChanged{})
	for range 3 {
		_, _ = cacheme.GetFrom(ctx, cache.Cache, Detail{ID: 7}, loadDetail)
	}
	fmt.Println("asked three times:", cache.LoadsOf(Detail{ID: 7}))
	_ = cache.Invalidate(ctx, BookChanged{ID: 7})
	_, _ = cacheme.GetFrom(ctx, cache.Cache, Detail{ID: 7}, loadDetail)
	fmt.Println("after an edit:", cache.LoadsOf(Detail{ID: 7}))
	fmt.Println("of another book:", cache.LoadsOf(Detail{ID: 8}))

	// Output:
	// asked three times: 1
	// after an edit: 2
	// of another book: 0
}

func ExampleRequireInvalidates() {
	t, end := exampleTest() // in a test, t is there
	defer end()
	cache := cachetest.New(t, Detail{}, BookChanged{})

	rename := func(id int64) func() {
		return func() { _ = cache.Invalidate(context.Background(), BookChanged{ID: id}) } // in a test, a write with bun
	}
	book7 := cachetest.EntryOf(Detail{ID: 7}, loadDetail)
	cachetest.RequireInvalidates(t, cache, rename(7), book7)
	cachetest.RequireUntouched(t, cache, rename(8), book7)
	fmt.Println("so far all is well")
	cachetest.RequireInvalidates(t, cache, rename(8), book7)

	// Output:
	// so far all is well
	// cachetest: cachetest_test.Detail (key detail:7) is still fresh after the write, want it made wrong
	// The write made wrong: row:book:8, rows:books.
	// If what was written concerns it, name that in its InvalidNodes or ResultInvalidNodes; if nothing was made wrong, write through the database that bunhooks.Install returned, or call Invalidate.
}

func ExampleCache_Down() {
	t, end := exampleTest() // in a test, t is there
	defer end()
	ctx := context.Background()

	cache := cachetest.New(t, Detail{}, BookChanged{})
	cachetest.RequireFresh(t, cache, Detail{ID: 7}, loadDetail)
	cache.Down()
	book, err := cacheme.GetFrom(ctx, cache.Cache, Detail{ID: 7}, loadDetail)
	fmt.Printf("without Redis: %s, %v, %d loads\n", book.Title, err, cache.LoadsOf(Detail{ID: 7}))
	var kept *cacheme.UndeliveredError
	fmt.Println("an edit is kept:", errors.As(cache.Invalidate(ctx, BookChanged{ID: 7}), &kept))
	cache.Up()
	fmt.Println("pending when Redis is back:", cache.Stats().Pending)
	cachetest.RequireFresh(t, cache, Detail{ID: 7}, loadDetail)

	// Output:
	// without Redis: Emma, <nil>, 2 loads
	// an edit is kept: true
	// pending when Redis is back: 0
}

// A cache-aside as everybody writes it once: a reader stores what it has read, the writer deletes what it has written.
// The reader may be overtaken between the two.
func ExampleExplore() {
	t, end := exampleTest() // in a test, t is there
	defer end()

	cachetest.Explore(t, func(w *cachetest.World) {
		rdb, row := cachetest.New(w).Redis(), w.Row()
		w.Reads("reader", func(ctx context.Context) (int, error) {
			version, err := rdb.Get(ctx, "book:7").Int()
			if errors.Is(err, redis.Nil) {
				version = row.Read(ctx)
				err = rdb.Set(ctx, "book:7", version, 0).Err()
			}
			return version, err
		})
		w.Writes("writer", func(ctx context.Context, version int) error {
			row.Write(ctx, version)
			return rdb.Del(ctx, "book:7").Err()
		})
	})

	// Output:
	// cachetest: schedule 16 of 200 breaks a promise. The shortest that does:
	//   1 reader: GET book:7: nothing
	//   2 reader: reads the row: v1
	//   3 writer: writes v2
	//   4 writer: DEL book:7
	//   5 reader: SET book:7 1
	//   6 reader, when all is done: gets v1, want v2
	// To repeat it: cachetest.ExploreWith(t, cachetest.Exploration{Seed: 16, Schedules: 1}, ...)
}

// The same with cacheme: no order of the steps breaks the promise.
func ExampleExplore_node() {
	t, end := exampleTest() // in a test, t is there
	defer end()

	cachetest.Explore(t, func(w *cachetest.World) {
		cache, row := cachetest.New(w, Version{}, BookChanged{}), w.Row()
		w.Reads("reader", func(ctx context.Context) (int, error) {
			return cacheme.GetFrom(ctx, cache.Cache, Version{ID: 7}, func(ctx context.Context, _ Version) (int, error) {
				return row.Read(ctx), nil
			})
		})
		w.Writes("writer", func(ctx context.Context, version int) error {
			row.Write(ctx, version) // with bunhooks the write would say so by itself
			return cache.Invalidate(ctx, BookChanged{ID: 7})
		})
	})
	fmt.Println("nothing is found")

	// Output:
	// nothing is found
}

// outside stands in for the test that an example does not have, and shows how it fails.
type outside struct {
	testing.TB
	cleanups []func()
}

func exampleTest() (t testing.TB, end func()) {
	o := &outside{}
	return o, func() {
		for i := range o.cleanups {
			o.cleanups[len(o.cleanups)-1-i]()
		}
	}
}

func (*outside) Helper() {}

func (*outside) Context() context.Context { return context.Background() }

func (*outside) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func (o *outside) Cleanup(f func()) { o.cleanups = append(o.cleanups, f) }
