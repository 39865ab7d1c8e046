// Package pages is what a page of 50 rows with two relations costs: round trips in a test, time beside bun in a benchmark.
package pages

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// Song has a singer and a label.
type Song struct {
	bun.BaseModel `bun:"table:songs"`

	ID       int64 `bun:",pk"`
	Title    string
	SingerID int64
	Singer   *Singer `bun:"rel:belongs-to"`
	LabelID  int64
	Label    *Label `bun:"rel:belongs-to"`
}

// Singer sings.
type Singer struct {
	bun.BaseModel `bun:"table:singers"`

	ID   int64 `bun:",pk"`
	Name string
}

// Label sells.
type Label struct {
	bun.BaseModel `bun:"table:labels"`

	ID   int64 `bun:",pk"`
	Name string
}

const (
	songs    = 1000
	onPage   = 50
	maxTrips = 3
)

// place is a database with its cached rows, and how often it asked each of its servers.
type place struct {
	db             *bun.DB
	trips, selects atomic.Int64

	songs  *rowcache.Rows[Song]
	singer *rowcache.One[Song, Singer]
	label  *rowcache.One[Song, Label]
	rows   *rowcache.Cache
}

func newPlace(t testing.TB, open writes.Open) *place {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	d := open(t)
	db := bun.NewDB(sql.OpenDB(bunhooks.WrapConnector(d.Connector())), d.Bun())
	t.Cleanup(func() { _ = db.Close() })
	for _, model := range []any{(*Song)(nil), (*Singer)(nil), (*Label)(nil)} {
		_, err := db.NewCreateTable().Model(model).Exec(ctx)
		must(err)
	}
	var all []Song
	var singers []Singer
	var labels []Label
	for i := range int64(songs) {
		all = append(all, Song{ID: i + 1, Title: fmt.Sprint("song ", i), SingerID: i%100 + 1, LabelID: i%10 + 1})
		if i < 100 {
			singers = append(singers, Singer{ID: i + 1, Name: fmt.Sprint("singer ", i)})
		}
		if i < 10 {
			labels = append(labels, Label{ID: i + 1, Name: fmt.Sprint("label ", i)})
		}
	}
	for _, rows := range []any{&all, &singers, &labels} {
		_, err := db.NewInsert().Model(rows).Exec(ctx)
		must(err)
	}
	p := &place{}
	client := d.Redis.Client(suite.PatientClient)
	client.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		p.trips.Add(1)
		return send(trip.Cmds...)
	}})
	cache := suite.NewCache(t, client, suite.Patient(cacheme.Options{Prefix: suite.Prefix()}))
	db, err := bunhooks.Install(db, cache)
	must(err)
	p.db = db.WithQueryHook(counting{&p.selects})
	p.rows, err = rowcache.New(cache, p.db, rowcache.Options{})
	must(err)
	p.songs, err = rowcache.For[Song](p.rows, rowcache.Model{})
	must(err)
	singerRows, err := rowcache.For[Singer](p.rows, rowcache.Model{})
	must(err)
	labelRows, err := rowcache.For[Label](p.rows, rowcache.Model{})
	must(err)
	p.singer, err = rowcache.ToOne(p.songs, "Singer", singerRows)
	must(err)
	p.label, err = rowcache.ToOne(p.songs, "Label", labelRows)
	must(err)
	return p
}

// counting counts what bun asks.
type counting struct{ n *atomic.Int64 }

func (c counting) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	c.n.Add(1)
	return ctx
}

func (counting) AfterQuery(context.Context, *bun.QueryEvent) {}

// way is how a page is put together.
type way struct {
	name string
	page func(ctx context.Context, from int64) ([]Song, error)
}

func (p *place) ways() []way {
	ids := func(from int64) []int64 {
		all := make([]int64, onPage)
		for i := range all {
			all[i] = from + int64(i)
		}
		return all
	}
	query := func(from int64) *bun.SelectQuery {
		return p.db.NewSelect().Model((*Song)(nil)).Relation("Singer").Relation("Label").
			Where("song.id IN (?)", bun.List(ids(from))).Order("song.id")
	}
	return []way{
		{"bun", func(ctx context.Context, from int64) (all []Song, err error) {
			err = query(from).Scan(ctx, &all)
			return all, err
		}},
		{"rows", func(ctx context.Context, from int64) ([]Song, error) {
			all, err := p.songs.GetMany(ctx, rowcache.IDs(ids(from))...)
			if err != nil {
				return nil, err
			}
			return all, rowcache.Preload(ctx, all, p.singer, p.label)
		}},
		{"query", func(ctx context.Context, from int64) ([]Song, error) {
			return rowcache.Query[Song](p.rows, query(from)).All(ctx)
		}},
	}
}

// Run counts what a warm page costs.
func Run(t *testing.T, open writes.Open) {
	p := newPlace(t, open)
	ctx := t.Context()
	for _, w := range p.ways()[1:] {
		var warm []Song
		for range 3 { // a result that names new rows is loaded twice
			var err error
			if warm, err = w.page(ctx, 7); err != nil {
				t.Fatal(err)
			}
		}
		if len(warm) != onPage || warm[3].Singer == nil || warm[3].Label == nil || warm[3].Singer.ID != warm[3].SingerID {
			t.Errorf("%s: the page is %+v", w.name, warm)
		}
		trips, selects := p.trips.Load(), p.selects.Load()
		if _, err := w.page(ctx, 7); err != nil {
			t.Fatal(err)
		}
		if n := p.trips.Load() - trips; n > maxTrips {
			t.Errorf("%s: a warm page of %d rows with two relations costs %d round trips to Redis, want at most %d", w.name, onPage, n, maxTrips)
		}
		if n := p.selects.Load() - selects; n != 0 {
			t.Errorf("%s: a warm page costs %d queries", w.name, n)
		}
	}
}

// Bench puts the same page together in all ways, call by call in turn.
func Bench(b *testing.B, open writes.Open) {
	p := newPlace(b, open)
	ways := p.ways()
	took := make([][]time.Duration, len(ways))
	const pages, warmUp = 10, 30
	for i := range warmUp + b.N {
		if i == warmUp {
			b.ResetTimer()
		}
		for k := range ways {
			at := (i + k) % len(ways)
			began := time.Now()
			if _, err := ways[at].page(b.Context(), int64(i%pages*onPage)+1); err != nil {
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
	b.ReportMetric(bare, "bun-ns")
	for i, w := range ways[1:] {
		b.ReportMetric(suite.TrimmedMean(took[i+1])/bare, w.name+"-x")
	}
}
