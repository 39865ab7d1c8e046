package cachetest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// kind says what a step is.
type kind int

const (
	does   kind = iota // something that others may notice
	begins             // an actor's beginning
	hears              // the reply of a round trip arrives
)

// step is what an actor did between two places at which others may come between.
type step struct {
	who  string
	kind kind
	what string
	came string // what came of it
}

func (s *step) text() string {
	if s.came == "" {
		return s.what
	}
	return s.what + ": " + s.came
}

// stop is a goroutine that waits for its turn.
type stop struct {
	step
	order int // of the actor
	goOn  chan *step
}

// actorKey is the key of the actor in his context.
type actorKey struct{}

// actor is who is known by a context.
type actor struct {
	w     *World
	name  string
	order int
	act   func(ctx context.Context)
}

// backstage is who acts for no actor: a goroutine of the cache's own.
const backstage = "cache"

// Step is a place at which others may come between, in a loader, a writer, or a function that they call; what says what
// comes next: "reads the row". It does nothing outside of Explore, so that it may stay in a test's helpers.
func Step(ctx context.Context, what string) {
	if a, ok := ctx.Value(actorKey{}).(*actor); ok {
		a.w.stop(ctx, does, what)
	}
}

// stop waits for its turn and returns what will be told of it; nil while nobody is scheduled.
func (w *World) stop(ctx context.Context, k kind, what string) *step {
	a, ok := ctx.Value(actorKey{}).(*actor)
	if !ok {
		a = &actor{name: backstage, order: -1}
	}
	w.mu.Lock()
	if !w.scheduled || isKit(ctx) {
		w.mu.Unlock()
		return nil
	}
	s := &stop{step: step{who: a.name, kind: k, what: what}, order: a.order, goOn: make(chan *step, 1)}
	w.stops = append(w.stops, s)
	w.mu.Unlock()
	return <-s.goOn
}

// note says what came of a step.
func (w *World) note(s *step, came string) {
	if s == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.came = came
}

const (
	// bubbles begin in 2000, when a Unix time had nine digits: the protocol's have ten.
	decades = 20 * 365 * 24 * time.Hour
	// stride is the time that a step takes: what comes later is younger by Redis's clock.
	stride = time.Millisecond
	// stuck is when those who wait for time alone have waited for too long.
	stuck = 10 * time.Minute
)

// policy chooses who goes next: an index into stops, which are in order. last went before; "" at first.
type policy interface {
	next(stops []*stop, last string) int
}

// play runs one schedule without some actors, in a bubble of its own.
func play(t testing.TB, p policy, without map[string]bool, setup func(*World)) (w *World) {
	t.Helper()
	defer func() {
		// synctest says so where goroutines are left that nothing can wake.
		if r := recover(); r != nil {
			t.Fatalf("cachetest: Explore: %v\n%s", r, w.story())
		}
	}()
	w = &World{TB: t, without: without}
	// A T of nobody's: what fails in the bubble is told by the world.
	synctest.Test(new(testing.T), func(*testing.T) {
		time.Sleep(decades)
		w.play(p, setup)
	})
	return w
}

func (w *World) play(p policy, setup func(*World)) {
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx = ctx
	defer w.cleanUp()
	defer cancel()
	if !w.alone("setup", func() { setup(w) }) {
		return
	}
	w.scheduled = true
	for _, a := range w.actors {
		w.running++
		go w.run(a)
	}
	w.direct(p)
	w.release()
	for waited := time.Duration(0); w.busy(); waited += time.Second {
		if waited > stuck {
			return // the bubble tells
		}
		time.Sleep(time.Second)
	}
	if w.failures == nil {
		w.atRest()
	}
}

// direct lets one go on at a time, until all have ended or a promise is broken.
func (w *World) direct(p policy) {
	last, idle := "", time.Duration(0)
	for {
		synctest.Wait()
		w.mu.Lock()
		if w.failures != nil || w.running == 0 && len(w.stops) == 0 {
			w.mu.Unlock()
			return
		}
		pause := stride
		if len(w.stops) > 0 {
			last = w.letGo(p, last)
			idle = 0
		} else {
			// All wait for time to pass, or for ever.
			pause = max(stride, idle/2)
			idle += pause
		}
		w.mu.Unlock()
		if idle > stuck {
			w.failf("nobody goes on: those who have not ended wait for what nobody brings")
			return
		}
		time.Sleep(pause)
	}
}

// letGo lets the chosen one go on.
func (w *World) letGo(p policy, last string) string {
	slices.SortStableFunc(w.stops, func(a, b *stop) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.who, b.who), cmp.Compare(a.kind, b.kind), cmp.Compare(a.what, b.what))
	})
	i := p.next(w.stops, last)
	s := w.stops[i]
	w.stops = slices.Delete(w.stops, i, i+1)
	w.trace = append(w.trace, &s.step)
	s.goOn <- &s.step
	return s.who
}

// release lets all go on, with nobody in another's way from now on.
func (w *World) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scheduled = false
	for _, s := range w.stops {
		s.goOn <- nil
	}
	w.stops = nil
}

func (w *World) busy() bool {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running > 0
}

// run is one actor from his beginning to his end.
func (w *World) run(a *actor) {
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.running--
	}()
	ctx := context.WithValue(w.ctx, actorKey{}, a)
	w.alone(a.name, func() {
		w.stop(ctx, begins, "begins")
		a.act(ctx)
	})
}
