package integration_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// habit is how a process of a fleet reads and writes.
type habit struct {
	edits int  // a write after so many reads; 10 if not set
	hasty bool // as fast as it can
}

// toll is what was done, and what it took.
type toll struct {
	gets, saves calls
	hits, kept  int // others hear of what is kept later
}

type call struct {
	began time.Time
	took  time.Duration
}

type calls []call

func (t *toll) add(o toll) {
	t.gets, t.saves = append(t.gets, o.gets...), append(t.saves, o.saves...)
	t.hits, t.kept = t.hits+o.hits, t.kept+o.kept
}

// between returns those that began in a time.
func (c calls) between(from, to time.Time) (some calls) {
	for _, one := range c {
		if one.began.After(from) && one.began.Before(to) {
			some = append(some, one)
		}
	}
	return some
}

// but returns the time that all but one in so many keep within.
func (c calls) but(oneIn int) time.Duration {
	if len(c) == 0 {
		return 0
	}
	slices.SortFunc(c, func(a, b call) int { return cmp.Compare(a.took, b.took) })
	return c[len(c)-1-len(c)/oneIn].took
}

// quick wants the Gets to have taken no longer than the limit and what the machine was late by meanwhile.
func (c calls) quick(t *testing.T, late time.Duration) {
	t.Helper()
	t.Logf("the machine was late by up to %v", late)
	if p99 := c.but(100); p99 > getLimit+late {
		t.Errorf("99 %% of the Gets took up to %v, want at most %v and the %v by which the machine was late", p99, getLimit, late)
	}
}

// slowest returns the longest time.
func (c calls) slowest() time.Duration { return c.but(len(c) + 1) }

// under has every process read and write while something happens to its Redis, and then holds the fleet to what is
// promised: no read was old, whatever happened, and when it is over everybody has everything that was written.
func (f *fleet) under(h habit, happens func()) toll {
	f.t.Helper()
	all := f.during(h, happens)
	f.rests()
	f.isFresh()
	return all
}

func (f *fleet) isFresh() {
	f.t.Helper()
	if n := f.old.Load(); n != 0 {
		f.t.Errorf("%d of %d reads were older than promised, by up to %v", n, f.reads.Load(), time.Duration(f.longest.Load()))
	}
}

// during has every process read and write while something happens.
func (f *fleet) during(h habit, happens func()) (all toll) {
	f.t.Helper()
	var mu sync.Mutex
	for _, c := range f.caches {
		f.running.Go(func() {
			t := f.trade(c, h)
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
		})
	}
	happens()
	f.end()
	f.stop = make(chan struct{})
	return all
}

// trade reads and writes as is its habit, some pages far more often than others.
func (f *fleet) trade(c *cacheme.Cache, h habit) (t toll) {
	edits := cmp.Or(h.edits, 10)
	for n := 1; ; n++ {
		select {
		case <-f.stop:
			return t
		default:
		}
		if !h.hasty {
			time.Sleep(time.Millisecond) // the machine is others' too
		}
		began := time.Now()
		if f.read(c, f.some()) {
			t.hits++
		}
		t.gets = append(t.gets, call{began, time.Since(began)})
		if n%edits != 0 {
			continue
		}
		began = time.Now()
		if f.save(c, f.some()) != nil {
			t.kept++
		}
		t.saves = append(t.saves, call{began, time.Since(began)})
	}
}

func (f *fleet) some() int64 { return int64(math.Pow(rand.Float64(), 3) * float64(len(f.versions))) }

// save writes as bunhooks does: under a hold, and where there is none without it.
func (f *fleet) save(c *cacheme.Cache, id int64) error {
	h, err := c.Hold(context.Background(), pageChanged{ID: id})
	if err != nil {
		err = f.write(c, id)
	} else {
		err = f.commit(c, id, h.Commit)
	}
	if _, kept := errors.AsType[*cacheme.UndeliveredError](err); err != nil && !kept {
		f.t.Errorf("a save failed: %v", err)
	}
	return err
}

// rests waits until all that was kept is delivered, and then wants everybody to read what was written last.
func (f *fleet) rests() {
	f.t.Helper()
	for _, c := range f.caches {
		f.until("nothing is kept any more", func() bool { s := c.Stats(); return !s.Away && s.Pending == 0 })
	}
	for id := range f.versions {
		f.promised[id].Store(f.versions[id].Load())
		f.written[id].Store(time.Now().UnixNano())
	}
	for n, c := range f.caches {
		for id := range int64(len(f.versions)) {
			before := f.old.Load()
			f.read(c, id)
			if f.old.Load() != before {
				f.t.Errorf("when all was over, process %d read an old version of page %d", n, id)
			}
		}
	}
}

// servesAgain wants everything from Redis soon: a lease may be left whose loader was cut off.
func (f *fleet) servesAgain() {
	f.t.Helper()
	const busy = 5 * time.Second // a round trip that takes long is tried again
	if took := f.hits(); took > defaultLease+hold+busy {
		f.t.Errorf("everything was served again after %v, want at most a lease of %v, a hold of %v, and %v for the machine", took, defaultLease, hold, busy)
	}
}

// defaultLease is Options.Lease.
const defaultLease = 3 * time.Second

// until waits for something that has to come, and returns how long it took.
func (f *fleet) until(what string, is func() bool) time.Duration {
	f.t.Helper()
	began := time.Now()
	within(f.t, 30*time.Second, what, is)
	return time.Since(began)
}
