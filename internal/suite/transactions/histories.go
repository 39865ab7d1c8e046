package transactions

import (
	"context"
	"database/sql/driver"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// workersOnPostgres play at once; each has up to three connections.
const workersOnPostgres = 4

// seedOf is SEED of the environment, else a new one.
func seedOf() uint64 {
	if seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		return seed
	}
	return rand.Uint64()
}

// histories plays so many writes, a quarter of them where only one can write at a time.
func histories(t *testing.T, d writes.Database, n int, install ...bunhooks.Option) {
	workers := int64(workersOnPostgres)
	if d.Dialect != writes.Postgres {
		workers, n = 1, max(1, n/4)
	}
	var p *place
	broken := new(atomic.Bool)
	p = newPlace(t, d, setup{
		install: install,
		trips:   watchTrips(&p),
		calls: func(_ context.Context, _ tap.Call, do func() error) error {
			if broken.Load() {
				return driver.ErrBadConn
			}
			return do()
		},
	})
	p.broken, p.afterCommit = broken, len(install) > 0
	check(t, p.writer.Invalidate(t.Context(), cacheme.Table("items"))) // so that there is a token
	tables, err := p.tableTokens(t.Context())
	check(t, err)

	seed := seedOf()
	var budget atomic.Int64
	budget.Store(int64(n))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum counts
	for number := range workers {
		w := newWorker(p, number, seed, &budget)
		all.Go(func() {
			if err := w.run(ctx); err != nil {
				if ctx.Err() == nil {
					t.Errorf("worker %d: %v\nSEED=%d", number, err, seed)
				}
				cancel()
			}
			mu.Lock()
			defer mu.Unlock()
			sum.add(w.counts)
		})
	}
	all.Wait()
	after, err := p.tableTokens(t.Context())
	check(t, err)
	if after != tables {
		t.Errorf("the table became wrong as a whole: %v, want %v", after, tables)
	}
	t.Logf("%d writes, %d transactions committed, %d undone, %d in doubt: %d missing, %d extra; SEED=%d",
		sum.writes, sum.committed, sum.undone, sum.doubtful, sum.missing, sum.extra, seed)
}

func (c *counts) add(o counts) {
	c.writes += o.writes
	c.committed += o.committed
	c.undone += o.undone
	c.doubtful += o.doubtful
	c.missing += o.missing
	c.extra += o.extra
}

// tableTokens is the token of the items' table as a whole, which no write of a history changes.
func (p *place) tableTokens(ctx context.Context) (token, error) {
	key := p.prefix + "table:items:invalid"
	all, err := p.look(ctx, []string{key})
	return all[key], err
}
