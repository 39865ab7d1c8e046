package integration_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic is readers and one writer of one thing that has a version, while something is done to what they need. Only what
// was promised counts: a write without an error, before a read that began after it.
type traffic struct {
	t *testing.T

	promised  atomic.Int64 // the version of the last write that returned without an error
	attempted atomic.Int64
	reads     atomic.Int64
	failed    atomic.Int64 // reads and writes that ended in an error
	slowest   atomic.Int64 // read or write
	stop      chan struct{}
	running   sync.WaitGroup
}

// newTraffic is yet to start. What there is has version 1.
func newTraffic(t *testing.T) *traffic {
	f := &traffic{t: t, stop: make(chan struct{})}
	f.promised.Store(1)
	f.attempted.Store(1)
	return f
}

// reader reads until the end.
func (f *traffic) reader(get func(context.Context) (int64, error)) {
	f.each(func(ctx context.Context) error {
		floor := f.promised.Load()
		v, err := get(ctx)
		f.reads.Add(1)
		switch {
		case err != nil:
			return err
		case v < floor:
			f.t.Errorf("version %d was read when %d had been written", v, floor)
		case v > f.attempted.Load():
			f.t.Errorf("version %d was read, which nobody has written", v)
		}
		return nil
	})
}

// writer writes one version after the other until the end.
func (f *traffic) writer(write func(ctx context.Context, version int64) error) {
	f.each(func(ctx context.Context) error {
		v := f.attempted.Add(1)
		err := write(ctx, v)
		if err == nil {
			f.promised.Store(v)
		}
		return err
	})
}

func (f *traffic) each(do func(context.Context) error) {
	f.running.Go(func() {
		for !f.t.Failed() {
			select {
			case <-f.stop:
				return
			case <-time.After(2 * time.Millisecond): // the machine is others' too
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			began := time.Now()
			if do(ctx) != nil {
				f.failed.Add(1)
			}
			cancel()
			raise(&f.slowest, int64(time.Since(began)))
		}
	})
}

// goesOn waits for the next write that succeeds, and for reads after it.
func (f *traffic) goesOn() {
	f.t.Helper()
	was, reads := f.promised.Load(), f.reads.Load()
	within(f.t, 20*time.Second, "writes succeed", func() bool {
		return f.promised.Load() > was && f.reads.Load() > reads+20 || f.t.Failed()
	})
}

func (f *traffic) end() {
	f.t.Helper()
	close(f.stop)
	f.running.Wait()
	f.t.Logf("%d reads, %d versions, %d errors, the slowest call took %v", f.reads.Load(), f.attempted.Load(), f.failed.Load(), time.Duration(f.slowest.Load()))
}
