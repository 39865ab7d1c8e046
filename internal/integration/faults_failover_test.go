package integration_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
)

// failoverFaults are the rows about databases that are started anew or replaced under traffic.
var failoverFaults = append(
	onBoth(own, "%s is killed under traffic, and started again",
		"errors while it is away; nothing old before, meanwhile or after; traffic goes on when it is back", restarted),
	fault{
		name:   "PostgreSQL fails over to a synchronous replica under traffic",
		expect: "errors until the replica is promoted; nothing old before, meanwhile or after; traffic goes on then",
		run:    failsOver,
	}, fault{
		name:   "PostgreSQL fails over and loses a commit that the cache has seen",
		expect: "what was read of that commit stays until its TTL or the next write of its row; `Invalidate` of the tables, or of everything, ends it",
		run:    losesACommit,
	},
)

// runs starts two processes, of which one writes and both read.
func (s *stock) runs(connector func() driver.Connector) (f *traffic, last *service) {
	f = newTraffic(s.t)
	for i := range 2 {
		v := s.service(connector(), nil)
		f.reader(func(ctx context.Context) (int64, error) {
			r, err := v.get(ctx, v.load)
			return r.Value, err
		})
		if i == 0 {
			f.writer(v.write)
		}
		last = v
	}
	return f, last
}

// settles holds that at the end all processes have what the database has, and that it is cached.
func (s *stock) settles(v *service) {
	s.t.Helper()
	version, err := versionIn(s.t.Context(), v.db, stockRow)
	check(s.t, err)
	v.caches(version, "at rest")
}

func restarted(t *testing.T, d served) {
	s := d.stock(t)
	f, v := s.runs(func() driver.Connector { return d.at(d.addr) })
	f.goesOn()
	d.server.Kill()
	time.Sleep(300 * time.Millisecond)
	d.server.Start()
	f.goesOn()
	f.end()
	s.settles(v)
}

// whoeverWrites connects to that of the servers which takes writes, as libpq's target_session_attrs has it.
func whoeverWrites(t *testing.T, servers ...*kit.PostgresServer) driver.Connector {
	t.Helper()
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, s.Addr())
	}
	config, err := pgx.ParseConfig("postgres://postgres@" + strings.Join(hosts, ",") + "/postgres?sslmode=disable&target_session_attrs=read-write&connect_timeout=2")
	check(t, err)
	return stdlib.GetConnector(*config)
}

func failsOver(t *testing.T) {
	t.Parallel()
	s, primary, replica := replicated(t, "0")
	for _, text := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		_, err := s.admin.ExecContext(t.Context(), text)
		check(t, err)
	}
	within(t, 20*time.Second, "the replica is synchronous", func() bool {
		var n int
		err := s.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n)
		return err == nil && n == 1
	})
	f, v := s.runs(func() driver.Connector { return whoeverWrites(t, primary, replica) })
	f.goesOn()
	primary.Kill()
	replica.Promote()
	f.goesOn()
	f.end()
	s.settles(v)
}

func losesACommit(t *testing.T) {
	t.Parallel()
	s, primary, replica := replicated(t, "0")
	v := s.service(whoeverWrites(t, primary, replica), nil)
	v.caches(1, "before")
	replica.Kill()
	check(t, v.write(t.Context(), 2))
	v.caches(2, "before the failover")
	primary.Kill()
	replica.Start()
	replica.Promote()
	v.wants(2, "after the failover")
	check(t, v.cache.Invalidate(t.Context(), cacheme.Table("crash_rows")))
	within(t, 20*time.Second, "it is loaded, on a new connection", func() bool {
		r, err := v.get(t.Context(), v.load)
		return err == nil && r.Value == 1
	})
}
