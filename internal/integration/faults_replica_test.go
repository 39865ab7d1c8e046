package integration_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/crash"
)

// replicaFaults are the rows about loads that read a replica.
var replicaFaults = []fault{
	{
		name:   "a load reads a replica that lags, by a pool of its own",
		expect: "its own caller gets what his loader read; it is told (event `replica`) with node, table and line; nothing of it is stored, so that nobody is given it later",
		run:    func(t *testing.T) { lags(t, byItsPool) },
	}, {
		name:   "a load reads a replica that lags, by bun's ConnResolver",
		expect: "the same",
		run:    func(t *testing.T) { lags(t, byResolver) },
	}, {
		name:   "a replica is promoted under the connections of a pool",
		expect: "what is read on them is stored again within a second",
		run:    promoted,
	}, {
		name:   "a primary of MariaDB is made a replica under the connections of a pool, and a primary again",
		expect: "within a second nothing that is read on them is stored, and told; and within a second it is again",
		run:    demoted,
	},
}

// told collects what is told of replicas.
type told struct {
	mu  sync.Mutex
	all []cacheme.Event
}

func (o *told) see(_ context.Context, e cacheme.Event) {
	if e.Kind == cacheme.EventReplica {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, e)
	}
}

func (o *told) events() []cacheme.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.all)
}

// replicated is a primary with a replica that applies what it gets so much later.
func replicated(t *testing.T, lag string) (s *stock, primary, replica *kit.PostgresServer) {
	t.Helper()
	primary = kit.NewPostgresServer(t)
	db := primary.Database()
	s = newStock(t, db.Pgdriver(), db.Dialect, 10*time.Second)
	replica = primary.Replica(t, "-c", "recovery_min_apply_delay="+lag)
	return s, primary, replica
}

// byItsPool is the database that a loader asks where the replica is another one.
func byItsPool(s *stock, v *service, _, replica *kit.PostgresServer) *bun.DB {
	return s.install(v.cache, replica.Database().Pgdriver())
}

// toReplica sends all that only reads to a replica, as bunexp's resolver does.
type toReplica struct{ pool *bun.DB }

func (r toReplica) ResolveConn(_ context.Context, q bun.Query) bun.IConn {
	if bun.IsReadOnlyQuery(q) {
		return r.pool
	}
	return nil
}

func (toReplica) Close() error { return nil }

// byResolver is the database itself, with a resolver.
func byResolver(s *stock, v *service, primary, replica *kit.PostgresServer) *bun.DB {
	r := toReplica{bun.NewDB(kit.Pool(s.t, replica.Database().Pgdriver()), s.bun())}
	return s.install(v.cache, primary.Database().Pgdriver(), bun.WithConnResolver(r))
}

func lags(t *testing.T, way func(s *stock, v *service, primary, replica *kit.PostgresServer) *bun.DB) {
	t.Parallel()
	s, primary, replica := replicated(t, "1500ms")
	o := &told{}
	writer := s.service(primary.Database().Pgdriver(), nil)
	reader := s.service(primary.Database().Pgdriver(), o.see)
	behind := way(s, reader, primary, replica)
	loads := 0
	load := func(ctx context.Context, r crash.RowVersion) (int64, error) {
		loads++
		return versionIn(ctx, behind, r.ID)
	}
	within(t, 20*time.Second, "the replica has the row", func() bool {
		v, err := versionIn(t.Context(), behind, stockRow)
		return err == nil && v == 1
	})
	writer.caches(1, "before the write")
	check(t, writer.write(t.Context(), 2))
	r, err := reader.get(t.Context(), load)
	if err != nil || loads != 1 {
		t.Fatalf("Get() = %+v, %v with %d loads, want a load", r, err, loads)
	}
	if r.Value != 1 {
		t.Fatalf("the replica does not lag: it has %d", r.Value)
	}
	if tier := writer.wants(2, "after somebody read the replica"); tier != cacheme.TierSource {
		t.Errorf("it came from %s, want a load: what the replica gave is not to be stored", tier)
	}
	if all := o.events(); len(all) != 1 || all[0].Table != "crash_rows" || all[0].Line == "" || all[0].Node == "" {
		t.Errorf("told %+v, want the node and the table once, with the line", all)
	}
}

func promoted(t *testing.T) {
	t.Parallel()
	s, primary, replica := replicated(t, "0")
	v := s.service(replica.Database().Pgdriver(), nil)
	for range 3 {
		if tier := v.wants(1, "on the replica"); tier != cacheme.TierSource {
			t.Errorf("it came from %s, want a load", tier)
		}
	}
	primary.Kill()
	replica.Promote()
	began := time.Now()
	v.caches(1, "on the replica, which is no more one")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it was stored %v after the promotion, want about a second", took)
	}
	check(t, v.write(t.Context(), 2))
	v.caches(2, "after a write on it")
}

func demoted(t *testing.T) {
	t.Parallel()
	server := kit.NewMariaDBServer(t)
	db := server.Database()
	s := newStock(t, db.Connector(t), db.Dialect, 10*time.Second)
	o := &told{}
	v := s.service(db.Connector(t), o.see)
	v.caches(1, "on the primary")
	set := func(to string) {
		_, err := s.admin.ExecContext(t.Context(), "SET GLOBAL read_only = "+to)
		check(t, err)
	}
	set("ON")
	time.Sleep(1200 * time.Millisecond)
	for range 3 {
		check(t, v.cache.Invalidate(t.Context(), crash.RowChanged{ID: stockRow}))
		v.wants(1, "on a replica")
		if tier := v.wants(1, "on a replica, again"); tier != cacheme.TierSource {
			t.Errorf("it came from %s, want a load", tier)
		}
	}
	if all := o.events(); len(all) != 1 || all[0].Table != "crash_rows" {
		t.Errorf("told %+v, want the table once", all)
	}
	set("OFF")
	v.caches(1, "on the primary again")
}
