package kit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// databases are the ways to have a database on a shared server, by the driver that connects.
var databases = map[string]func(testing.TB) database{
	"pgx": func(t testing.TB) database {
		d := kit.Postgres(t)
		return database{d.Name(), d.Addr(), d.Pgx(t), func(addr string) driver.Connector { return d.At(addr).Pgx(t) }, d.Dialect()}
	},
	"pgdriver": func(t testing.TB) database {
		d := kit.Postgres(t)
		return database{d.Name(), d.Addr(), d.Pgdriver(), func(addr string) driver.Connector { return d.At(addr).Pgdriver() }, d.Dialect()}
	},
	"mysql": func(t testing.TB) database {
		d := kit.MariaDB(t)
		return database{d.Name(), d.Addr(), d.Connector(t), func(addr string) driver.Connector { return d.At(addr).Connector(t) }, d.Dialect()}
	},
}

type database struct {
	name, addr string
	connector  driver.Connector
	at         func(addr string) driver.Connector
	dialect    schema.Dialect
}

func run(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func count(t *testing.T, db *sql.DB, text string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func TestDatabases_are_fresh_on_one_server_and_dropped(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := open(t), open(t)
			if one.name == two.name || one.addr != two.addr {
				t.Fatalf("two databases are %s at %s and %s at %s, want two names at one address", one.name, one.addr, two.name, two.addr)
			}
			a, b := kit.Pool(t, one.connector), kit.Pool(t, two.connector)
			run(t, a, "CREATE TABLE t (id INT)")
			run(t, b, "CREATE TABLE t (id INT)")
			run(t, a, "INSERT INTO t VALUES (1)")
			if n := count(t, b, "SELECT COUNT(*) FROM t"); n != 0 {
				t.Errorf("%d rows in the other database", n)
			}

			var gone string
			t.Run("in_a_test_that_ends", func(t *testing.T) {
				d := open(t)
				gone = d.name
				run(t, kit.Pool(t, d.connector), "CREATE TABLE t (id INT)")
			})
			if n := count(t, a, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '"+gone+"' OR catalog_name = '"+gone+"'"); n != 0 {
				t.Errorf("database %s is still there after its test", gone)
			}
			if err := kit.Pool(t, one.connector).PingContext(t.Context()); err != nil {
				t.Errorf("the server after another test's end: %v", err)
			}
		})
	}
}

func TestDatabases_speak_with_bun_and_through_a_proxy(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			p := kit.NewProxy(t, d.addr)
			db := bun.NewDB(kit.Pool(t, d.at(p.Addr())), d.dialect)
			type book struct {
				ID    int64 `bun:",pk,autoincrement"`
				Title string
			}
			_, err := db.NewCreateTable().Model((*book)(nil)).Exec(t.Context())
			must(t, err)
			b := book{Title: "Emma"}
			_, err = db.NewInsert().Model(&b).Exec(t.Context())
			must(t, err)
			n, err := db.NewSelect().Model((*book)(nil)).Where("id = ?", b.ID).Count(t.Context())
			must(t, err)
			if n != 1 {
				t.Errorf("%d books with the id of the one inserted", n)
			}
			p.Refuse()
			if err := db.PingContext(t.Context()); err == nil {
				t.Error("a ping through a proxy that refuses succeeded")
			}
		})
	}
}

func TestDatabases_know_other_users(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		d := kit.Postgres(t)
		run(t, kit.Pool(t, d.Pgx(t)), "CREATE ROLE "+d.Name()+" LOGIN")
		var user string
		must(t, kit.Pool(t, d.As(d.Name()).Pgdriver()).QueryRow("SELECT current_user").Scan(&user))
		if user != d.Name() {
			t.Errorf("connected as %q, want %q", user, d.Name())
		}
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		d := kit.MariaDB(t)
		db := kit.Pool(t, d.Connector(t))
		run(t, db, "CREATE USER "+d.Name()+"@'127.0.0.1'")
		run(t, db, "GRANT SELECT ON "+d.Name()+".* TO "+d.Name()+"@'127.0.0.1'")
		var user string
		must(t, kit.Pool(t, d.As(d.Name()).Connector(t)).QueryRow("SELECT CURRENT_USER()").Scan(&user))
		if want := d.Name() + "@127.0.0.1"; user != want {
			t.Errorf("connected as %q, want %q", user, want)
		}
	})
}

// servers are the ways to have a database server of one's own.
var servers = map[string]func(testing.TB) (*kit.Server, driver.Connector){
	"postgres": func(t testing.TB) (*kit.Server, driver.Connector) {
		s := kit.NewPostgresServer(t)
		return &s.Server, s.Database().Pgx(t)
	},
	"mariadb": func(t testing.TB) (*kit.Server, driver.Connector) {
		s := kit.NewMariaDBServer(t)
		return &s.Server, s.Database().Connector(t)
	},
}

func TestDatabase_servers_keep_what_was_committed(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, connector := start(t)
			db := kit.Pool(t, connector)
			run(t, db, "CREATE TABLE t (id INT)")
			addr := s.Addr()
			for i, end := range []func(*kit.Server){(*kit.Server).Kill, (*kit.Server).Stop} {
				run(t, db, "INSERT INTO t VALUES (1)")
				tx, err := db.BeginTx(t.Context(), nil)
				must(t, err)
				_, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES (2)")
				must(t, err)
				end(s)
				if err := tx.Commit(); err == nil || s.PID() != 0 {
					t.Errorf("COMMIT on a server that is down = %v, pid %d", err, s.PID())
				}
				s.Start()
				if s.Addr() != addr {
					t.Errorf("address after a restart = %s, want %s", s.Addr(), addr)
				}
				must(t, retried(t, db))
				if n := count(t, db, "SELECT COUNT(*) FROM t"); n != i+1 {
					t.Errorf("%d rows after restart %d, want the committed %d", n, i+1, i+1)
				}
			}
		})
	}
}

// retried empties the pool of connections to the server as it was before a restart.
func retried(t *testing.T, db *sql.DB) error {
	var err error
	for range 5 {
		if err = db.PingContext(t.Context()); err == nil {
			_, err = db.ExecContext(t.Context(), "SELECT 1")
		}
		if err == nil {
			return nil
		}
	}
	return err
}

func TestDatabase_servers_pause_and_continue(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, connector := start(t)
			db := kit.Pool(t, connector)
			idle, err := db.Conn(t.Context())
			must(t, err)
			defer idle.Close()
			must(t, idle.PingContext(t.Context()))

			s.Pause()
			answered := make(chan error)
			go func() {
				_, err := idle.ExecContext(t.Context(), "SELECT 1")
				answered <- err
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := kit.Pool(t, connector).PingContext(ctx); err == nil {
				t.Error("a paused server took a connection")
			}
			select {
			case err := <-answered:
				t.Fatalf("a connection to a paused server answered: %v", err)
			default:
			}
			s.Continue()
			must(t, <-answered)
			s.Pause()
			s.Stop() // in good order, although it was paused
			s.Start()
			must(t, kit.Pool(t, connector).PingContext(t.Context()))
		})
	}
}

func TestDatabase_servers_are_gone_after_the_test(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pid int
			var addr string
			t.Run("started", func(t *testing.T) {
				s, connector := start(t)
				pid, addr = s.PID(), s.Addr()
				must(t, kit.Pool(t, connector).PingContext(t.Context()))
				must(t, syscall.Kill(pid, 0))
				s.Pause() // a stopped process must go as well
			})
			if pid == 0 {
				t.SkipNow() // the server was not installed, and the subtest has said so
			}
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("pid %d after the test: %v, want %v", pid, err, syscall.ESRCH)
			}
			if err := listens(addr); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("a dial after the test = %v, want %v", err, syscall.ECONNREFUSED)
			}
		})
	}
}

func TestNewPostgresServer_takes_configuration(t *testing.T) {
	t.Parallel()
	s := kit.NewPostgresServer(t, "-c", "max_prepared_transactions=5")
	var got string
	must(t, kit.Pool(t, s.Database().Pgdriver()).QueryRow("SHOW max_prepared_transactions").Scan(&got))
	if got != "5" {
		t.Errorf("max_prepared_transactions = %q, want 5", got)
	}
}

func TestNewMariaDBServer_takes_configuration(t *testing.T) {
	t.Parallel()
	s := kit.NewMariaDBServer(t, "--max-connections=15")
	if got := count(t, kit.Pool(t, s.Database().Connector(t)), "SELECT @@max_connections"); got != 15 {
		t.Errorf("max_connections = %d, want 15", got)
	}
}

func TestNewPostgresServer_that_cannot_start_leaves_nothing_but_its_log(t *testing.T) {
	kit.Require(t, "postgres")
	tmp, err := os.MkdirTemp("", "kit-broken-") //nolint:usetesting // t.TempDir is closed to the server's user
	must(t, err)
	defer os.RemoveAll(tmp)
	must(t, os.Chmod(tmp, 0o777))
	t.Setenv("TMPDIR", tmp)
	t.Run("started", func(t *testing.T) {
		v := record(t, func(v *verdict) { kit.NewPostgresServer(v, "-c", "nonesuch=1") })
		if !v.failed || !strings.Contains(v.text, "nonesuch") {
			t.Errorf("failed = %v, with the text %q", v.failed, v.text)
		}
	})
	left, err := os.ReadDir(tmp)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
