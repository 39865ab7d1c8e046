// Package herd holds the promise of one load: however many ask for a key that is not there, in one process or in
// several, one of them loads it and the others wait for that; and whatever becomes of that one, his leaving, dying,
// failing or panicking, costs the others at most one load more.
//
// What is exact is asserted exactly: the number of loads. Waiting times are bounded too, see [bound], and logged.
package herd

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Run runs the suite on a Redis. The tests run one after the other: they measure, and would disturb each other.
func Run(t *testing.T, open suite.Open) {
	t.Run("one load", func(t *testing.T) { oneLoad(t, open) })
	t.Run("the leader", func(t *testing.T) { theLeader(t, open) })
	t.Run("while a dependency is held", func(t *testing.T) { whileHeld(t, open) })
	t.Run("a load that fails", func(t *testing.T) { aFailure(t, open) })
	t.Run("before the time is over", func(t *testing.T) { early(t, open) })
}

type pageRow struct {
	ID int64 `bun:"id,pk"`
}

// Page is a node with a declared dependency.
type Page struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>", TTL: 10 * time.Minute} }

// InvalidNodes names the page's own row.
func (p Page) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{PageChanged{ID: p.ID}} }

// Feed is a node whose dependencies are known only once it is loaded: the pages in it.
type Feed struct {
	cacheme.Node[[]int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Feed) Meta() cacheme.Meta { return cacheme.Meta{Key: "feed:<id>", TTL: 10 * time.Minute} }

// ResultInvalidNodes names the rows that were found.
func (Feed) ResultInvalidNodes(ids []int64) []cacheme.Invalid {
	changed := make([]cacheme.Invalid, len(ids))
	for i, id := range ids {
		changed[i] = PageChanged{ID: id}
	}
	return changed
}

// PageChanged is one row.
type PageChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (PageChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*pageRow)(nil)} }

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{Page{}, Feed{}, PageChanged{}}
}

// fleet returns caches that share a prefix and nothing else, each with a client of its own: as processes would.
func fleet(t testing.TB, server suite.Server, n int, o cacheme.Options) []*cacheme.Cache {
	t.Helper()
	o.Prefix = suite.Prefix()
	caches := make([]*cacheme.Cache, n)
	for i := range caches {
		caches[i] = suite.NewCache(t, server.Client(suite.PatientClient), suite.Patient(o), declarations()...)
	}
	return caches
}

// loads counts the calls of a loader that takes its time.
type loads struct {
	n    atomic.Int64
	took time.Duration
}

func (l *loads) page(context.Context, Page) (string, error) {
	time.Sleep(l.took)
	return fmt.Sprintf("load %d", l.n.Add(1)), nil
}

func (l *loads) feed(context.Context, Feed) ([]int64, error) {
	time.Sleep(l.took)
	return []int64{l.n.Add(1), 1, 2, 3}, nil
}

// tale is what became of a crowd.
type tale struct {
	values  map[string]int // how many got which
	errs    []error
	slowest time.Duration
}

// crowd has so many callers for each cache call get at the same moment, and waits for all of them.
func crowd(caches []*cacheme.Cache, each int, get func(c *cacheme.Cache) (any, error)) tale {
	out := tale{values: map[string]int{}}
	start := make(chan struct{})
	var mu sync.Mutex
	var ready, done sync.WaitGroup
	for _, c := range caches {
		for range each {
			ready.Add(1)
			done.Go(func() {
				ready.Done()
				<-start
				began := time.Now()
				v, err := get(c)
				took := time.Since(began)
				mu.Lock()
				defer mu.Unlock()
				out.slowest = max(out.slowest, took)
				if err != nil {
					out.errs = append(out.errs, err)
					return
				}
				out.values[fmt.Sprint(v)]++
			})
		}
	}
	ready.Wait()
	close(start)
	done.Wait()
	return out
}

func (a tale) check(t testing.TB, callers int) {
	t.Helper()
	if len(a.errs) > 0 {
		t.Errorf("%d of %d callers got an error, the first: %v", len(a.errs), callers, a.errs[0])
	}
	got := 0
	for _, n := range a.values {
		got += n
	}
	if got+len(a.errs) != callers {
		t.Errorf("%d callers were answered, want %d", got+len(a.errs), callers)
	}
}

// bound is how long the slowest caller may take: 1.15 times the load where the machine is free to do its work. The
// race detector multiplies what a thousand goroutines cost on two cores, so there the bound only tells one load from
// two.
func bound(load time.Duration) time.Duration {
	if raceDetector {
		return load * 19 / 10
	}
	return load * 115 / 100
}

// measured runs a measurement up to three times, until it keeps within the bound: what another program does on the
// machine in one moment is not the cache's doing. What each run asserts itself holds every time.
func measured(t testing.TB, load time.Duration, run func() tale) {
	t.Helper()
	limit := bound(load)
	var slowest, late time.Duration
	for range 3 {
		machine := suite.Late()
		slowest = run().slowest
		late = machine()
		t.Logf("the slowest caller took %v, %.2f times the load of %v; the machine was late by up to %v", slowest, float64(slowest)/float64(load), load, late)
		if slowest <= limit+late || t.Failed() {
			return
		}
	}
	t.Errorf("the slowest caller took %v, want at most %v for a load of %v, and the %v by which the machine was late", slowest, limit, load, late)
}
