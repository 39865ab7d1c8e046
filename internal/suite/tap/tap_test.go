package tap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

type greeting struct {
	cacheme.Node[string]
	Name string `cacheme:"field"`
}

func (greeting) Meta() cacheme.Meta              { return cacheme.Meta{Key: "greeting:<name>"} }
func (greeting) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("manners")} }

func TestRedis_tells_a_writers_round_trips_apart(t *testing.T) {
	t.Parallel()
	var told []string
	lost := errors.New("lost")
	fail := false
	rdb := suite.Embedded(t).Client()
	rdb.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		if fail {
			return lost
		}
		if trip.Purpose != tap.Other {
			told = append(told, string(trip.Purpose)+trip.Outcome)
		}
		return send(trip.Cmds...)
	}})
	c := suite.NewCache(t, rdb, suite.Patient(cacheme.Options{}), greeting{})
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func() {
		t.Helper()
		_, err := cacheme.GetFrom(ctx, c, greeting{Name: "Ann"}, func(context.Context, greeting) (string, error) { return "hello", nil })
		check(err)
	}
	hold := func() *cacheme.Hold {
		t.Helper()
		h, err := c.Hold(ctx, cacheme.Tag("manners"))
		check(err)
		return h
	}
	check(c.Invalidate(ctx, cacheme.Tag("warm"))) // the scripts are loaded, so that nothing is sent twice
	told = nil
	read()
	check(hold().Commit(ctx))
	check(hold().Rollback(ctx))
	check(hold().Doubt(ctx))
	check(c.Invalidate(ctx, cacheme.Tag("manners")))
	read()
	want := []string{"hold", "releasecommit", "hold", "releaserollback", "hold", "releasedoubt", "invalidate"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	fail = true
	if err := c.Invalidate(ctx, cacheme.Tag("manners")); !errors.Is(err, lost) {
		t.Errorf("Invalidate() = %v, want what the tap returned", err)
	}
	fail = false
}

func TestConnector_sees_every_call(t *testing.T) {
	t.Parallel()
	var told []tap.Call
	refuse := false
	db := sql.OpenDB(&tap.Connector{
		Connector: writes.NewSQLiteFile(t),
		Around: func(_ context.Context, c tap.Call, do func() error) error {
			told = append(told, c)
			if refuse && c.Commits() {
				return driver.ErrBadConn
			}
			return do()
		},
	})
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	ctx := t.Context()
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(db.ExecContext(ctx, "CREATE TABLE t (a INTEGER)"))
	tx, err := db.BeginTx(ctx, nil)
	do(nil, err)
	s, err := tx.PrepareContext(ctx, "INSERT INTO t VALUES (?)")
	do(nil, err)
	defer s.Close()
	do(s.ExecContext(ctx, 1))
	do(nil, tx.Commit())
	var n int
	do(nil, db.QueryRowContext(ctx, "SELECT a FROM t WHERE a = ?", 1).Scan(&n))
	tx, err = db.BeginTx(ctx, nil)
	do(nil, err)
	do(nil, tx.Rollback())
	want := []tap.Call{
		{Kind: tap.Exec, Text: "CREATE TABLE t (a INTEGER)"},
		{Kind: tap.Begin},
		{Kind: tap.Prepare, Text: "INSERT INTO t VALUES (?)"},
		{Kind: tap.Exec, Text: "INSERT INTO t VALUES (?)"},
		{Kind: tap.Commit},
		{Kind: tap.Query, Text: "SELECT a FROM t WHERE a = ?"},
		{Kind: tap.Begin},
		{Kind: tap.Rollback},
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	refuse = true
	tx, err = db.BeginTx(ctx, nil)
	do(nil, err)
	do(tx.ExecContext(ctx, "INSERT INTO t VALUES (2)"))
	if err := tx.Commit(); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Commit() = %v, want what the tap returned", err)
	}
	refuse = false
	do(nil, db.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&n))
	if n != 1 {
		t.Errorf("%d rows after a COMMIT that was kept from the database, want 1", n)
	}
}

func TestCall_Commits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call tap.Call
		want bool
	}{
		{tap.Call{Kind: tap.Commit}, true},
		{tap.Call{Kind: tap.Exec, Text: "COMMIT"}, true},
		{tap.Call{Kind: tap.Exec, Text: "commit;"}, true},
		{tap.Call{Kind: tap.Query, Text: "COMMIT"}, false},
		{tap.Call{Kind: tap.Rollback}, false},
	} {
		if got := c.call.Commits(); got != c.want {
			t.Errorf("%v.Commits() = %v, want %v", c.call, got, c.want)
		}
	}
}

// A pipeline's error is that of one of its commands, and no other's.
func TestRedis_leaves_the_commands_of_a_pipeline_their_own_answers(t *testing.T) {
	t.Parallel()
	rdb := suite.Embedded(t).Client()
	rdb.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		return send(trip.Cmds...)
	}})
	if err := rdb.Set(t.Context(), "there", "a value", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	pipe := rdb.Pipeline()
	missing, there := pipe.Get(t.Context(), "missing"), pipe.Get(t.Context(), "there")
	if _, err := pipe.Exec(t.Context()); !errors.Is(err, redis.Nil) {
		t.Errorf("Exec() = %v, want %v", err, redis.Nil)
	}
	if !errors.Is(missing.Err(), redis.Nil) || there.Val() != "a value" || there.Err() != nil {
		t.Errorf("Get() = %v and %q, %v; want %v and a value", missing.Err(), there.Val(), there.Err(), redis.Nil)
	}
}
