package integration_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// growthHold is short: some writers die, and their holds are on the tokens for as long.
const growthHold = 50 * time.Millisecond

// TestGrowth does everything to a few pages again and again. Neither the number of keys nor the size of any grows with
// that; records of writes lie in a ring and are counted apart.
func TestGrowth(t *testing.T) {
	t.Parallel()
	operations := suite.Count(1_000_000)
	server := kit.Redis(t)
	f := newFleetOf(t, shown, 4, suite.Patient(cacheme.Options{Hold: growthHold}), func() redis.UniversalClient {
		return server.Client(suite.PatientClient)
	})
	rdb := kit.Admin(t, server.Addr())
	f.operate(operations / 5)
	before := f.fullest(rdb)
	f.operate(operations - operations/5)
	after := f.fullest(rdb)
	t.Logf("%d operations: %d keys and then %d, the largest %d bytes and then %d; %d records of writes of at most %d bytes",
		operations, before.keys, after.keys, before.largest, after.largest, after.records, after.largestRecord)
	// Leases come and go.
	if after.keys > before.keys+shown {
		t.Errorf("the number of keys grew from %d to %d", before.keys, after.keys)
	}
	if after.largest > before.largest+before.largest/4 {
		t.Errorf("the largest key grew from %d bytes to %d", before.largest, after.largest)
	}
	if after.records > 1<<16 || after.largestRecord > 4<<10 {
		t.Errorf("%d records of writes of up to %d bytes, want at most %d of 4 kB", after.records, after.largestRecord, 1<<16)
	}
}

// fullest measures while every process, and nobody else, holds every page: a token is larger by each hold that is on it.
func (f *fleet) fullest(rdb redis.UniversalClient) measured {
	ctx := f.t.Context()
	time.Sleep(2 * growthHold) // those of the dead lapse
	var all []cacheme.Invalid
	for id := range int64(shown) {
		all = append(all, pageChanged{ID: id})
	}
	for _, c := range f.caches {
		h, err := c.Hold(ctx, all...)
		check(f.t, err)
		defer func() { check(f.t, h.Rollback(ctx)) }()
	}
	return measure(f.t, rdb, f.prefix)
}

// operate does something so often, all processes together.
func (f *fleet) operate(times int) {
	for _, c := range f.caches {
		f.running.Go(func() {
			for range times / len(f.caches) {
				if err := f.anything(c, rand.Int64N(shown)); err != nil {
					f.t.Error(err)
					return
				}
			}
		})
	}
	f.running.Wait()
}

func (f *fleet) anything(c *cacheme.Cache, id int64) error {
	ctx := context.Background()
	load := func(_ context.Context, p page) (int64, error) { return f.versions[p.ID].Load(), nil }
	switch rand.IntN(60) {
	case 0:
		return f.write(c, id)
	case 1:
		return f.save(c, id)
	case 2:
		h, err := c.Hold(ctx, pageChanged{ID: id})
		if err != nil {
			return err
		}
		return h.Rollback(ctx)
	case 3:
		h, err := c.Hold(ctx, pageChanged{ID: id})
		if err != nil {
			return err
		}
		return h.Doubt(ctx)
	case 4:
		return c.Remove(ctx, page{ID: id})
	case 5:
		b, err := cacheme.Bind(c, load)
		if err != nil {
			return err
		}
		_, err = b.Refresh(ctx, page{ID: id})
		return err
	case 6:
		_, err := c.Hold(ctx, pageChanged{ID: id}) // its process dies
		return err
	case 7:
		return c.Invalidate(ctx, cacheme.Class[page]())
	case 8:
		_, err := cacheme.GetManyFrom(ctx, c, []page{{ID: id}, {ID: (id + 1) % shown}}, func(_ context.Context, all []page) (map[page]int64, error) {
			found := map[page]int64{}
			for _, p := range all {
				found[p] = f.versions[p.ID].Load()
			}
			return found, nil
		})
		return err
	default:
		f.read(c, id)
		return nil
	}
}

// measured is what a cache has in Redis.
type measured struct {
	keys, largest          int64
	records, largestRecord int64
}

func measure(t *testing.T, rdb redis.UniversalClient, prefix string) (m measured) {
	t.Helper()
	keys, err := suite.Keys(t.Context(), rdb, prefix+"*")
	check(t, err)
	for _, key := range keys {
		size, err := rdb.MemoryUsage(t.Context(), key).Result()
		if err != nil {
			continue // it has just ended
		}
		if strings.HasPrefix(key, prefix+"meta:write:") {
			m.records, m.largestRecord = m.records+1, max(m.largestRecord, size)
		} else {
			m.keys, m.largest = m.keys+1, max(m.largest, size)
		}
	}
	return m
}
