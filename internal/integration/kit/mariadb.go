package kit

import (
	"database/sql/driver"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/schema"
)

// MariaDBServer is one MariaDB server of a test.
type MariaDBServer struct {
	Server
}

// NewMariaDBServer starts a MariaDB server that is gone when the test ends; what it has committed outlives
// [Server.Kill]. Each arg is a piece of configuration as on its command line: NewMariaDBServer(t,
// "--max-connections=5"). Without mariadbd installed the test is skipped, see [Require].
func NewMariaDBServer(t testing.TB, args ...string) *MariaDBServer {
	t.Helper()
	return &MariaDBServer{own(t, installMariaDB, requireMariaDB(t), args)}
}

// Database is an empty database that the server began with.
func (s *MariaDBServer) Database() *MariaDBDatabase {
	return &MariaDBDatabase{addr: s.Addr(), name: "test", user: mariaDBUser}
}

// MariaDB returns a fresh database on the MariaDB server that the tests of this binary share, dropped when the test
// ends. The binary's TestMain uses [Main]. Without mariadbd installed the test is skipped, see [Require].
func MariaDB(t testing.TB) *MariaDBDatabase {
	t.Helper()
	d := sharedMariaDB.get(t, requireMariaDB(t))
	db := &MariaDBDatabase{addr: d.addr(), name: sharedMariaDB.name(), user: mariaDBUser}
	admin := (&MariaDBDatabase{addr: d.addr(), user: mariaDBUser}).Connector(t)
	if err := order(admin, "CREATE DATABASE "+db.name); err != nil {
		t.Fatalf("create a MariaDB database: %v", err)
	}
	t.Cleanup(func() {
		// A transaction that the test has left open holds its tables' locks.
		if err := order(admin, "SET STATEMENT lock_wait_timeout=10 FOR DROP DATABASE "+db.name); err != nil {
			t.Errorf("drop a MariaDB database: %v", err)
		}
	})
	return db
}

// MariaDBDatabase is a database, the way to its server and the user.
type MariaDBDatabase struct {
	addr, name, user string
}

// mariaDBUser may do everything; nobody needs a password.
const mariaDBUser = "root"

// Name is the database's, and like no other of this test binary: a user that a test creates may be named after it.
func (d *MariaDBDatabase) Name() string { return d.name }

// Addr is the host and port through which it is reached.
func (d *MariaDBDatabase) Addr() string { return d.addr }

// At is the same database through another address, such as a [Proxy]'s.
func (d *MariaDBDatabase) At(addr string) *MariaDBDatabase {
	return &MariaDBDatabase{addr: addr, name: d.name, user: d.user}
}

// As is the same database for another user, which the test has created for the host 127.0.0.1.
func (d *MariaDBDatabase) As(user string) *MariaDBDatabase {
	return &MariaDBDatabase{addr: d.addr, name: d.name, user: user}
}

// DSN is understood by go-sql-driver; with says more of what it can be told.
func (d *MariaDBDatabase) DSN(with ...func(*mysql.Config)) string { return d.config(with).FormatDSN() }

// Connector connects by go-sql-driver, and parses times as bun wants them. Each function may change its settings. What
// the driver would log of connections that break is left out: breaking them is what the tests do.
func (d *MariaDBDatabase) Connector(t testing.TB, with ...func(*mysql.Config)) driver.Connector {
	t.Helper()
	c, err := mysql.NewConnector(d.config(with))
	if err != nil {
		t.Fatalf("connect to MariaDB: %v", err)
	}
	return c
}

func (d *MariaDBDatabase) config(with []func(*mysql.Config)) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = d.user, "tcp", d.addr, d.name
	c.ParseTime = true
	c.Logger = &mysql.NopLogger{}
	for _, f := range with {
		f(c)
	}
	return c
}

// Dialect is what bun.NewDB wants besides a pool. It asks the server for its version.
func (d *MariaDBDatabase) Dialect() schema.Dialect { return mysqldialect.New() }

func requireMariaDB(t testing.TB) []string {
	t.Helper()
	return []string{require(t, "mariadbd"), require(t, "mariadb-install-db")}
}

// installMariaDB makes a MariaDB server with its data, which is yet to be started.
func installMariaDB(binaries []string, args ...string) (*daemon, error) {
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	d := &daemon{name: "mariadbd", as: as, quit: syscall.SIGTERM, drop: syscall.SIGKILL}
	if d.dir, err = folder(d.name, as); err != nil {
		return d, err
	}
	data := filepath.Join(d.dir, "data")
	const log = "--innodb-log-file-size=16M"
	d.command = func(d *daemon) []string {
		return append([]string{
			binaries[0],
			"--no-defaults", // has to come first
			"--datadir=" + data,
			"--port=" + strconv.Itoa(d.port),
			"--bind-address=127.0.0.1",
			"--socket=" + filepath.Join(d.dir, "socket"),
			"--pid-file=" + filepath.Join(d.dir, "pid"),
			"--tmpdir=" + d.dir,
			"--skip-name-resolve",
			"--character-set-server=utf8mb4",
			// The machine does not lose its power during a test. A commit is still handed to the kernel, and so
			// outlives the server.
			"--innodb-flush-log-at-trx-commit=2",
			"--innodb-doublewrite=0",
			"--innodb-buffer-pool-size=32M",
			log,
			"--max-connections=200",
			"--default-time-zone=+00:00",
		}, args...)
	}
	d.ping = func(addr string) error {
		c, err := mysql.NewConnector((&MariaDBDatabase{addr: addr, user: mariaDBUser}).config(nil))
		if err != nil {
			return err
		}
		return order(c, "DO 1")
	}
	return d, prepare(d.dir, as, binaries[1],
		"--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-name-resolve", log)
}
