package integration_test

import (
	"database/sql/driver"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/crash"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// TestCrashProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestCrashProcess(t *testing.T) {
	order, ok := crash.OrderOf(t)
	if !ok {
		return
	}
	if err := crash.Obey(order, driversOf(order.Dialect), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

// driversOf are what a process of its own opens a database server with.
func driversOf(d writes.Dialect) crash.Drivers {
	if d == writes.MariaDB {
		return crash.Drivers{Connector: connectMariaDB, Bun: func() schema.Dialect { return mysqldialect.New() }}
	}
	return crash.Drivers{Connector: connectPostgres, Bun: func() schema.Dialect { return pgdialect.New() }}
}

func connectPostgres(dsn string) (driver.Connector, error) {
	return pgdriver.NewConnector(pgdriver.WithDSN(dsn)), nil
}

func connectMariaDB(dsn string) (driver.Connector, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.Logger = &mysql.NopLogger{}
	return mysql.NewConnector(config)
}

// crashPlaces are those whose writers are fenced. MariaDB's limit counts whole seconds.
func crashPlaces() []crashPlace {
	return []crashPlace{
		{"PostgreSQL", func(t testing.TB) crash.Place {
			t.Helper()
			db := kit.Postgres(t)
			return onCrash(t, writes.Postgres, db.DSN(), db.Addr(), connectPostgres, db.Dialect, time.Second)
		}},
		{"MariaDB", func(t testing.TB) crash.Place {
			t.Helper()
			db := kit.MariaDB(t)
			return onCrash(t, writes.MariaDB, db.DSN(), db.Addr(), connectMariaDB, db.Dialect, 2500*time.Millisecond)
		}},
	}
}

type crashPlace struct {
	name string
	open func(t testing.TB) crash.Place
}

func onCrash(t testing.TB, d writes.Dialect, dsn, addr string, connect func(string) (driver.Connector, error), bun func() schema.Dialect, hold time.Duration) crash.Place {
	t.Helper()
	connector, err := connect(dsn)
	if err != nil {
		t.Fatal(err)
	}
	rdb := kit.Redis(t)
	return crash.Place{
		Database: writes.Database{Dialect: d, Connector: func() driver.Connector { return connector }, Bun: bun, Redis: rdb},
		DSN:      dsn, DatabaseAddr: addr, Addr: rdb.Addr(), Test: "TestCrashProcess", Hold: hold,
		Drivers: crash.Drivers{Connector: connect, Bun: bun},
	}
}

// TestCrash runs all on each database beside each other: they wait for holds to be over. They are not beside the tests that
// are all parallel, in whose crowd a hold would be over too soon.
func TestCrash(t *testing.T) {
	for _, c := range crashPlaces() {
		for name, of := range map[string]func(*testing.T, func(testing.TB) crash.Place){
			"of a process that is killed":                                      crash.Run,
			"of a sleeper that wakes past its hold finds its transaction gone": crash.Sleep,
			"of a loader that sleeps past its lease is refused its fill":       crash.SleepLoading,
			"of the answer to a COMMIT keeps its hold":                         answerIsLost,
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				of(t, c.open)
			})
		}
	}
}

// answerIsLost has a proxy in front of the database that swallows the answer.
func answerIsLost(t *testing.T, open func(testing.TB) crash.Place) {
	crash.Answer(t, func(t testing.TB) (crash.Place, crash.Line) {
		t.Helper()
		p := open(t)
		proxy := kit.NewProxy(t, p.DatabaseAddr)
		connector, err := p.Drivers.Connector(strings.ReplaceAll(p.DSN, p.DatabaseAddr, proxy.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		return p, crash.Line{
			Connector: connector,
			Mute:      func() { proxy.Delay(time.Hour) },
			Cut:       proxy.Cut,
			Heal: func() {
				if err := proxy.Heal(); err != nil {
					t.Error(err)
				}
			},
		}
	})
}
