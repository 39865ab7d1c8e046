// Package cost holds what the cache costs in Redis: how many commands, how many bytes, and that nothing stays for ever.
// Commands are counted by a hook on the client, where a pipeline is one round trip.
package cost

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Run runs the suite on a Redis.
func Run(t *testing.T, open suite.Open) {
	t.Run("invalidation", func(t *testing.T) { invalidation(t, open) })
	t.Run("a hit", func(t *testing.T) { hits(t, open) })
	t.Run("a batch", func(t *testing.T) { batches(t, open) })
	t.Run("memory", func(t *testing.T) { memory(t, open) })
}

type itemRow struct {
	ID int64 `bun:"id,pk"`
}

// Item is a node that depends on Deps rows of one table, and so on Deps + 2 tokens: those, the table's, its class's.
type Item struct {
	cacheme.Node[string]
	ID   int64 `cacheme:"field"`
	Deps int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Item) Meta() cacheme.Meta { return cacheme.Meta{Key: "item:<id>:<deps>", TTL: 10 * time.Minute} }

// InvalidNodes names the rows 1 to Deps, whatever the item: they have many dependents.
func (i Item) InvalidNodes() []cacheme.Invalid {
	rows := make([]cacheme.Invalid, i.Deps)
	for n := range rows {
		rows[n] = ItemChanged{ID: int64(n) + 1}
	}
	return rows
}

// Listing is a node whose dependencies are those of its result.
type Listing struct {
	cacheme.Node[[]int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Listing) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "listing:<id>", TTL: 10 * time.Minute, Negative: time.Minute}
}

// ResultInvalidNodes names the rows that were found.
func (Listing) ResultInvalidNodes(ids []int64) []cacheme.Invalid {
	rows := make([]cacheme.Invalid, len(ids))
	for n, id := range ids {
		rows[n] = ItemChanged{ID: id}
	}
	return rows
}

// Part is a part of a main key, for what only those have.
type Part struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Part) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "whole:<id>", Field: "part", TTL: 10 * time.Minute, Stale: time.Minute}
}

// InvalidNodes names a tag.
func (Part) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("parts")} }

// ItemChanged is one row.
type ItemChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*itemRow)(nil)} }

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{Item{}, Listing{}, Part{}, ItemChanged{}}
}

// counted is a cache whose round trips are counted.
type counted struct {
	*cacheme.Cache
	*counter
	rdb    redis.UniversalClient
	prefix string
}

func newCounted(t testing.TB, server suite.Server, prefix string) counted {
	t.Helper()
	rdb := server.Client(func(o *redis.Options) {
		o.ReadTimeout, o.WriteTimeout = 30*time.Second, 30*time.Second // a batch of thousands takes its time
	})
	n := &counter{}
	rdb.AddHook(n)
	// The server has just begun, so that its entries are on probation for a hold time: longer than the test lasts.
	o := suite.Patient(cacheme.Options{Prefix: prefix, Hold: 10 * time.Minute})
	return counted{suite.NewCache(t, rdb, o, declarations()...), n, rdb, prefix}
}

// counter is a hook that notes every round trip: the name of a command, or those of a pipeline in brackets.
type counter struct {
	mu    sync.Mutex
	trips []string
	sent  int // commands, those in pipelines too
}

func (n *counter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (n *counter) note(trip string, commands int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trips = append(n.trips, trip)
	n.sent += commands
}

func (n *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		n.note(cmd.Name(), 1)
		return next(ctx, cmd)
	}
}

func (n *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		n.note(fmt.Sprintf("[%s ...]", cmds[0].Name()), len(cmds))
		return next(ctx, cmds)
	}
}

// during returns the round trips that f makes, and how many commands were in them.
func (n *counter) during(f func()) (trips []string, commands int) {
	n.mu.Lock()
	n.trips, n.sent = nil, 0
	n.mu.Unlock()
	f()
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.trips...), n.sent
}

func loadItem(_ context.Context, i Item) (string, error) { return fmt.Sprint("item ", i.ID), nil }

func loadItems(_ context.Context, items []Item) (map[Item]string, error) {
	found := map[Item]string{}
	for _, i := range items {
		found[i] = fmt.Sprint("item ", i.ID)
	}
	return found, nil
}

func must[V any](t testing.TB) func(v V, err error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
