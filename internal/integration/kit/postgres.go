package kit

import (
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"github.com/uptrace/bun/schema"
)

// PostgresServer is one PostgreSQL server of a test. A process that is killed while its server is paused leaves the
// server's stopped children behind.
type PostgresServer struct {
	Server
}

// NewPostgresServer starts a PostgreSQL server that is gone when the test ends; what it has committed outlives
// [Server.Kill]. Each arg is a piece of configuration as on its command line: NewPostgresServer(t, "-c",
// "max_prepared_transactions=5"). Without postgres installed the test is skipped, see [Require].
func NewPostgresServer(t testing.TB, args ...string) *PostgresServer {
	t.Helper()
	return &PostgresServer{own(t, installPostgres, requirePostgres(t), args)}
}

// Database is the database that the server began with.
func (s *PostgresServer) Database() *PostgresDatabase {
	return &PostgresDatabase{addr: s.Addr(), name: "postgres", user: postgresUser}
}

// Postgres returns a fresh database on the PostgreSQL server that the tests of this binary share, dropped when the test
// ends, whoever is still connected. The binary's TestMain uses [Main]. Without postgres installed the test is
// skipped, see [Require].
func Postgres(t testing.TB) *PostgresDatabase {
	t.Helper()
	d := sharedPostgres.get(t, requirePostgres(t))
	db := &PostgresDatabase{addr: d.addr(), name: sharedPostgres.name(), user: postgresUser}
	admin := &PostgresDatabase{addr: d.addr(), name: "postgres", user: postgresUser}
	if err := order(admin.Pgx(t), "CREATE DATABASE "+db.name); err != nil {
		t.Fatalf("create a PostgreSQL database: %v", err)
	}
	drop := admin.Pgx(t)
	t.Cleanup(func() {
		if err := order(drop, "DROP DATABASE "+db.name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop a PostgreSQL database: %v", err)
		}
	})
	return db
}

// PostgresDatabase is a database, the way to its server and the user.
type PostgresDatabase struct {
	addr, name, user string
}

// postgresUser may do everything; nobody needs a password.
const postgresUser = "postgres"

// Name is the database's, and like no other of this test binary: a role that a test creates may be named after it.
func (d *PostgresDatabase) Name() string { return d.name }

// Addr is the host and port through which it is reached.
func (d *PostgresDatabase) Addr() string { return d.addr }

// At is the same database through another address, such as a [Proxy]'s.
func (d *PostgresDatabase) At(addr string) *PostgresDatabase {
	return &PostgresDatabase{addr: addr, name: d.name, user: d.user}
}

// As is the same database for another role, which the test has created with LOGIN.
func (d *PostgresDatabase) As(user string) *PostgresDatabase {
	return &PostgresDatabase{addr: d.addr, name: d.name, user: user}
}

// DSN is understood by pgx and by pgdriver.
func (d *PostgresDatabase) DSN() string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", d.user, d.addr, d.name)
}

// Pgx connects by pgx's database/sql driver.
func (d *PostgresDatabase) Pgx(t testing.TB) driver.Connector {
	t.Helper()
	config, err := pgx.ParseConfig(d.DSN())
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v", err)
	}
	return stdlib.GetConnector(*config)
}

// Pgdriver connects by bun's own driver.
func (d *PostgresDatabase) Pgdriver() driver.Connector {
	return pgdriver.NewConnector(pgdriver.WithDSN(d.DSN()))
}

// Dialect is what bun.NewDB wants besides a pool.
func (d *PostgresDatabase) Dialect() schema.Dialect { return pgdialect.New() }

func requirePostgres(t testing.TB) []string {
	t.Helper()
	return []string{require(t, "postgres"), require(t, "initdb")}
}

// installPostgres makes a PostgreSQL server with its data, which is yet to be started.
func installPostgres(binaries []string, args ...string) (*daemon, error) {
	d, data, err := newPostgres(binaries[0], args)
	if err != nil {
		return d, err
	}
	return d, prepare(d.dir, d.as, binaries[1],
		"-D", data, "-U", postgresUser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
}

// newPostgres is a server whose data, in the folder of that name, is yet to be made.
func newPostgres(binary string, args []string) (d *daemon, data string, err error) {
	as, err := unprivileged()
	if err != nil {
		return nil, "", err
	}
	// Even in haste not by SIGKILL, which would leave the key to its shared memory behind in the kernel.
	d = &daemon{name: "postgres", as: as, quit: syscall.SIGINT, drop: syscall.SIGQUIT}
	if d.dir, err = folder(d.name, as); err != nil {
		return d, "", err
	}
	data = filepath.Join(d.dir, "data")
	d.command = func(d *daemon) []string {
		return append([]string{
			binary,
			"-D", data,
			"-p", strconv.Itoa(d.port),
			"-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=",
			// The machine does not lose its power during a test. A commit is still handed to the kernel, and so
			// outlives the server.
			"-c", "fsync=off",
			"-c", "full_page_writes=off",
			"-c", "shared_buffers=16MB",
			"-c", "max_connections=200",
			"-c", "timezone=UTC",
		}, args...)
	}
	d.ping = func(addr string) error {
		return order(pgdriver.NewConnector(
			pgdriver.WithAddr(addr), pgdriver.WithUser(postgresUser), pgdriver.WithDatabase("postgres"), pgdriver.WithInsecure(true),
		), "SELECT 1")
	}
	return d, data, nil
}
