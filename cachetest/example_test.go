package cachetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func Example() {
	t, end := exampleTest() // in a test, t is there
	defer end()

	cache := cachetest.New(t, Detail{}, BookChanged{})
	loads := cachetest.CountLoads(loadDetail)
	look := func(when string) {
		book, err := cacheme.GetFrom(context.Background(), cache.Cache, Detail{ID: 7}, loads.Load)
		fmt.Printf("%s: %s, %v, %d loads\n", when, book.Title, err, loads.Loads())
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

// outside stands in for the test that an example does not have.
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

func (o *outside) Cleanup(f func()) { o.cleanups = append(o.cleanups, f) }
