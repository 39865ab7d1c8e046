package bunhooks_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var background = context.Background()

// setup is what a test may want otherwise.
type setup struct {
	tables    string // instead of tables
	options   []bunhooks.Option
	cache     cacheme.Options
	unwrapped bool
	database  func(ctx context.Context, c tap.Call, do func() error) error
	redis     func(ctx context.Context, t tap.Trip, send func(...redis.Cmder) error) error
}

// world is a database with a cache before it.
type world struct {
	t     *testing.T
	db    *bun.DB
	plain *sql.DB // the same database without anything around it
	cache *cacheme.Cache
	redis redis.UniversalClient
	log   *lines
	loads atomic.Int64
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := newBareWorld(t, s)
	w.open(s)
	return w
}

// open installs the hook in a pool of the world's database.
func (w *world) open(s setup) {
	w.t.Helper()
	db, err := bunhooks.Install(bun.NewDB(sql.OpenDB(w.connector(s)), sqlitedialect.New()), w.cache, append(s.options, w.log.option())...)
	w.must(err)
	w.db = db
	w.t.Cleanup(func() { _ = db.Close() })
}

// newBareWorld has no db yet.
func newBareWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, log: &lines{}}
	if s.tables == "" {
		s.tables = tables
	}
	w.plain = sql.OpenDB(newFile(t))
	t.Cleanup(func() { _ = w.plain.Close() })
	if _, err := w.plain.ExecContext(background, s.tables); err != nil {
		t.Fatal(err)
	}
	client := suite.Embedded(t).Client()
	if s.redis != nil {
		client.AddHook(&tap.Redis{Around: s.redis})
	}
	w.redis = client
	w.cache = suite.NewCache(t, client, suite.Patient(s.cache), declared()...)
	return w
}

// connector is that of the world's database, as s has it.
func (w *world) connector(s setup) driver.Connector {
	var file string
	if err := w.plain.QueryRowContext(background, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		w.t.Fatal(err)
	}
	var c driver.Connector = connector(file + pragmas)
	if s.database != nil {
		c = &tap.Connector{Connector: c, Around: s.database}
	}
	if !s.unwrapped {
		c = bunhooks.WrapConnector(c)
	}
	return c
}

// connector opens connections to a SQLite database by its name.
type connector string

const pragmas = "?_pragma=journal_mode(wal)&_pragma=busy_timeout(20000)&_pragma=foreign_keys(1)&_pragma=synchronous(0)"

func newFile(t *testing.T) connector {
	t.Helper()
	if !sqliteshim.HasDriver() {
		suite.Missing(t, "a SQLite driver for this platform")
	}
	return connector(filepath.Join(t.TempDir(), "test.db") + pragmas)
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(string(c)) }
func (connector) Driver() driver.Driver                          { return sqliteshim.Driver() }

// lines collect a log.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// count is how many lines have the text in them.
func (l *lines) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (l *lines) option() bunhooks.Option {
	return bunhooks.WithLogger(slog.New(slog.NewTextHandler(l, nil)))
}

// entry is a cached text and the query behind it.
type entry struct {
	name  string
	query string
	get   func(ctx context.Context, load func(context.Context) (string, error)) (string, error)
}

func newEntry[N cacheme.NodeOf[string]](w *world, n N, format string, args ...any) entry {
	return entry{
		name:  strings.TrimPrefix(fmt.Sprintf("%T%+v", n, n), "bunhooks_test."),
		query: fmt.Sprintf(format, args...),
		get: func(ctx context.Context, load func(context.Context) (string, error)) (string, error) {
			return cacheme.GetFrom(ctx, w.cache, n, func(ctx context.Context, _ N) (string, error) { return load(ctx) })
		},
	}
}

func (w *world) book(id int64) entry {
	return newEntry(w, BookText{ID: id}, "SELECT title, author_id FROM books WHERE id = %d", id)
}

func (w *world) list(author int64) entry {
	return newEntry(w, ListText{Author: author}, "SELECT id, title FROM books WHERE author_id = %d ORDER BY id", author)
}

func (w *world) line(book, number int64) entry {
	return newEntry(w, LineText{Book: book, Number: number}, "SELECT text FROM lines WHERE book_id = %d AND number = %d", book, number)
}

func (w *world) authors() entry {
	return newEntry(w, AuthorsText{}, "SELECT * FROM authors ORDER BY id")
}

func (w *world) all() []entry {
	return []entry{w.book(1), w.book(2), w.book(3), w.book(9), w.list(1), w.list(2), w.list(5), w.line(1, 1), w.line(1, 2), w.line(2, 1)}
}

// querier is *sql.DB, *sql.Tx, *sql.Conn.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// read is the text of a query's rows.
func read(ctx context.Context, q querier, query string) (text string, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for rows.Next() {
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		for _, v := range values {
			fmt.Fprintf(&b, "%s,", v.String)
		}
		b.WriteByte(';')
	}
	return b.String(), rows.Err()
}

// get asks for an entry with a loader on the hooked database, and says whether it was loaded.
func (w *world) get(ctx context.Context, e entry) (text string, loaded bool) {
	w.t.Helper()
	text, err := e.get(ctx, func(ctx context.Context) (string, error) {
		loaded = true
		w.loads.Add(1)
		return read(ctx, w.db.DB, e.query)
	})
	if err != nil {
		w.t.Errorf("Get(%s): %v", e.name, err)
	}
	return text, loaded
}

// fresh checks that entries are what the database has, and returns those that were loaded.
func (w *world) fresh(what string, entries ...entry) (loaded map[string]bool) {
	w.t.Helper()
	loaded = map[string]bool{}
	for _, e := range entries {
		got, was := w.get(background, e)
		want, err := read(background, w.plain, e.query)
		if err != nil {
			w.t.Fatal(err)
		}
		if got != want {
			w.t.Errorf("%s: Get(%s) = %q, the database has %q", what, e.name, got, want)
		}
		if was {
			loaded[e.name] = true
		}
	}
	return loaded
}

// warm makes entries cached.
func (w *world) warm(entries ...entry) {
	w.t.Helper()
	w.fresh("warming up", entries...)
	if loaded := w.fresh("warming up", entries...); len(loaded) > 0 {
		w.t.Errorf("entries that are not cached by a Get: %v", loaded)
	}
}

// makesWrong checks that a write makes exactly these entries wrong, of all that are watched.
func (w *world) makesWrong(what string, write func() error, among []entry, want ...entry) {
	w.t.Helper()
	w.warm(among...)
	if err := write(); err != nil {
		w.t.Errorf("%s: %v", what, err)
	}
	loaded := w.fresh(what, among...)
	for _, e := range want {
		if !loaded[e.name] {
			w.t.Errorf("%s: %s stayed", what, e.name)
		}
		delete(loaded, e.name)
	}
	for name := range loaded {
		w.t.Errorf("%s: %s became wrong", what, name)
	}
}

// exec is a write by plain text.
func (w *world) exec(text string, args ...any) func() error {
	return func() error {
		_, err := w.db.DB.ExecContext(background, text, args...)
		return err
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
