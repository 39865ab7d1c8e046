package scenarios

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func coldVisitors(t *testing.T, open suite.Open) {
	const visitors = 100 // of each process
	took := 50 * time.Millisecond
	if suite.Torture() {
		took = 500 * time.Millisecond
	}
	server := open(t)
	processes := []*process{start(t, server, cacheme.Options{}), start(t, server, cacheme.Options{})}
	var loads atomic.Int64
	load := func(context.Context, Title) (string, error) {
		loads.Add(1)
		<-time.After(took)
		return "Emma", nil
	}
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 2 * visitors {
		wg.Go(func() {
			<-gate
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			if r, err := resultIn(ctx, processes[i%2], Title{Book: 1}, load); err != nil || r.Value != "Emma" {
				t.Errorf("Get = %v, %v", r, err)
			}
		})
	}
	began := time.Now()
	close(gate)
	wg.Wait()
	want(t, "loads of both processes", loads.Load(), 1)
	// The scenario allows a fifth of a load of 500 ms; a busy machine needs more for 200 goroutines, but a waiter of the
	// ancestors' kind, who falls asleep, does not come back at all before soon.
	if d := time.Since(began); d > took+5*time.Second {
		t.Errorf("all visitors have their page after %v, want little more than %v", d, took)
	}
}

// loaderError runs with a pause between looks that nobody survives: who comes to an end has not slept.
func loaderError(t *testing.T, open suite.Open) {
	const waiters = 20
	server := open(t)
	o := cacheme.Options{HerdWait: time.Hour}
	p, other := start(t, server, o), start(t, server, o)
	broken := errors.New("database is down")
	var looked, loads atomic.Int64
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range waiters {
		wg.Go(func() {
			_, err := resultIn(context.Background(), p, Title{Book: 1}, func(context.Context, Title) (string, error) {
				loads.Add(1)
				<-release
				return "", broken
			}, cacheme.OnMiss(func(context.Context, string) { looked.Add(1) }))
			if err != broken { //nolint:errorlint // as it is, not wrapped
				t.Errorf("Get = %v, want the loader's error as it is", err)
			}
		})
	}
	await(t, "all waiters wait", func() bool { return looked.Load() == waiters })
	close(release)
	wg.Wait()
	// A waiter that had told its miss but not yet joined may have loaded once more by itself.
	if n := loads.Load(); n < 1 || n > waiters/2 {
		t.Errorf("%d loads for %d callers, want 1", n, waiters)
	}

	if _, err := peek(p, Title{Book: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek after the error = %v, want %v", err, cacheme.ErrNoEntry)
	}
	ok := func(context.Context, Title) (string, error) { return "Emma", nil }
	r := result(other, Title{Book: 1}, ok)
	want(t, "the next value", r.Value, "Emma")
	want(t, "its tier", r.Tier, cacheme.TierSource)
	want(t, "another process's value", result(p, Title{Book: 1}, ok).Tier, cacheme.TierRedis)
}

// staleServing has a writer beside the reader: the writer's own reads are never stale.
func staleServing(t *testing.T, open suite.Open) {
	server := open(t)
	writer := start(t, server, cacheme.Options{})
	plain := start(t, server, cacheme.Options{})
	lenient := start(t, server, cacheme.Options{Stale: time.Hour})

	next := atomic.Int64{}
	fresh := func() int64 { return next.Add(1) }
	for _, c := range []struct {
		what  string
		p     *process
		stale bool
		run   func(p *process, book int64, opts ...cacheme.CallOption) bool
		opts  []cacheme.CallOption
	}{
		{"nothing said", plain, false, standsIn(writer, asTitle), nil},
		{"the option alone", lenient, true, standsIn(writer, asTitle), nil},
		{"the node alone", plain, true, standsIn(writer, asStanding), nil},
		{"the node against the option", lenient, false, standsIn(writer, asNever), nil},
		{"the call alone", plain, true, standsIn(writer, asTitle), []cacheme.CallOption{cacheme.Stale(time.Hour)}},
		{"the call against the node", lenient, true, standsIn(writer, asNever), []cacheme.CallOption{cacheme.Stale(time.Hour)}},
		{"the call against node and option", lenient, false, standsIn(writer, asStanding), []cacheme.CallOption{cacheme.Stale(-1)}},
	} {
		t.Run(c.what, func(t *testing.T) {
			want(t, "an old value stands in", c.run(c.p, fresh(), c.opts...), c.stale)
		})
	}
	t.Run("the writer's own reads", func(t *testing.T) {
		want(t, "an old value stands in", standsIn(writer, asStanding)(writer, fresh()), false)
	})
}

func asTitle(book int64) Title       { return Title{Book: book} }
func asStanding(book int64) Standing { return Standing{Book: book} }
func asNever(book int64) Never       { return Never{Book: book} }

// standsIn returns a func that loads, invalidates, starts a second load that takes its time, and reports whether a
// caller gets the old value meanwhile. Where he does not, he waits and gets the new one.
func standsIn[N cacheme.NodeOf[string]](writer *process, node func(book int64) N) func(*process, int64, ...cacheme.CallOption) bool {
	return func(p *process, book int64, opts ...cacheme.CallOption) bool {
		p.t.Helper()
		get(p, node(book), func(context.Context, N) (string, error) { return "old", nil }, opts...)
		writer.invalidate(BookChanged{ID: book})
		entered, release := make(chan struct{}), make(chan struct{})
		load := func(context.Context, N) (string, error) {
			close(entered) // a second load would panic: the herd has one
			<-release
			return "new", nil
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if r, err := resultIn(context.Background(), p, node(book), load, opts...); err != nil || r.Value != "new" || r.Stale {
				p.t.Errorf("the loading Get = %+v, %v, want the new value", r, err)
			}
		})
		<-entered
		looked := make(chan struct{}, 1)
		out := make(chan cacheme.Result[string], 1)
		wg.Go(func() {
			r, err := resultIn(context.Background(), p, node(book), load, append(opts,
				cacheme.OnMiss(func(context.Context, string) { looked <- struct{}{} }))...)
			if err != nil {
				p.t.Errorf("the second Get = %v", err)
			}
			out <- r
		})
		var r cacheme.Result[string]
		select {
		case r = <-out:
			close(release)
		case <-looked: // he waits
			close(release)
			r = <-out
		}
		wg.Wait()
		if r.Stale != (r.Value == "old") {
			p.t.Errorf("the second Get = %+v: what is old has to say so", r)
		}
		want(p.t, "the value afterwards", get(p, node(book), load, opts...), "new")
		return r.Stale
	}
}

// waiting shows that falsy values are values for those who wait, as for everybody else.
func waiting(t *testing.T, open suite.Open) {
	server := open(t)
	a, b := start(t, server, cacheme.Options{}), start(t, server, cacheme.Options{})
	entered, release := make(chan struct{}), make(chan struct{})
	var loads atomic.Int64
	load := func(context.Context, Shelf) ([]Book, error) {
		if loads.Add(1) == 1 {
			close(entered)
		}
		<-release
		return nil, nil
	}
	var wg sync.WaitGroup
	visit := func(p *process, looked func()) {
		wg.Go(func() {
			r, err := resultIn(context.Background(), p, Shelf{User: 1}, load, cacheme.OnMiss(func(context.Context, string) { looked() }))
			if err != nil || r.Value != nil {
				t.Errorf("Get = %v, %v, want the empty shelf", r, err)
			}
		})
	}
	visit(a, func() {})
	<-entered
	var looked sync.WaitGroup
	for _, p := range []*process{a, b, b} {
		looked.Add(1)
		visit(p, looked.Done)
	}
	looked.Wait()
	close(release)
	wg.Wait()
	want(t, "loads of an empty shelf", loads.Load(), 1)
	want(t, "tier of the empty shelf", result(b, Shelf{User: 1}, load).Tier, cacheme.TierRedis)
}

func expiredStandsIn(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	get(p, Kept{Book: 1}, func(context.Context, Kept) (string, error) { return "old", nil }, cacheme.Stale(time.Minute))
	var expired time.Time
	await(t, "the entry expires", func() bool {
		if _, err := peek(p, Kept{Book: 1}); expired.IsZero() && errors.Is(err, cacheme.ErrNoEntry) {
			expired = time.Now()
		}
		// Well past its end: the cache's estimate of Redis's time moves by a round trip to and fro.
		return !expired.IsZero() && time.Since(expired) > 100*time.Millisecond
	})
	entered, release := make(chan struct{}), make(chan struct{})
	done := make(chan string)
	load := func(context.Context, Kept) (string, error) {
		close(entered)
		<-release
		return "new", nil
	}
	go func() { done <- get(p, Kept{Book: 1}, load, cacheme.Stale(time.Minute)) }()
	<-entered
	r := result(p, Kept{Book: 1}, load, cacheme.Stale(time.Minute))
	want(t, "while one reloads, others get", fmt.Sprint(r.Value, " ", r.Stale), "old true")
	close(release)
	want(t, "the reader that reloads gets", <-done, "new")
}
