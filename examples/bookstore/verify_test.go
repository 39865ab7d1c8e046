package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

func TestRun_verifies_hits_and_finds_none_wrong(t *testing.T) {
	t.Parallel()
	c := small()
	c.verify, c.traffic = 1, 3*time.Second
	if suite.Torture() {
		c.traffic = 10 * time.Minute
		if d, err := time.ParseDuration(os.Getenv("FOR")); err == nil {
			c.traffic = d
		}
	}
	var mu sync.Mutex
	untold := map[string]int{}
	c.told = func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventUnverified {
			mu.Lock()
			untold[e.Reason] += max(1, e.Count)
			mu.Unlock()
		}
	}
	r, out := runFor(t, c)
	if r.faulty() || r.during.verified == 0 || !strings.Contains(out, "wrong hits verified          0 of ") {
		t.Errorf("faulty %v, %+v, in\n%s", r.faulty(), r.during, out)
	}
	t.Logf("%d verified, %d wrong, %d not to be told %v, of %d reads in %v",
		r.during.verified, r.during.violations, r.during.unverified, untold, r.total().reads, r.took)
}

// The caches find by themselves what is broken: the run ends when one has told.
func TestRun_verifies_hits_and_finds_wrong_ones_when(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*config){
		"tokens_are_not_compared": func(c *config) {
			c.wrap = func(rdb redis.UniversalClient) redis.UniversalClient {
				return &guard.Client{UniversalClient: rdb, Rules: guard.Without(guard.EqualTokens)}
			}
		},
		"somebody_writes_behind_the_back_of_all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			c := small()
			c.verify, c.traffic = .2, time.Minute
			var mu sync.Mutex
			var first cacheme.Event
			c.told = func(_ context.Context, e cacheme.Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Kind == cacheme.EventViolation && first.Kind == "" {
					first = e
					stop()
				}
			}
			out := &cutter{word: "Traffic:", cut: func() {}}
			if breaks != nil {
				breaks(&c)
			} else {
				c.dsn = filepath.Join(t.TempDir(), "shop.db")
				out.cut = func() { writeBehind(ctx, t, c.dsn) }
			}
			r, err := run(ctx, c, newPage(out))
			if err != nil {
				t.Fatalf("run() = %v, after\n%s", err, &out.Buffer)
			}
			mu.Lock()
			defer mu.Unlock()
			if first.Node == "" || first.Reason == "" || r.during.violations == 0 || !r.faulty() {
				t.Errorf("told %+v; %d wrong hits, faulty %v, in\n%s", first, r.during.violations, r.faulty(), &out.Buffer)
			}
			t.Logf("found after %v: %s %s, %d verified before", r.took, first.Node, first.Reason, r.during.verified)
		})
	}
}

// writeBehind renames users until ctx ends, on a connection that nobody watches.
func writeBehind(ctx context.Context, t *testing.T, dsn string) {
	t.Helper()
	db := sql.OpenDB(connector(dsn + "?" + pragmas))
	done := make(chan struct{})
	t.Cleanup(func() {
		<-done
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			// It may fail while somebody else has the database for too long.
			_, _ = db.ExecContext(ctx, "UPDATE users SET name = 'behind ' || ? WHERE id = ?", n, 1+n%smallSize.users)
		}
	}()
}
