package writes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
)

// neverInTheWay runs one program, every write of the table and some more, with the hook and without: rows, counts, ids,
// errors and what is in the database afterwards are the same, whatever goes wrong beside it.
func neverInTheWay(t *testing.T, open Open) {
	away := func(o *outage) { o.down.Store(true) }
	variants := []struct {
		name   string
		setup  setup
		breaks func(*outage)
	}{
		{"installed", setup{}, nil},
		{"with AfterCommit", setup{install: []bunhooks.Option{bunhooks.AfterCommit()}}, nil},
		{"no row is named", setup{install: []bunhooks.Option{bunhooks.WithRowCap(0)}}, nil},
		{"a pool of one connection", setup{single: true}, nil},
		{"Redis is down", setup{redis: new(outage)}, away},
		{"Redis is down, and a pool of one connection", setup{redis: new(outage), single: true}, away},
		{"the Redis client panics", setup{redis: new(outage)}, func(o *outage) { o.panics.Store(true) }},
		{"an observer panics", setup{options: cacheme.Options{Observer: func(context.Context, cacheme.Event) { panic("an observer") }}}, nil},
		{
			"the hook's logger panics",
			setup{redis: new(outage), install: []bunhooks.Option{bunhooks.WithLogger(slog.New(panicking{}))}},
			func(o *outage) { o.panics.Store(true) },
		},
	}
	plain := newPlace(t, open(t), setup{bare: true, single: true})
	want := plain.program(t.Context(), func(int) bool { return true })
	for i, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, open(t), v.setup)
			if o, ok := v.setup.redis.(*outage); ok {
				v.breaks(o)
				t.Cleanup(func() { o.down.Store(false); o.panics.Store(false) })
			}
			// Each variant does a fifth of it, unless there is time.
			got := p.program(context.WithValue(t.Context(), programKey{}, true), func(n int) bool { return (n+i)%5 == 0 || suite.Torture() })
			some := make(map[string][]string, len(got))
			for what := range got {
				some[what] = want[what]
			}
			if diff := cmp.Diff(some, got); diff != "" {
				t.Errorf("the program sees (-without the hook +with it)\n%s", diff)
			}
		})
	}
}

// panicking is a log handler that cannot be relied on.
type panicking struct{}

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("a log handler") }
func (p panicking) WithAttrs([]slog.Attr) slog.Handler      { return p }
func (p panicking) WithGroup(string) slog.Handler           { return p }

// program runs everything, each on a world as new, and returns what it got to see, by what it did.
func (p *place) program(ctx context.Context, chosen func(n int) bool) map[string][]string {
	seen := make(map[string][]string)
	n := 0
	for _, w := range append(writes(), oddities()...) {
		if !w.runsIn(p.Dialect) {
			continue
		}
		for _, m := range manners() {
			if m.name != "autocommit" && m.name != "RunInTx" && m.name != "raw BEGIN" {
				continue
			}
			if n++; !chosen(n + n/3) {
				continue // n/3: the next write is in another manner
			}
			seen[w.name+", "+m.name] = p.perform(ctx, &w, &m)
		}
	}
	return seen
}

// perform runs one write, and brings the database back to what it was.
func (p *place) perform(ctx context.Context, w *write, m *manner) []string {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	var told transcript
	err := caught(func() error {
		return m.run(ctx, moment{
			db: p.db,
			write: func(ctx context.Context, db bun.IDB, sqldb plain) error {
				return caught(func() error { return w.do(ctx, on{IDB: db, plain: sqldb, dialect: p.Dialect, told: &told}) })
			},
			before: func() error { return nil },
		})
	})
	told.lines = append(told.lines, fmt.Sprintf("ended with %v", err))
	told.lines = append(told.lines, p.lost(ctx)...)
	if w.schema {
		p.version++
	}
	now, err := p.dump(ctx)
	if err != nil {
		return append(told.lines, err.Error())
	}
	for i, line := range told.lines {
		told.lines[i] = database.ReplaceAllString(line, "(`database`.")
	}
	for _, table := range changed(p.seed, now) {
		for _, r := range now[table] {
			if _, deleted := r["deleted_at"]; deleted {
				r["deleted_at"] = "some time"
			}
			if _, generated := r["id"]; generated && len(r["id"]) >= 3 && !strings.Contains(r["id"], "-") {
				r["id"] = "generated"
			}
			told.lines = append(told.lines, fmt.Sprint(table, " ", r))
		}
	}
	if w.schema {
		p.version++
		err = errors.Join(create(ctx, p.Dialect, p.admin), run(ctx, p.db, []string{view})) // the pool gets to know of it
	}
	if w.schema || len(changed(p.seed, now)) > 0 {
		err = errors.Join(err, plant(ctx, p.admin))
	}
	if err != nil {
		told.lines = append(told.lines, err.Error())
	}
	return told.lines
}

// caught returns a panic as an error.
func caught(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}

// database is how MariaDB's errors name a table.
var database = regexp.MustCompile("\\(`[^`]+`\\.")

// lost tells of connections that never came back, once for each.
func (p *place) lost(ctx context.Context) (told []string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if eventually(ctx, func() bool { return p.db.Stats().InUse <= p.gone }) != nil {
		told = append(told, fmt.Sprintf("%d connections are not given back", p.db.Stats().InUse-p.gone))
		p.gone = p.db.Stats().InUse
	}
	return told
}
