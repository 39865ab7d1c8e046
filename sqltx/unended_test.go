package sqltx_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/cacheme/cacheme/sqltx"
)

func TestCOMMIT_that_is_not_sent_loses_the_connection(t *testing.T) {
	t.Parallel()
	for what, want := range map[error]int{
		context.Canceled: 0,
		errors.New("Error 1213 (40001): Deadlock found when trying to get lock"): 1,
		errors.New("commit unexpectedly resulted in rollback"):                   1,
		errors.Join(errors.New("ended"), coded{}):                                1,
		errors.New("Error, of a driver that speaks otherwise"):                   0,
	} {
		f := newFake().failOnce("COMMIT", what)
		db := handled(t, f, onward{}, sqltx.Postgres)
		s := newClient(t, db)
		s.do("BEGIN", a, "!COMMIT")
		if _ = s.conn.Close(); f.openConns() != want {
			t.Errorf("after a COMMIT that failed by %v %d connections are open, want %d", what, f.openConns(), want)
		}
	}
}

// coded is an error of a server.
type coded struct{}

func (coded) Error() string    { return "coded" }
func (coded) SQLState() string { return "40001" }

func TestConn_tells_whether_the_program_has_set_whom_it_runs_as(t *testing.T) {
	t.Parallel()
	wantTold(t, sqltx.Postgres, "Disguised", (*sqltx.Conn).Disguised, map[string]bool{
		"SET ROLE reader": true, "SET LOCAL ROLE reader": true, "SET SESSION AUTHORIZATION reader": true, "SELECT 1; set role reader": true,
		"RESET ROLE": true, "SET search_path = x": false, "SELECT role FROM memberships": false, a: false, "UPDATE memberships SET role = 'x'": false,
	})
}

func TestConn_tells_whether_the_program_has_chosen_another_database(t *testing.T) {
	t.Parallel()
	wantTold(t, sqltx.MySQL, "Moved", (*sqltx.Conn).Moved, map[string]bool{
		"USE other": true, "use `other`": true, "SELECT 1; USE other": true,
		"SET NAMES utf8mb4": false, "SELECT * FROM books USE INDEX (x)": false, a: false, "UPDATE books SET use = 1": false,
	})
}

// wantTold runs texts, each on a connection of its own, and asks what it tells then.
func wantTold(t *testing.T, d sqltx.Dialect, name string, tells func(*sqltx.Conn) bool, texts map[string]bool) {
	t.Helper()
	for text, want := range texts {
		var got bool
		h := does{exec: func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
			got = tells(c)
			return s.Exec(ctx)
		}}
		newClient(t, handled(t, newFake(), h, d)).do(text, a)
		if got != want {
			t.Errorf("after %s %s() = %v, want %v", text, name, got, want)
		}
	}
}
