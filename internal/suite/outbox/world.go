// Package outbox holds what bunhooks.WithOutbox promises: what a transaction makes wrong is told whoever dies, on each
// database; and what other programs write is told where triggers keep it.
package outbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Paper is what is written.
type Paper struct {
	bun.BaseModel `bun:"table:outbox_papers"`

	ID     int64  `bun:",pk"`
	Desk   int64  `bun:",notnull"`
	Text   string `bun:",notnull"`
	Folder int64  `bun:",nullzero"`
}

// Folder has papers, which go with it.
type Folder struct {
	bun.BaseModel `bun:"table:outbox_folders"`

	ID int64 `bun:",pk"`
}

// What becomes wrong: a paper, and what lies on a desk.
type (
	PaperChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	DeskChanged struct {
		cacheme.ModelInvalidNode
		Desk int64 `cacheme:"field"`
	}
)

// Meta is the declaration.
func (PaperChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Paper)(nil)} }

// Meta is the declaration.
func (DeskChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Paper)(nil)} }

// What is cached: a paper's text, and how many papers lie on a desk.
type (
	PaperText struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	DeskCount struct {
		cacheme.Node[int]
		Desk int64 `cacheme:"field"`
	}
)

// Meta is the declaration.
func (PaperText) Meta() cacheme.Meta { return cacheme.Meta{Key: "paper:<id>:text", TTL: time.Hour} }

// Meta is the declaration.
func (DeskCount) Meta() cacheme.Meta { return cacheme.Meta{Key: "desk:<desk>:count", TTL: time.Hour} }

// InvalidNodes names the paper.
func (p PaperText) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{PaperChanged{ID: p.ID}}
}

// InvalidNodes names the desk.
func (d DeskCount) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{DeskChanged{Desk: d.Desk}}
}

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{PaperChanged{}, DeskChanged{}, PaperText{}, DeskCount{}}
}

// world is a database and a Redis that several processes share, with papers 1 to 6 on the desks 1 and 2.
type world struct {
	t      testing.TB
	d      writes.Database
	prefix string
	admin  *bun.DB // nobody watches it: another program
	kept   atomic.Int64
}

func newWorld(t testing.TB, d writes.Database) *world {
	t.Helper()
	w := &world{t: t, d: d, prefix: suite.Prefix()}
	w.admin = w.pool(d.Connector())
	ctx := t.Context()
	for _, model := range []any{(*Folder)(nil), (*Paper)(nil)} {
		create := w.admin.NewCreateTable().Model(model)
		if model, ok := model.(*Paper); ok {
			create = create.Model(model).ForeignKey(`(folder) REFERENCES outbox_folders (id) ON DELETE CASCADE`)
		}
		if _, err := create.Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var papers []Paper
	for id := range int64(6) {
		papers = append(papers, Paper{ID: id + 1, Desk: id%2 + 1, Text: "old"})
	}
	if _, err := w.admin.NewInsert().Model(&papers).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := bunhooks.NewOutbox(bunhooks.OutboxOptions{}).Create(ctx, w.admin); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) pool(c driver.Connector) *bun.DB {
	db := bun.NewDB(sql.OpenDB(c), w.d.Bun())
	w.t.Cleanup(func() { _ = db.Close() })
	return db
}

// process is one with a cache, a hooked database and an outbox.
type process struct {
	w      *world
	away   atomic.Bool  // its Redis
	slow   atomic.Int64 // ... and how long that takes for each command
	cache  *cacheme.Cache
	db     *bun.DB
	outbox *bunhooks.Outbox
	loads  atomic.Int64
}

// byHand is an Outbox that does nothing by itself.
var byHand = bunhooks.OutboxOptions{Interval: -1, Grace: time.Millisecond}

// start starts a process.
func (w *world) start(o bunhooks.OutboxOptions, rules guard.Set, opts ...bunhooks.Option) *process {
	w.t.Helper()
	return w.startOf(declarations(), o, rules, opts...)
}

// startOf starts a process of a version with these declarations.
func (w *world) startOf(declared []cacheme.Declaration, o bunhooks.OutboxOptions, rules guard.Set, opts ...bunhooks.Option) *process {
	w.t.Helper()
	p := &process{w: w, outbox: bunhooks.NewOutbox(o)}
	client := w.d.Redis.Client(suite.PatientClient)
	client.AddHook(&tap.Redis{Around: p.trip})
	p.cache = w.newCache(client, declared)
	var err error
	p.db, err = bunhooks.Install(w.pool(bunhooks.WrapConnector(&guard.Connector{Connector: w.d.Connector(), Rules: rules})), p.cache,
		append(opts, bunhooks.WithOutbox(p.outbox), bunhooks.WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := p.outbox.Close(context.Background()); err != nil {
			w.t.Errorf("Close() of an outbox = %v", err)
		}
	})
	return p
}

// newCache is one with a hold time that outlasts the test: what is loaded in the first one is kept no longer than that.
func (w *world) newCache(client redis.UniversalClient, declared []cacheme.Declaration) *cacheme.Cache {
	w.t.Helper()
	return suite.NewCache(w.t, client, suite.Patient(cacheme.Options{Prefix: w.prefix, Hold: time.Minute}), declared...)
}

func (p *process) trip(_ context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
	if p.away.Load() {
		return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	time.Sleep(time.Duration(p.slow.Load() * int64(len(t.Cmds))))
	return send(t.Cmds...)
}

// seen is what a process serves: all papers, and both desks.
func (p *process) seen() string {
	p.w.t.Helper()
	return p.w.told(func(ctx context.Context, id int64) (string, error) {
		return cacheme.GetFrom(ctx, p.cache, PaperText{ID: id}, func(ctx context.Context, n PaperText) (string, error) {
			p.loads.Add(1)
			return textOf(ctx, p.w.admin, n.ID)
		})
	}, func(ctx context.Context, desk int64) (int, error) {
		return cacheme.GetFrom(ctx, p.cache, DeskCount{Desk: desk}, func(ctx context.Context, n DeskCount) (int, error) {
			p.loads.Add(1)
			return countOf(ctx, p.w.admin, n.Desk)
		})
	})
}

// isFresh fails unless a process serves what the database has.
func (p *process) isFresh(when string) {
	p.w.t.Helper()
	if got, want := p.seen(), p.w.truth(); got != want {
		p.w.t.Errorf("%s: seen %s, want %s", when, got, want)
	}
}

// loaded is how often a process loads to see everything.
func (p *process) loaded() int {
	p.w.t.Helper()
	before := p.loads.Load()
	p.seen()
	return int(p.loads.Load() - before)
}

// warm has everything cached.
func (p *process) warm() {
	p.w.t.Helper()
	p.w.settles(p.loaded)
}

// settles waits until all is cached: until nothing is loaded any more.
func (w *world) settles(loads func() int) {
	w.t.Helper()
	for range 20 {
		if loads() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond) // a hold that lapses, for one
	}
	w.t.Fatal("not all is cached by Gets")
}

// truth is what the database has, as seen has it.
func (w *world) truth() string {
	w.t.Helper()
	return w.told(
		func(ctx context.Context, id int64) (string, error) { return textOf(ctx, w.admin, id) },
		func(ctx context.Context, desk int64) (int, error) { return countOf(ctx, w.admin, desk) },
	)
}

// told is what somebody says of all papers and of both desks.
func (w *world) told(text func(ctx context.Context, id int64) (string, error), count func(ctx context.Context, desk int64) (int, error)) string {
	w.t.Helper()
	var b strings.Builder
	for id := range int64(6) {
		text, err := text(w.t.Context(), id+1)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d %s, ", id+1, text)
	}
	for desk := range int64(2) {
		n, err := count(w.t.Context(), desk+1)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&b, "desk %d has %d, ", desk+1, n)
	}
	return b.String()
}

func textOf(ctx context.Context, db bun.IDB, id int64) (text string, err error) {
	err = db.NewSelect().Model((*Paper)(nil)).Column("text").Where("id = ?", id).Scan(ctx, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "gone", nil
	}
	return text, err
}

func countOf(ctx context.Context, db bun.IDB, desk int64) (int, error) {
	n, err := db.NewSelect().Model((*Paper)(nil)).Where("desk = ?", desk).Count(ctx)
	return int(n), err
}

// rows are how many the outbox has.
func (w *world) rows() (n int) {
	w.t.Helper()
	if err := w.admin.QueryRowContext(w.t.Context(), "SELECT count(*) FROM cacheme_outbox").Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// keep puts a row into the outbox that is due by some time, under an id that is the oldest.
func (w *world) keep(due time.Duration, wrote, what string) {
	w.t.Helper()
	now := map[writes.Dialect]string{
		writes.SQLite:   "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + %d",
		writes.Postgres: "clock_timestamp() + interval '%d ms'",
		writes.MariaDB:  "UTC_TIMESTAMP(6) + INTERVAL %d000 MICROSECOND",
	}[w.d.Dialect]
	_, err := w.admin.ExecContext(w.t.Context(), "INSERT INTO cacheme_outbox (id, due_at, cache, wrote, what) VALUES (?, "+fmt.Sprintf(now, due.Milliseconds())+", ?, ?, ?)",
		fmt.Sprintf("%010d", w.kept.Add(1)), w.prefix, wrote, what)
	if err != nil {
		w.t.Fatal(err)
	}
}

// exec runs a text on some database.
func (w *world) exec(db bun.IDB, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if _, err := db.ExecContext(w.t.Context(), text); err != nil {
			w.t.Fatalf("%s: %v", text, err)
		}
	}
}

// relay has a process work off the outbox, and returns how many rows there were.
func (p *process) relay() int {
	p.w.t.Helper()
	time.Sleep(5 * time.Millisecond) // by the database's clock, more than the grace
	n, err := p.outbox.Relay(p.w.t.Context())
	if err != nil {
		p.w.t.Fatal(err)
	}
	return n
}
