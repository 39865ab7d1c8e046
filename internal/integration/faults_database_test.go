package integration_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/crash"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// databaseFaults are the rows about databases.
var databaseFaults = slices.Concat(
	onBoth(own, "%s is killed in a transaction, and started again",
		"the COMMIT fails; nothing of it is ever read; what it wrote is loaded and not stored for up to `Hold`, and cached again then", killedInTransaction),
	onBoth(own, "%s is killed when it has carried out a COMMIT and not answered",
		"the COMMIT fails, and was made: from its start on nobody reads what was there before, and it is cached again within `Hold`", killedAtCommit),
	[]fault{{
		name:      "a COMMIT arrives and its answer is lost",
		expect:    "the error is no `driver.ErrBadConn`, on which it would be made again; its rows stay held to the deadline, and are wrong",
		elsewhere: "TestCrash/of_the_answer_to_a_COMMIT_keeps_its_hold",
	}},
	onBoth(shared, "a COMMIT is lost on its way to %s",
		"an error; its rows stay held to the deadline, since it might still arrive, and what was there before is cached again then", commitIsLost),
	onBoth(shared, "a long REPEATABLE READ snapshot of %s, in which Get loads what was written since",
		"the transaction gets its snapshot's; it is neither stored nor given to those who wait for that load", longSnapshot),
	failoverFaults, replicaFaults,
)

// servers are a PostgreSQL and a MariaDB.
type servers struct{ postgres, mariaDB func(*testing.T) served }

var (
	own    = servers{ownPostgres, ownMariaDB} // to be killed
	shared = servers{sharedPostgres, sharedMariaDB}
)

// onBoth are two rows that say the same of both, by a name with a place for theirs.
func onBoth(on servers, name, expect string, run func(*testing.T, served)) []fault {
	return []fault{
		{name: fmt.Sprintf(name, "PostgreSQL"), expect: expect, run: func(t *testing.T) { run(t, on.postgres(t)) }},
		{name: fmt.Sprintf(name, "MariaDB"), expect: "the same", run: func(t *testing.T) { run(t, on.mariaDB(t)) }},
	}
}

// served is a database with the ways to it.
type served struct {
	server interface { // nil: it is shared, and not to be touched
		Kill()
		Start()
	}
	addr    string
	at      func(addr string) driver.Connector
	dialect func() schema.Dialect
}

// databaseHold is long enough for MariaDB's limit, which counts whole seconds, and for a busy machine.
const databaseHold = 2500 * time.Millisecond

func ownPostgres(t *testing.T) served {
	t.Parallel()
	s := kit.NewPostgresServer(t)
	return postgresAt(s, s.Database())
}

func sharedPostgres(t *testing.T) served {
	t.Parallel()
	return postgresAt(nil, kit.Postgres(t))
}

func postgresAt(s *kit.PostgresServer, db *kit.PostgresDatabase) served {
	d := served{addr: db.Addr(), at: func(addr string) driver.Connector { return db.At(addr).Pgdriver() }, dialect: db.Dialect}
	if s != nil {
		d.server = s
	}
	return d
}

func ownMariaDB(t *testing.T) served {
	t.Parallel()
	s := kit.NewMariaDBServer(t)
	return mariaDBAt(t, s, s.Database())
}

func sharedMariaDB(t *testing.T) served {
	t.Parallel()
	return mariaDBAt(t, nil, kit.MariaDB(t))
}

func mariaDBAt(t *testing.T, s *kit.MariaDBServer, db *kit.MariaDBDatabase) served {
	d := served{addr: db.Addr(), at: func(addr string) driver.Connector { return db.At(addr).Connector(t) }, dialect: db.Dialect}
	if s != nil {
		d.server = s
	}
	return d
}

func (d served) stock(t *testing.T) *stock {
	t.Helper()
	return newStock(t, d.at(d.addr), d.dialect, databaseHold)
}

func killedInTransaction(t *testing.T, d served) {
	s := d.stock(t)
	writer, reader := s.service(d.at(d.addr), nil), s.service(d.at(d.addr), nil)
	reader.caches(1, "before")
	tx, err := writer.db.BeginTx(t.Context(), nil)
	check(t, err)
	check(t, writeTo(t.Context(), tx, 2))
	d.server.Kill()
	if err := tx.Commit(); err == nil {
		t.Error("a COMMIT on a database that was killed: no error")
	}
	if r, err := reader.get(t.Context(), reader.load); err == nil && r.Value != 1 {
		t.Errorf("while the database is down Get() = %+v, want 1 or an error", r)
	}
	d.server.Start()
	began := time.Now()
	reader.caches(1, "after the database has started again")
	t.Logf("cached again %v after the start", time.Since(began))
	check(t, writer.write(t.Context(), 3))
	reader.wants(3, "after the next write")
}

// breaks is what is done to a line to a database when a COMMIT is about to be sent.
type breaks struct {
	armed   atomic.Bool
	reached chan struct{}
	do      func()
}

func (b *breaks) around(_ context.Context, c tap.Call, do func() error) error {
	if c.Commits() && b.armed.CompareAndSwap(true, false) {
		b.do()
		close(b.reached)
	}
	return do()
}

// doubtful starts a process behind a proxy, and has it write version 2 over a line that breaks at the COMMIT.
func doubtful(t *testing.T, d served, s *stock, broken func(*kit.Proxy)) (p *kit.Proxy, v *service, ended chan error) {
	t.Helper()
	p = kit.NewProxy(t, d.addr)
	b := &breaks{reached: make(chan struct{}), do: func() { broken(p) }}
	v = s.service(&tap.Connector{Connector: d.at(p.Addr()), Around: b.around}, nil)
	v.caches(1, "before")
	b.armed.Store(true)
	ended = make(chan error, 1)
	go func() { ended <- v.write(context.Background(), 2) }()
	select {
	case <-b.reached:
	case <-time.After(20 * time.Second):
		t.Fatal("it did not come to its COMMIT")
	}
	return p, v, ended
}

// hasFailed waits for the end of a write that nobody answered.
func hasFailed(t *testing.T, ended chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, driver.ErrBadConn) {
			t.Errorf("a COMMIT without an answer = %v, want an error on which nobody makes it again", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it did not end")
	}
}

func killedAtCommit(t *testing.T, d served) {
	s := d.stock(t)
	reader := s.service(d.at(d.addr), nil)
	p, _, ended := doubtful(t, d, s, func(p *kit.Proxy) { p.Delay(time.Hour) })
	within(t, 20*time.Second, "the COMMIT has arrived", func() bool {
		v, err := versionIn(t.Context(), s.admin, stockRow)
		return err == nil && v == 2
	})
	d.server.Kill()
	p.Cut()
	hasFailed(t, ended)
	if r, err := reader.get(t.Context(), reader.load); err == nil {
		t.Errorf("while the database is down Get() = %+v, want an error: what is there is held", r)
	}
	d.server.Start()
	reader.wants(2, "after the database has started again")
	began := time.Now()
	reader.caches(2, "after the database has started again")
	t.Logf("cached again %v after the start", time.Since(began))
}

func commitIsLost(t *testing.T, d served) {
	s := d.stock(t)
	reader := s.service(d.at(d.addr), nil)
	p, writer, ended := doubtful(t, d, s, (*kit.Proxy).BlackHole)
	reader.wants(1, "while the COMMIT is on its way")
	p.Cut()
	hasFailed(t, ended)
	failed := time.Now()
	check(t, p.Heal())
	if tier := reader.wants(1, "after its error"); tier == cacheme.TierRedis && time.Since(failed) < databaseHold/4 {
		t.Errorf("it came from %s: the COMMIT might still arrive", tier)
	}
	reader.caches(1, "after its hold")
	check(t, writer.write(t.Context(), 3))
	reader.wants(3, "after the next write")
}

func longSnapshot(t *testing.T, d served) {
	s := d.stock(t)
	writer, reader := s.service(d.at(d.addr), nil), s.service(d.at(d.addr), nil)
	tx, err := reader.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	check(t, err)
	defer func() { _ = tx.Rollback() }()
	if v, err := versionIn(t.Context(), tx, stockRow); err != nil || v != 1 {
		t.Fatalf("the snapshot has %d, %v", v, err)
	}
	check(t, writer.write(t.Context(), 2))

	// Somebody else of the process comes while the transaction loads.
	loading := make(chan struct{})
	got := make(chan cacheme.Result[int64], 1)
	go func() {
		<-loading
		r, err := reader.get(context.Background(), reader.load)
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	r, err := reader.get(t.Context(), func(ctx context.Context, r crash.RowVersion) (int64, error) {
		v, err := versionIn(ctx, tx, r.ID)
		close(loading)
		time.Sleep(100 * time.Millisecond) // for the other one to come and wait
		return v, err
	})
	if err != nil || r.Value != 1 {
		t.Errorf("in the snapshot Get() = %+v, %v, want its own 1", r, err)
	}
	if r := <-got; r.Value != 2 {
		t.Errorf("who waited for that load got %d, want 2", r.Value)
	}
	writer.wants(2, "while the snapshot is open")
	check(t, tx.Rollback())
	reader.wants(2, "after it")
	reader.caches(2, "after it")
}
