package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) bench() *cobra.Command {
	var rounds, bytes int
	c := &cobra.Command{
		Use: "bench", GroupID: groupRun, Args: cobra.NoArgs,
		Short: "Measure a hit, a miss and an invalidation beside plain GET and SET",
		Long: `Measure a hit, a miss and an invalidation beside plain GET and SET on this Redis, from this machine.

The five take turns, one call each, so that whatever disturbs the machine disturbs all of them; the medians are what one caller
who is alone waits for. It writes under a prefix of its own, which is no other cache's and is removed at the end. A load costs nothing here:
a miss is what the cache itself adds to one.`,
		Example: `  cacheme bench
  cacheme bench --rounds 20000 --bytes 10000
  cacheme bench --json | jq '.[] | {name, median_seconds}'`,
	}
	c.Flags().IntVar(&rounds, "rounds", 2000, "how often each is measured")
	c.Flags().IntVar(&bytes, "bytes", 1000, "size of the value")
	return p.does(c, func(ctx context.Context, _ []string) error {
		if rounds < 1 || rounds > 1_000_000 {
			return usagef("--rounds is %d; it may be 1 to 1000000", rounds)
		}
		if bytes < 0 || bytes > 500_000 {
			return usagef("--bytes is %d; it may be 0 to 500000", bytes)
		}
		measured, err := p.measure(ctx, rounds, make([]byte, bytes))
		if err != nil {
			return err
		}
		if p.json {
			return p.document(measured)
		}
		t := newTable(p.out, "", "MEDIAN", "P90", "× GET")
		for _, m := range measured {
			t.row(m.Name, micro(m.Median), micro(m.P90), fmt.Sprintf("%.2f", m.Ratio))
		}
		return t.flush()
	})
}

// measurement is how long calls of one kind took.
type measurement struct {
	Name   string  `json:"name"`
	Rounds int     `json:"rounds"`
	Median float64 `json:"median_seconds"`
	P90    float64 `json:"p90_seconds"`
	Ratio  float64 `json:"ratio"` // of its median to that of GET
}

func micro(seconds float64) string { return fmt.Sprintf("%.0f µs", 1e6*seconds) }

// Measured is what bench caches.
type Measured struct {
	cacheme.Node[[]byte]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Measured) Meta() cacheme.Meta { return cacheme.Meta{Key: "measured:<id>", TTL: time.Minute} }

// InvalidNodes are two, as many nodes have.
func (m Measured) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Tag(fmt.Sprintf("bench:%d", m.ID)), cacheme.Tag("bench")}
}

// measure runs each kind of call in turn.
func (p *program) measure(ctx context.Context, rounds int, value []byte) (all []measurement, err error) {
	rdb, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	prefix := "cacheme-bench:" + rand.Text() + ":"
	o := p.options()
	o.Prefix = prefix
	cache, err := cacheme.New(rdb, o)
	if err != nil {
		return nil, errors.Join(err, rdb.Close())
	}
	defer func() {
		err = errors.Join(err, cache.Close(context.WithoutCancel(ctx)), removeAll(ctx, rdb, prefix), rdb.Close())
	}()
	if err := cache.Register(Measured{}); err != nil {
		return nil, err
	}
	get := func(id int64) error {
		_, err := cacheme.GetFrom(ctx, cache, Measured{ID: id}, func(context.Context, Measured) ([]byte, error) { return value, nil })
		return err
	}
	raw := prefix + "raw"
	kinds := []struct {
		name string
		call func(round int) error
	}{
		{"GET", func(int) error { return rdb.Get(ctx, raw).Err() }},
		{"SET", func(int) error { return rdb.Set(ctx, raw, value, time.Minute).Err() }},
		{"Get, a hit", func(int) error { return get(0) }},
		{"Get, a miss", func(round int) error { return get(int64(round) + 1) }},
		{"Invalidate", func(round int) error { return cache.Invalidate(ctx, cacheme.Tag(fmt.Sprintf("bench:%d", round+1))) }},
	}
	took := make([][]time.Duration, len(kinds))
	// What the first round needs besides, connections and scripts, is not counted.
	if err := errors.Join(rdb.Set(ctx, raw, value, time.Minute).Err(), get(0), cache.Invalidate(ctx, cacheme.Tag("bench:0")), get(0)); err != nil {
		return nil, err
	}
	g := progress{p: p}
	defer g.clear()
	for round := range rounds {
		g.tellf("round %d of %d", round, rounds)
		for i := range kinds {
			at := (i + round) % len(kinds) // nobody always comes behind the same one
			begin := time.Now()
			if err := kinds[at].call(round); err != nil {
				return nil, fmt.Errorf("%s: %w", kinds[at].name, err)
			}
			took[at] = append(took[at], time.Since(begin))
		}
	}
	for i, k := range kinds {
		slices.Sort(took[i])
		all = append(all, measurement{
			Name: k.name, Rounds: rounds, Median: took[i][rounds/2].Seconds(), P90: took[i][rounds*9/10].Seconds(),
			Ratio: took[i][rounds/2].Seconds() / took[0][rounds/2].Seconds(),
		})
	}
	return all, nil
}

// removeAll removes every key of a prefix that is this command's own.
func removeAll(ctx context.Context, rdb redis.UniversalClient, prefix string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return eachMaster(ctx, rdb, func(server redis.UniversalClient) error {
		var cursor uint64
		for {
			some, next, err := server.Scan(ctx, cursor, prefix+"*", 1000).Result()
			if err == nil && len(some) > 0 {
				_, err = rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
					for _, key := range some { // one by one: on a cluster they are in different slots
						pipe.Unlink(ctx, key)
					}
					return nil
				})
			}
			if err != nil || next == 0 {
				return err
			}
			cursor = next
		}
	})
}
