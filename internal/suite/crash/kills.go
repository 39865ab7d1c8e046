package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Kills is how often make torture kills a process at each point; make test does it a twentieth as often.
const Kills = 200

// Place is a database and a Redis that several processes share.
type Place struct {
	writes.Database
	DSN          string
	DatabaseAddr string // empty: it has none
	Addr         string // of the Redis
	Drivers      Drivers
	Test         string        // the name of the test by which this binary obeys
	Hold         time.Duration // what a dead process's writes may cost others
}

// lease is short: who waits for a dead loader waits for it.
const lease = 300 * time.Millisecond

// placesAtOnce is how many places processes are killed in at once, whatever the number of processors: most of the time is
// spent on waiting for deadlines.
const placesAtOnce = 5

// Run kills processes at every point.
func Run(t *testing.T, open func(t testing.TB) Place) {
	kills := (suite.Count(Kills) + placesAtOnce - 1) / placesAtOnce
	survivors := make([]*survivor, placesAtOnce)
	for i := range survivors {
		survivors[i] = survive(t, open(t))
	}
	var all sync.WaitGroup
	for i, s := range survivors {
		all.Go(func() {
			if err := s.rounds(t.Context(), kills); err != nil {
				t.Errorf("place %d: %v", i, err)
			}
		})
	}
	all.Wait()
	var sum tally
	for _, s := range survivors {
		sum.add(s.tally)
	}
	t.Logf("%d kills at each of %d points, %d reads before a deadline, %d after it", sum.kills, len(Points()), sum.early, sum.late)
	if !t.Failed() {
		knownGap(t, survivors[0])
	}
}

// knownGap shows that the suite would notice: without a hold, a process that is killed after its COMMIT tells nobody.
func knownGap(t *testing.T, s *survivor) {
	t.Helper()
	s.afterCommit = true
	d := Deed{Point: BeforeRelease, First: s.next}
	if _, err := s.kill(t.Context(), []Deed{d}); !errors.Is(err, errStale) {
		t.Errorf("killed %s without a hold: %v, want a stale read", d.Point, err)
	}
}

// rounds kills so often at each point that processes stood there.
func (s *survivor) rounds(ctx context.Context, kills int) error {
	for round := 0; s.kills < kills; round++ {
		if round > 3*kills {
			return fmt.Errorf("%d of %d processes stood at their points when they were killed: the machine is too busy", s.kills, round)
		}
		if err := s.round(ctx, round%2 == 1); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

// tally is what was done.
type tally struct{ kills, early, late int }

func (t *tally) add(o tally) {
	t.kills += o.kills
	t.early += o.early
	t.late += o.late
}

// survivor is the process that lives on.
type survivor struct {
	Place
	tally
	t      testing.TB
	prefix string
	db     *bun.DB // hooked
	admin  *bun.DB
	cache  *cacheme.Cache
	rdb    redis.UniversalClient
	next   int64 // row

	afterCommit bool
}

// survive makes a place ready. It is to be called from the test's own goroutine.
func survive(t testing.TB, p Place) *survivor {
	t.Helper()
	s := &survivor{Place: p, t: t, prefix: suite.Prefix(), rdb: p.Redis.Client(suite.PatientClient), next: 1}
	pool := func(db *sql.DB) *bun.DB {
		t.Cleanup(func() { _ = db.Close() }) // what it says of connections that broke is of no interest
		return bun.NewDB(db, p.Bun())
	}
	s.admin = pool(sql.OpenDB(p.Connector()))
	if _, err := s.admin.NewCreateTable().Model((*Row)(nil)).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	rdb := p.Redis.Client(suite.PatientClient)
	s.cache = suite.NewCache(t, rdb, options(s.order()), declarations()...)
	var err error
	s.db, err = bunhooks.Install(pool(sql.OpenDB(bunhooks.WrapConnector(p.Connector()))), s.cache,
		bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *survivor) order(deeds ...Deed) Order {
	return Order{
		Dialect: s.Dialect, DSN: s.DSN, Addr: s.Addr, Prefix: s.prefix, Hold: s.Hold, Lease: lease, Deeds: deeds,
		AfterCommit: s.afterCommit,
	}
}

// round kills a process at each point: one process that stands at all of them, or, where only one can write at a time,
// one for each.
func (s *survivor) round(ctx context.Context, alone bool) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	var deeds []Deed
	for _, point := range Points() {
		deeds = append(deeds, Deed{Point: point, First: s.next, Alone: alone})
		s.next += RowsOfDeed
	}
	parties := [][]Deed{deeds}
	if s.Dialect == writes.SQLite {
		parties = nil
		for _, d := range deeds {
			parties = append(parties, []Deed{d})
		}
	}
	inTime := true
	for _, party := range parties {
		ok, err := s.kill(ctx, party)
		if err != nil {
			return err
		}
		inTime = inTime && ok
	}
	if inTime {
		s.kills++
	}
	return nil
}

// kill lets a process do its deeds up to their points, kills it there and reads what it has written. It is in time if
// all that can be held was, until the kill.
func (s *survivor) kill(ctx context.Context, deeds []Deed) (inTime bool, err error) {
	for _, d := range deeds {
		if err := s.plant(ctx, d); err != nil {
			return false, err
		}
	}
	v, err := start(s.t, s.Test, s.order(deeds...))
	if err != nil {
		return false, err
	}
	stood := v.stands(len(deeds))
	if stood == nil {
		stood = s.beside(ctx, deeds)
	}
	var held error
	inTime = true
	for _, d := range deeds {
		var is bool
		if d.Point.holds() && stood == nil {
			is, held = s.held(ctx, d)
			inTime = inTime && is
		}
	}
	if err := errors.Join(stood, held, v.kill()); err != nil {
		return false, err
	}
	if err := s.watch(ctx, deeds); err != nil {
		return false, err
	}
	for _, d := range deeds {
		if err := s.healed(ctx, d); err != nil {
			return false, fmt.Errorf("killed %s: %w", d.Point, err)
		}
	}
	return inTime, nil
}

func rows(d Deed) (ids []int64) {
	for i := range int64(RowsOfDeed) {
		ids = append(ids, d.First+i)
	}
	return ids
}

// plant makes the rows of a deed, and has them cached.
func (s *survivor) plant(ctx context.Context, d Deed) error {
	var all []Row
	for _, id := range rows(d) {
		all = append(all, Row{ID: id, Version: planted})
	}
	if _, err := s.admin.NewInsert().Model(&all).Exec(ctx); err != nil {
		return err
	}
	if d.Point.loads() {
		return nil // there has to be something to load
	}
	for _, id := range rows(d) {
		if _, _, err := s.get(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// beside writes what a process that loads has just read.
func (s *survivor) beside(ctx context.Context, deeds []Deed) error {
	for _, d := range deeds {
		if d.Point.loads() {
			if err := write(ctx, s.db, d.First, written); err != nil {
				return err
			}
		}
	}
	return nil
}
