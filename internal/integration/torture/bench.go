package torture

import (
	"context"
	"sync"
	"time"
)

// bench is where the judge sits: everybody tells it, in any order, and one goroutine has the judge look at it.
type bench struct {
	judge *judge
	clock clock
	in    chan func(context.Context) error
	done  sync.WaitGroup

	mu    sync.Mutex
	err   error // of the judge itself, the first
	first *violation
	tally Tally  // as it was a moment ago
	wrong string // what is broken now
	stop  func()
}

// sit starts it. stop is called at the first violation, and where nothing can be judged any more.
func sit(ctx context.Context, w witness, stop func()) (*bench, error) {
	b := &bench{clock: newClock(), in: make(chan func(context.Context) error, 1<<14), stop: stop}
	var err error
	if b.judge, err = newJudge(ctx, w, b.found); err != nil {
		return nil, err
	}
	b.done.Go(func() {
		last := time.Now()
		for f := range b.in {
			if err := f(ctx); err != nil {
				b.fail(err)
			}
			if time.Since(last) > windowTime/4 {
				last = time.Now()
				b.judge.register.advance(b.clock.now())
				b.publish()
			}
		}
		b.publish()
	})
	return b, nil
}

func (b *bench) found(v *violation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == nil {
		b.first = v
		b.stop()
	}
}

func (b *bench) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
		b.stop()
	}
}

// publish copies what is shown while the run goes on.
func (b *bench) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.judge.tally
	b.tally.Reads, b.tally.Writes, b.tally.violations = t.Reads, t.Writes, t.violations
	b.wrong = "all is well"
	for _, f := range b.judge.faults {
		if f.End == 0 {
			b.wrong = f.String()
		}
	}
}

// now is what is broken now.
func (b *bench) now() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wrong
}

func (b *bench) seen() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tally
}

// take has the judge look at a record.
func (b *bench) take(r Record) {
	b.in <- func(ctx context.Context) error { return b.judge.take(ctx, r) }
}

// killed tells of a process that is gone, when all that it had told was taken.
func (b *bench) killed(process int, at Time) {
	b.in <- func(ctx context.Context) error { return b.judge.killed(ctx, process, at) }
}

// begin tells of a fault, before anything breaks; the function that it returns, that nothing is broken any more.
func (b *bench) begin(f Fault) (end func()) {
	f.Begin = b.clock.now()
	shared := &f
	b.in <- func(context.Context) error {
		b.judge.faults = append(b.judge.faults, shared)
		return nil
	}
	return func() {
		at := b.clock.now()
		b.in <- func(context.Context) error {
			shared.End = at
			return nil
		}
	}
}

// rise ends it: nobody tells anything any more.
func (b *bench) rise() (*judge, *violation, error) {
	close(b.in)
	b.done.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.judge, b.first, b.err
}
