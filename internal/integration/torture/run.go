package torture

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// Settings are what a run is.
type Settings struct {
	For      time.Duration
	Seed     uint64
	Topology string // Single, Sentinel or Cluster
	Database string // SQLite or Postgres
	Children int    // processes of their own, which can be killed
	Inside   int    // processes inside this one
	Rate     int    // Gets and writes in a second, of all processes together at most; 0: as many as they can
	Child    string // the name of the test that calls Obey
	Broken   Broken // of the processes inside
	Restless bool   // writers do not rest between two writes
	// Live is how often a line tells how it goes; 0: never.
	Live time.Duration
	// Rest is the longest pause between two faults.
	Rest time.Duration
	// Faults, Reads and Deeds are the names of those that happen; nil: all of the topology. Empty: none.
	Faults, Reads, Deeds []string
}

// Run runs readers and writers against each other, breaks things, and returns what came of it. It ends at the first
// violation, which is Report.Violation and no failure of t.
func Run(t testing.TB, s Settings) *Report {
	t.Helper()
	database := open(t, s.Database)
	ctx, stop := context.WithTimeout(t.Context(), s.For)
	defer stop()
	judged := context.WithoutCancel(ctx)
	if err := database.Create(judged); err != nil {
		t.Fatal(err)
	}
	db := database.open(database.connector())
	t.Cleanup(func() { _ = db.Close() }) // it has only been read
	bench, err := sit(judged, witness{db}, stop)
	if err != nil {
		t.Fatal(err)
	}
	place := newPlace(t, s.Topology, s.Children+s.Inside)
	cast := &cast{t: t, settings: s, database: database, place: place, bench: bench}
	cast.gather()
	d := &director{
		t: t, place: place, bench: bench, cast: cast, ctx: ctx, did: map[string]int{},
		dice: rand.New(rand.NewPCG(s.Seed, 0)),
	}
	began := time.Now()
	r := &Report{Settings: s, began: bench.clock.now()}
	var telling sync.WaitGroup
	if s.Live > 0 {
		telling.Go(func() { live(ctx, t.Output(), s.Live, bench) })
	}
	cast.act(ctx, func() { d.direct(only(breakages, s.Faults), s.Rest) })
	telling.Wait()
	r.Took = time.Since(began)
	cast.rest()
	cast.dismiss()
	r.judge, r.Violation, err = bench.rise()
	if err != nil {
		t.Error(err)
	}
	r.Tally, r.faults = r.judge.tally, d.did
	return r
}

// open makes an empty database.
func open(t testing.TB, kind string) Database {
	t.Helper()
	if kind == Postgres {
		return Database{Kind: kind, DSN: kit.Postgres(t).DSN()}
	}
	return Database{Kind: kind, DSN: filepath.Join(t.TempDir(), "torture.db")}
}

// rest reads everything once more when nobody writes and nothing is broken: nothing old may have stayed (P3).
func (c *cast) rest() {
	if len(c.inside) == 0 {
		return
	}
	p := c.inside[0]
	dice := rand.New(rand.NewPCG(p.Seed, 1))
	for _, k := range kinds {
		for id := range int64(k.ids) {
			p.read(context.Background(), k, id+1, dice)
		}
	}
}

// live tells every so often how it goes, until ctx ends.
func live(ctx context.Context, to io.Writer, every time.Duration, b *bench) {
	began := time.Now()
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		elapsed, seen := time.Since(began), b.seen()
		_, _ = fmt.Fprintf(to, "%7s  %9d operations, %6.0f a second; %s; %d violations\n",
			elapsed.Round(time.Second), seen.Operations(), float64(seen.Operations())/elapsed.Seconds(), b.now(), seen.violations)
	}
}
