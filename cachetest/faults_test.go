package cachetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

func TestRedisThatIsDownIsDoneWithoutAndTakesWhatWasKept(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c, l := newLibrary(t)
		get(t, c, Detail{ID: 1}, l.load)
		c.Down()
		if got := get(t, c, Detail{ID: 1}, l.load); got.Title != "Emma" {
			t.Errorf("Get without Redis = %v, want the book", got)
		}
		wantLoads(t, c.LoadsOf(Detail{ID: 1}), 2, "without Redis")
		var undelivered *cacheme.UndeliveredError
		if err := c.Invalidate(t.Context(), BookChanged{ID: 1}); !errors.As(err, &undelivered) {
			t.Errorf("Invalidate without Redis = %v, want an UndeliveredError", err)
		}
		c.Advance(time.Minute) // the kit's own round trips are spared
		c.Up()
		if s := c.Stats(); s.Away || s.Pending != 0 {
			t.Errorf("Stats() after Up = %+v, want Redis in use and nothing pending", s)
		}
		get(t, c, Detail{ID: 1}, l.load)
		get(t, c, Detail{ID: 1}, l.load)
		wantLoads(t, c.LoadsOf(Detail{ID: 1}), 3, "with Redis again, and what was written known")
	})
}

func TestFaultsOfOneProcessAreNotItsPeers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c, l := newLibrary(t)
		peer := c.Peer()
		get(t, c, Detail{ID: 1}, l.load)
		get(t, peer, Detail{ID: 1}, l.load)
		wantLoads(t, peer.LoadsOf(Detail{ID: 1}), 0, "what the other has cached")
		c.Down()
		get(t, peer, Detail{ID: 1}, l.load)
		wantLoads(t, peer.LoadsOf(Detail{ID: 1}), 0, "while the other has no Redis")
		c.Up()
	})
}

func TestSilentRedisCostsTheBudget(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c := cachetest.NewWith(t, cacheme.Options{Budget: 50 * time.Millisecond}, Detail{}, BookChanged{})
		c.Silent()
		began := time.Now()
		get(t, c, Detail{ID: 1}, loadDetail)
		if took := time.Since(began); took < 40*time.Millisecond || took > 60*time.Millisecond {
			t.Errorf("a Get took %v, want the budget of 50ms", took)
		}
		c.Up()
		get(t, c, Detail{ID: 1}, loadDetail)
		get(t, c, Detail{ID: 1}, loadDetail)
		wantLoads(t, c.LoadsOf(Detail{ID: 1}), 2, "when Redis answers again")
	})
}

func TestWhatASilentNetworkHoldsBackArrivesLate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c := cachetest.New(t)
		c.Silent()
		done := make(chan error)
		go func() { done <- c.Redis().Set(context.Background(), "k", "v", time.Hour).Err() }()
		synctest.Wait()
		c.Up()
		if err := <-done; err != nil {
			t.Errorf("Set = %v", err)
		}
		if v := c.Redis().Get(t.Context(), "k").Val(); v != "v" {
			t.Errorf("Get = %q, want what was set while nothing answered", v)
		}
	})
}

func TestSlowRedisTakesItsTime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c := cachetest.New(t, Detail{}, BookChanged{})
		get(t, c, Detail{ID: 1}, loadDetail)
		c.Slow(7 * time.Millisecond)
		began := time.Now()
		get(t, c, Detail{ID: 1}, loadDetail)
		if took := time.Since(began); took != 7*time.Millisecond {
			t.Errorf("a hit took %v, want one round trip of 7ms", took)
		}
		c.Up()
		began = time.Now()
		get(t, c, Detail{ID: 1}, loadDetail)
		if took := time.Since(began); took != 0 {
			t.Errorf("a hit took %v after Up, want no time", took)
		}
	})
}

func TestSlowReplyThatComesTooLateIsNone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		c := cachetest.New(t)
		c.Slow(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := c.Redis().Set(ctx, "k", "v", time.Hour).Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Set = %v, want %v", err, context.DeadlineExceeded)
		}
		c.Up()
		if v := c.Redis().Get(t.Context(), "k").Val(); v != "v" {
			t.Errorf("Get = %q, want what Redis was told before it was slow to answer", v)
		}
	})
}

func TestLostCommandIsNotExecutedAndALostReplyIs(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	ctx := context.Background()
	incr := func() error { return c.Redis().Incr(ctx, "n").Err() }
	is := func(want int, when string) {
		t.Helper()
		if n, _ := c.Redis().Get(ctx, "n").Int(); n != want {
			t.Errorf("%s: n = %d, want %d", when, n, want)
		}
	}
	c.LoseCommands(1)
	if err := incr(); err == nil {
		t.Error("a lost command succeeds")
	}
	is(0, "a lost command")
	c.LoseReplies(2)
	for range 2 {
		if err := incr(); err == nil {
			t.Error("a lost reply is one")
		}
	}
	is(2, "two lost replies")
	if err := incr(); err != nil {
		t.Errorf("Incr = %v, when nothing is to be lost any more", err)
	}
	is(3, "one that arrived")
	c.LoseReplies(1)
	pipe := c.Redis().Pipeline()
	first, second := pipe.Incr(ctx, "n"), pipe.Incr(ctx, "n")
	if _, err := pipe.Exec(ctx); err == nil || first.Err() == nil || second.Err() == nil {
		t.Errorf("a pipeline without a reply = %v, %v, %v, want errors", err, first.Err(), second.Err())
	}
	is(5, "a pipeline is one round trip")
}

func TestLossesFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (lost string, executed int) {
		c := cachetest.New(t)
		c.Lossy(0.5, seed)
		for range 64 {
			if c.Redis().Incr(context.Background(), "n").Err() != nil {
				lost += "x"
			} else {
				lost += "."
			}
		}
		c.Up()
		executed, _ = c.Redis().Get(context.Background(), "n").Int()
		return lost, executed
	}
	a, executed := run(1)
	if b, again := run(1); b != a || again != executed {
		t.Errorf("seed 1 loses %s, then %s", a, b)
	}
	if b, _ := run(2); b == a {
		t.Errorf("seeds 1 and 2 lose the same: %s", a)
	}
	arrived := 0
	for _, fate := range a {
		if fate == '.' {
			arrived++
		}
	}
	if arrived < 16 || arrived > 48 || executed <= arrived || executed == 64 {
		t.Errorf("of 64 commands %d had replies and %d were executed; want about half, and some without a reply", arrived, executed)
	}
}

func TestUpAfterCloseReturns(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	c.Down()
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Up()
}

// inBubble runs f in a bubble at a time whose Unix seconds have ten digits.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(20 * 365 * 24 * time.Hour)
		f(t)
	})
}
