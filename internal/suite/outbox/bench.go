package outbox

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Bench measures an update of one row, with the hook alone, with an outbox, and with an outbox and triggers, in turns: what
// else the machine does between two rounds differs by more than what is to be seen. Each has a table of its own kind, and
// all have one server.
func Bench(b *testing.B, open writes.Open) {
	type lane struct {
		name string
		db   *bun.DB
		took []time.Duration
	}
	w := newWorld(b, open(b))
	triggered := newWorld(b, open(b))
	lanes := []*lane{
		{name: "hook", db: w.startPlain()},
		{name: "outbox", db: w.start(bunhooks.OutboxOptions{}, 0).db},
	}
	if w.d.Dialect != writes.SQLite {
		p := triggered.start(bunhooks.OutboxOptions{}, 0)
		if err := p.outbox.CreateTriggers(b.Context(), p.db, p.cache); err != nil {
			b.Fatal(err)
		}
		lanes = append(lanes, &lane{name: "triggers", db: p.db})
	}
	const warmUp = 20
	for i := range warmUp + b.N {
		for k := range lanes {
			l := lanes[(i+k)%len(lanes)]
			began := time.Now()
			if _, err := l.db.NewUpdate().Model((*Paper)(nil)).Set("text = ?", fmt.Sprint(i)).Where("id = 1").Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
			if i >= warmUp {
				l.took = append(l.took, time.Since(began))
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: it says nothing
	alone := suite.TrimmedMean(lanes[0].took)
	b.ReportMetric(alone, "hook-ns")
	for _, l := range lanes[1:] {
		b.ReportMetric(suite.TrimmedMean(l.took)/alone, l.name+"-x")
	}
}

// startPlain starts a process without an outbox.
func (w *world) startPlain() *bun.DB {
	w.t.Helper()
	db, err := bunhooks.Install(w.pool(bunhooks.WrapConnector(w.d.Connector())), w.newCache(w.d.Redis.Client(), declarations()), bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}
