package torture

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// loadsKept is of how many loads a process remembers that they are over: more than run while a read does.
const loadsKept = 4096

// loadsRun are the loads that a process has run.
type loadsRun struct {
	mu    sync.Mutex
	began int64
	ended [loadsKept]int64 // numbers of loads that are over
	at    [loadsKept]Time  // and when that was
}

func (l *loadsRun) begin(process int, now Time) Load {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began++
	return Load{Process: process, Number: l.began, Began: now}
}

func (l *loadsRun) end(load Load, now Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[load.Number%loadsKept], l.at[load.Number%loadsKept] = load.Number, now
}

// workedAt reports whether a load of this process was still at work then.
func (l *loadsRun) workedAt(load Load, then Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := load.Number % loadsKept
	return l.ended[at] != load.Number || l.at[at] >= then
}

func (l *loadsRun) count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(l.began)
}

// load runs one loader: what it reads, after a pause and before another one.
func (p *process) load(ctx context.Context, read func(ctx context.Context, s *Seen) error) (Seen, error) {
	load := p.loads.begin(p.Number, p.now())
	s := Seen{Loads: []Load{load}}
	err := read(ctx, &s)
	p.pause(inLoad)
	p.loads.end(load, p.now())
	if errors.Is(err, sql.ErrNoRows) {
		return Seen{}, cacheme.ErrNotFound
	}
	return s, err
}

// stampOf reads one row's.
func stampOf[T any](ctx context.Context, db bun.IDB, id int64) (stamp int64, err error) {
	err = db.NewSelect().Model((*T)(nil)).Column("stamp").Where("id = ?", id).Scan(ctx, &stamp)
	return stamp, err
}

// loadRow is the loader of a node that shows one row.
func loadRow[T any](ctx context.Context, p *process, db bun.IDB, a Aspect, id int64) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		stamp, err := stampOf[T](ctx, db, id)
		s.says(a, id, 0, stamp)
		return err
	})
}

func (p *process) loadLabelled(ctx context.Context, n Labelled) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		var rows []Thing
		err := p.db.NewSelect().Model(&rows).Where("label = ?", n.Label).Scan(ctx)
		s.saysLabel(n.Label, rows)
		return err
	})
}

func (s *Seen) saysLabel(label int64, rows []Thing) {
	s.tellsAll(labelled, label)
	for _, r := range rows {
		s.says(labelled, label, r.ID, r.Stamp)
	}
}

func (p *process) loadShelf(ctx context.Context, n Shelf) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		var rows []struct {
			Thing, Placed, Stamp int64
		}
		err := p.db.NewSelect().TableExpr("places AS p").Join("JOIN things AS t ON t.id = p.thing_id").
			ColumnExpr("t.id AS thing, p.stamp AS placed, t.stamp AS stamp").Where("p.user_id = ?", n.User).Scan(ctx, &rows)
		s.tellsAll(onShelf, n.User)
		for _, r := range rows {
			s.says(onShelf, n.User, r.Thing, r.Placed)
			s.says(thingIs, r.Thing, 0, r.Stamp)
		}
		return err
	})
}

func (p *process) loadHolders(ctx context.Context, n Holders) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		var rows []Place
		err := p.db.NewSelect().Model(&rows).Where("thing_id = ?", n.Thing).Scan(ctx)
		s.tellsAll(heldBy, n.Thing)
		for _, r := range rows {
			s.says(heldBy, n.Thing, r.User, r.Stamp)
		}
		return err
	})
}

func (p *process) loadEverything(ctx context.Context, _ Everything) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		var rows []Thing
		err := p.db.NewSelect().Model(&rows).Scan(ctx)
		for _, r := range rows {
			s.says(thingIs, r.ID, 0, r.Stamp)
		}
		return err
	})
}

// loadPage reads nothing itself.
func (p *process) loadPage(ctx context.Context, n Page) (Seen, error) {
	return p.load(ctx, func(ctx context.Context, s *Seen) error {
		one, err := p.one.Get(ctx, One{ID: n.ID})
		if err != nil {
			return err
		}
		near, err := p.close.Get(ctx, Close{ID: n.ID%things + 1})
		if err != nil {
			return err
		}
		shelf, err := p.shelf.Get(ctx, Shelf{User: n.ID%users + 1})
		s.add(one)
		s.add(near)
		s.add(shelf)
		return err
	})
}

// loadOnes loads many at once.
func (p *process) loadOnes(ctx context.Context, missing []One) (map[One]Seen, error) {
	all := make(map[One]Seen, len(missing))
	ids := make([]int64, len(missing))
	for i, n := range missing {
		ids[i] = n.ID
	}
	_, err := p.load(ctx, func(ctx context.Context, s *Seen) error {
		var rows []Thing
		err := p.db.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Scan(ctx)
		for _, r := range rows {
			one := Seen{Loads: s.Loads}
			one.says(thingIs, r.ID, 0, r.Stamp)
			all[One{ID: r.ID}] = one
		}
		return err
	})
	return all, err
}
