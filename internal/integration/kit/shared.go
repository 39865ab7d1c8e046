package kit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Main wraps the tests of a binary that uses [Postgres] or [MariaDB], whose servers are the binary's, not a test's:
//
//	func TestMain(m *testing.M) { os.Exit(kit.Main(m).Run()) }
func Main(m interface{ Run() int }) *Tests {
	return &Tests{m}
}

// Tests are those of a test binary.
type Tests struct {
	m interface{ Run() int }
}

// Run runs the tests and stops the servers that they shared. go-redis is silent meanwhile: servers are killed on purpose,
// and a line for each dial would bury what failed. Twice as many tests run at once as there are CPUs, unless -parallel says
// otherwise: they wait for servers, holds and leases for more than half of their time.
func (m *Tests) Run() int {
	redis.SetLogger(silent{})
	if err := atOnce(2 * runtime.GOMAXPROCS(0)); err != nil {
		fmt.Fprintf(os.Stderr, "set -parallel: %v\n", err)
		return 1
	}
	code := m.m.Run()
	if err := errors.Join(sharedPostgres.close(), sharedMariaDB.close()); err != nil {
		fmt.Fprintf(os.Stderr, "stop the shared servers: %v\n", err)
		return max(code, 1)
	}
	return code
}

// atOnce sets -parallel, if nobody has.
func atOnce(tests int) error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(tests))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// The servers that the tests of this binary share. A server takes a second to start, and only package state outlives
// a test.
var (
	sharedPostgres = &shared{install: installPostgres}
	sharedMariaDB  = &shared{install: installMariaDB}
)

// shared is one server that is started for its first user.
type shared struct {
	install func(binaries []string, args ...string) (*daemon, error)

	once sync.Once
	d    *daemon
	err  error

	mu   sync.Mutex
	made int // databases so far
}

func (s *shared) get(t testing.TB, binaries []string) *daemon {
	t.Helper()
	s.once.Do(func() {
		if s.d, s.err = s.install(binaries); s.err == nil {
			s.err = s.d.settle()
		}
	})
	if s.err != nil {
		text := ""
		if s.d != nil {
			text = s.d.log()
		}
		t.Fatalf("start the shared server: %v\n%s", s.err, text)
	}
	return s.d
}

// name is a database that no other test of the binary has.
func (s *shared) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return fmt.Sprintf("test%d", s.made)
}

func (s *shared) close() error {
	if s.d == nil {
		return nil
	}
	return errors.Join(s.d.discard(), os.RemoveAll(s.d.dir))
}

// own is a server for one test.
func own(t testing.TB, install func([]string, ...string) (*daemon, error), binaries []string, args []string) Server {
	t.Helper()
	d, err := install(binaries, args...)
	if d != nil {
		t.Cleanup(func() {
			if err := os.RemoveAll(d.dir); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		})
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return serve(t, d)
}

// Pool opens a pool over the connector that is closed when the test ends.
func Pool(t testing.TB, c driver.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() }) // the test may have closed it
	return db
}

// order has a database server do something through a connection of its own.
func order(c driver.Connector, text string) error {
	db := sql.OpenDB(c)
	defer func() { _ = db.Close() }() // nothing is left to lose
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := db.ExecContext(ctx, text)
	return err
}
