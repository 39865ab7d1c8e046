package store_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/store"
	"github.com/cacheme/cacheme/internal/store/storetest"
	"github.com/cacheme/cacheme/internal/suite"
)

// moved is a server whose clock stands until a test moves it.
type moved struct{ embedded.Universal }

func (m moved) Pass(d time.Duration) { m.Advance(d) }

func start(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func openMoved(t testing.TB) storetest.Server {
	t.Helper()
	return moved{embedded.Universal{Server: start(t, embedded.Options{Clock: embedded.Manual})}}
}

func TestStore(t *testing.T) {
	t.Parallel()
	t.Run("on_a_clock_that_stands", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, openMoved)
	})
	t.Run("on_a_clock_that_runs", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t testing.TB) storetest.Server { return embedded.Universal{Server: start(t, embedded.Options{})} })
	})
	t.Run("without_INFO", func(t *testing.T) {
		t.Parallel()
		storetest.Blind(t, func(t testing.TB) storetest.Server {
			return moved{embedded.Universal{Server: start(t, embedded.Options{Clock: embedded.Manual, WithoutInfo: true})}}
		})
	})
}

func TestTheSuiteNoticesWhenARuleIsGone(t *testing.T) {
	t.Parallel()
	storetest.Broken(t, openMoved)
}

// Not parallel: it counts goroutines.
func TestCloseLeavesNoGoroutine(t *testing.T) {
	here := goleak.IgnoreCurrent()
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(server.Client(), store.Options{Prefix: suite.Prefix(), Hold: time.Second})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, done := s.Woken(ctx, time.Second, "entry", "") // subscribes
	done()
	if _, err := s.Invalidate(ctx, 10*time.Second, store.Mark{}, []string{"token"}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	for !s.Away() { // a probe runs
		_, _ = s.Read(ctx, 10*time.Second, []string{"token"})
		if ctx.Err() != nil {
			t.Fatal("the breaker stays closed without a server")
		}
	}
	if err := s.Close(ctx); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	if err := s.Close(ctx); err != nil {
		t.Errorf("second Close() = %v", err)
	}
	if _, err := s.Read(ctx, time.Second, []string{"token"}); err == nil {
		t.Errorf("Read after Close succeeded")
	}
	_, done = s.Woken(ctx, time.Second, "entry", "") // must not subscribe any more
	done()
	goleak.VerifyNone(t, here)
}
