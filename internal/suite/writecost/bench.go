package writecost

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// What is compared runs on one database in turn, call by call, because what else the machine does between two rounds
// differs by more than what is to be seen. Who comes first takes turns too. The tenth that took longest and the tenth
// that took shortest are left out on each side. Beside SQLite stands the embedded Redis, whose scripts run many times
// slower than a server's: what tracked writes cost is for internal/integration to say.

// Bench measures queries that no node is about, and writes that one is.
func Bench(b *testing.B, open writes.Open) {
	b.Run("a query on a model that no node names", func(b *testing.B) {
		lanes := openLanes(b, open, false)
		measure(b, lanes, func(ctx context.Context, db *bun.DB, _ int) error {
			var v Visit
			return db.NewSelect().Model(&v).Where("id = ?", 1).Scan(ctx)
		})
	})
	b.Run("a write to a model that no node names", func(b *testing.B) {
		lanes := openLanes(b, open, false)
		measure(b, lanes, func(ctx context.Context, db *bun.DB, i int) error {
			_, err := db.NewUpdate().Model(&Visit{ID: 1, Page: fmt.Sprint(i)}).WherePK().Exec(ctx)
			return err
		})
	})
	for _, s := range shapes() {
		for _, rows := range []int64{1, 10} {
			b.Run(fmt.Sprintf("a tracked write, %s of %d rows", s.name, rows), func(b *testing.B) {
				measure(b, openLanes(b, open, true), func(ctx context.Context, db *bun.DB, i int) error {
					return s.do(ctx, db, rows, fmt.Sprint(i))
				})
			})
		}
	}
}

// openLanes opens one database in all ways. Where nothing is told to Redis, bun with an empty hook takes the place of the
// way that would do the same as another.
func openLanes(b *testing.B, open writes.Open, tracked bool) (lanes []lane) {
	b.Helper()
	d := open(b)
	table(b, d)
	all := ways()
	if !tracked {
		all[1] = way{name: "empty hook", empty: true}
	}
	for _, w := range all {
		lanes = append(lanes, openLane(b, d, w, nil))
	}
	return lanes
}

func measure(b *testing.B, lanes []lane, do func(ctx context.Context, db *bun.DB, i int) error) {
	b.Helper()
	took := make([][]time.Duration, len(lanes))
	const warmUp = 20
	round := 0
	for i := range warmUp + b.N {
		if i == warmUp {
			b.ResetTimer()
		}
		for k := range lanes {
			at := (i + k) % len(lanes)
			round++
			began := time.Now()
			if err := do(b.Context(), lanes[at].db, round); err != nil {
				b.Fatal(err)
			}
			if i >= warmUp {
				took[at] = append(took[at], time.Since(began))
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // of all together: it says nothing
	bare := suite.TrimmedMean(took[0])
	b.ReportMetric(bare, "bare-ns")
	for i, l := range lanes[1:] {
		b.ReportMetric(suite.TrimmedMean(took[i+1])/bare, strings.ReplaceAll(l.name, " ", "-")+"-x")
	}
}
