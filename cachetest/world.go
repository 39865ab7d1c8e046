package cachetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
)

// World is what one schedule of Explore happens in. It is a testing.TB, for New and for everything that checks: what
// fails on it fails the schedule, and what it cleans up ends with the schedule. Logs and Skip are those of the test.
type World struct {
	testing.TB
	ctx       context.Context //nolint:containedctx // of the schedule, as a test has one
	without   map[string]bool
	actors    []*actor
	names     map[string]int
	reads     []*reading
	finally   []func(context.Context)
	promise   promise
	scheduled bool // who comes to a stop waits for his turn

	mu       sync.Mutex
	stops    []*stop
	trace    []*step
	running  int
	failures []string
	cleanups []func()
}

// Reads adds an actor who reads once. read returns the version that it was given: the row that is read and written is
// version 1 when the schedule begins, and each writer is told the version that he writes. Actors of one name are
// numbered.
func (w *World) Reads(name string, read func(ctx context.Context) (version int, err error)) {
	r := &reading{who: w.named(name), read: read}
	w.reads = append(w.reads, r)
	w.add(r.who, func(ctx context.Context) { w.check(ctx, r, r.who) })
}

// Writes adds an actor who writes version once. When write has returned nil every read that begins has to return that
// version, or a newer one: write has to do all that makes it so, such as the COMMIT and the invalidation.
func (w *World) Writes(name string, write func(ctx context.Context, version int) error) {
	who := w.named(name)
	version := w.promise.newVersion()
	w.add(who, func(ctx context.Context) {
		w.promise.begins(version)
		if err := write(ctx, version); err != nil {
			w.failf("%s: fails: %v", who, err)
			return
		}
		w.promise.returns(version)
	})
}

// Go adds an actor who does anything: takes Redis away, lets time pass, reads another node. It promises nothing.
func (w *World) Go(name string, act func(ctx context.Context)) { w.add(w.named(name), act) }

// Finally adds a check for when all have ended and no read broke the promise. Nobody comes between.
func (w *World) Finally(check func(ctx context.Context)) { w.finally = append(w.finally, check) }

// named numbers actors of one name, and keeps the cache's apart.
func (w *World) named(name string) string {
	if w.names == nil {
		w.names = map[string]int{backstage: 1}
	}
	w.names[name]++
	if n := w.names[name]; n > 1 {
		name += " " + strconv.Itoa(n)
	}
	return name
}

func (w *World) add(name string, act func(context.Context)) {
	if !w.without[name] {
		w.actors = append(w.actors, &actor{w: w, name: name, order: len(w.actors), act: act})
	}
}

// Row is a row of a database that the test does not have: one version, read and written in one step each.
type Row struct {
	w       *World
	mu      sync.Mutex
	version int
}

// Row returns a row of version 1.
func (w *World) Row() *Row { return &Row{w: w, version: 1} }

// Read returns the version of the row. Others may come in before it, and after it at the caller's next step.
func (r *Row) Read(ctx context.Context) int {
	s := r.w.stop(ctx, does, "reads the row")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.w.note(s, versionName(r.version))
	return r.version
}

// Write commits a version of the row. Others may come in before it.
func (r *Row) Write(ctx context.Context, version int) {
	r.w.stop(ctx, does, "writes "+versionName(version))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version = version
}

func versionName(version int) string { return "v" + strconv.Itoa(version) }

// atRest reads everything once more with nobody in another's way, and checks what else has to hold.
func (w *World) atRest() {
	for _, r := range w.reads {
		if !w.alone(r.who, func() { w.check(w.ctx, r, r.who+", when all is done") }) || w.Failed() {
			return
		}
	}
	for _, check := range w.finally {
		if !w.alone("finally", func() { check(w.ctx) }) {
			return
		}
	}
}

// alone runs what is the test's, on a goroutine that it may end, and reports whether it came to its own end.
func (w *World) alone(who string, f func()) (ended bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				w.failf("%s: panics: %v", who, r)
			}
		}()
		f()
		ended = true
	}()
	<-done
	return ended
}

func (w *World) failf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}
