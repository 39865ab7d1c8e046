package observe

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Bench measures loads and hits of one page with its loads looked at, and with Observe: Auto, as multiples of those with
// nobody looking. They run in turn, call by call, and who comes first takes turns too; the tenths that took longest and
// shortest are left out.
func Bench(b *testing.B, open writes.Open) {
	p := newPlace(b, open(b), 0)
	check(b, p.plant(b.Context(), newDice(1)))
	type lane struct {
		name string
		*cacheme.Bound[int64, page]
	}
	var lanes []lane
	for name, how := range map[string]cacheme.Switch{"off": cacheme.Off, "on": cacheme.On, "auto": cacheme.Auto} {
		bound, err := cacheme.Memo(p.cache, cacheme.Memoized[int64, page]{
			Meta:         cacheme.Meta{Key: name + ":<id>", Observe: how},
			Values:       func(id int64) []any { return []any{id} },
			InvalidNodes: thatBook,
			ResultInvalidNodes: func(id int64, p page) []cacheme.Invalid {
				return append(asks[0].right.result(id, p), reviewsOf{Book: id})
			},
		}, func(ctx context.Context, id int64) (page, error) {
			shown, err := p.hooked.card(ctx, id)
			if err != nil {
				return shown, err
			}
			more, err := p.hooked.reviewed(ctx, id)
			shown.Reviews = more.Reviews
			return shown, err
		})
		check(b, err)
		if lanes = append(lanes, lane{name, bound}); name == "off" {
			lanes[0], lanes[len(lanes)-1] = lanes[len(lanes)-1], lanes[0]
		}
	}
	for name, do := range map[string]func(l lane, id int64) error{
		"a load": func(l lane, id int64) error { _, err := l.Refresh(b.Context(), id); return err },
		"a hit":  func(l lane, id int64) error { _, err := l.Get(b.Context(), id); return err },
	} {
		b.Run(name, func(b *testing.B) {
			took := make([][]time.Duration, len(lanes))
			const warmUp = 50
			for i := range warmUp + b.N {
				if i == warmUp {
					b.ResetTimer()
				}
				for k := range lanes {
					at := (i + k) % len(lanes)
					began := time.Now()
					if err := do(lanes[at], 1+int64(i%most)); err != nil {
						b.Fatal(err)
					}
					if i >= warmUp {
						took[at] = append(took[at], time.Since(began))
					}
				}
			}
			b.StopTimer()
			b.ReportMetric(0, "ns/op") // of all together: it says nothing
			off := suite.TrimmedMean(took[0])
			b.ReportMetric(off, "off-ns")
			for i, l := range lanes[1:] {
				b.ReportMetric(suite.TrimmedMean(took[i+1])/off, l.name+"-x")
			}
		})
	}
	if told := p.events.all(); len(told) > 0 {
		b.Errorf("there are mistakes: %+v", told)
	}
}
