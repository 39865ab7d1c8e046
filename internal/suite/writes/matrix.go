package writes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite"
)

// write is a row of the table: something that writes, and what has to become wrong by it. All else stays cached.
type write struct {
	name string
	do   func(ctx context.Context, x on) error
	in   Dialect // where there is such a thing; zero: everywhere
	// wrong are the nodes that become wrong; those about a table as a whole go without saying.
	wrong []string
	// wide are the tables of which everything becomes wrong besides, for the reason why, in the databases of wideIn
	// (zero: wherever it runs).
	wide   []string
	wideIn Dialect
	why    string
	fails  bool // it ends in an error, after which a transaction may be of no use
	idle   bool // it leaves everything as it was
	schema bool // it changes tables themselves
	// commits: where the database commits before and after it, whatever is open, so that no rollback undoes it.
	commits Dialect
	// early: where it might commit, so that all is wrong at once, whatever becomes of the transaction.
	early Dialect
}

func (w *write) runsIn(d Dialect) bool { return w.in == 0 || w.in&d != 0 }

func (w *write) isWideIn(d Dialect) bool {
	return len(w.wide) > 0 && w.runsIn(d) && (w.wideIn == 0 || w.wideIn&d != 0)
}

func writes() []write {
	return slices.Concat(insertions(), upserts(), updates(), keyWrites(), deletions(), relations(), texts(), wideWrites(), harmless())
}

// matrix runs every write in every manner; all of them with make torture.
func matrix(t *testing.T, open Open) {
	places, d := newPool(t, open)
	for i, w := range writes() {
		if !w.runsIn(d) {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p := <-places
			defer func() { places <- p }()
			for j, m := range manners() {
				if j > 0 && (i+j)%3 != 0 && !suite.Torture() {
					continue // each write runs in some of the manners, each manner with some of the writes
				}
				if w.commits&d != 0 && m.savepoint {
					continue // the COMMIT took the savepoint away, and the manner ends in an error of its own
				}
				if err := p.cell(t.Context(), &w, &m); err != nil {
					t.Errorf("%s: %v", m.name, err)
				}
			}
		})
	}
}

// cell runs one write in one manner and looks at everything that is cached.
func (p *place) cell(ctx context.Context, w *write, m *manner) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	undone := m.undone && w.commits&p.Dialect == 0
	want, err := p.wrong(w, undone && w.early&p.Dialect == 0, m.besides)
	if err != nil {
		return err
	}
	began := false
	err = m.run(ctx, moment{
		db: p.db,
		write: func(ctx context.Context, db bun.IDB, sqldb plain) error {
			began = true
			return w.do(ctx, on{IDB: db, plain: sqldb, dialect: p.Dialect, told: new(transcript)})
		},
		before: func() error {
			if (w.commits|w.early)&p.Dialect != 0 {
				return nil
			}
			_, loaded, err := p.look(ctx)
			if err != nil || len(loaded) == 0 {
				return err
			}
			return fmt.Errorf("wrong before the COMMIT: %s", strings.Join(loaded, ", "))
		},
	})
	switch {
	case err == nil:
	case w.fails && began && !errors.Is(err, errDidNotFail):
		err = nil // a COMMIT that has nothing to commit
	default:
		err = fmt.Errorf("the write: %w", err)
	}
	if w.schema {
		p.version++
	}
	now, dumped := p.dump(ctx)
	if dumped != nil {
		return errors.Join(err, dumped)
	}
	if err == nil && !undone && len(want) > 0 && !w.idle && len(changed(now, p.seed)) == 0 {
		err = errors.New("the write changed nothing")
	}
	values, loaded, looked := p.look(ctx)
	if looked == nil {
		err = errors.Join(err, p.compare(want, loaded, values, p.seed, now))
	}
	return errors.Join(err, looked, p.reset(ctx, values, now, w.schema))
}

// wrong returns the names of the nodes that have to become wrong.
func (p *place) wrong(w *write, undone bool, besides []string) ([]string, error) {
	names := slices.Clone(besides)
	if !undone {
		names = append(names, w.wrong...)
		if w.isWideIn(p.Dialect) {
			names = append(names, p.of(w.wide...)...)
		}
	}
	return p.withWhole(names)
}

// compare holds what was loaded against what had to be, and every value against the database.
func (p *place) compare(want, loaded []string, values map[string]string, was, now map[string][]row) error {
	var errs []error
	before, after := p.truth(was), p.truth(now)
	var missing, extra, old, untold []string
	for name, v := range after {
		if v != before[name] && !slices.Contains(want, name) {
			untold = append(untold, name)
		}
		if values[name] != v {
			old = append(old, name)
		}
		switch isWanted, isLoaded := slices.Contains(want, name), slices.Contains(loaded, name); {
		case isWanted && !isLoaded:
			missing = append(missing, name)
		case !isWanted && isLoaded:
			extra = append(extra, name)
		}
	}
	for _, problem := range []struct {
		names []string
		what  string
	}{
		{untold, "the table does not name what changed"},
		{missing, "had to become wrong, and stayed cached"},
		{old, "is not what the database holds"},
		{extra, "had nothing to do with it, and became wrong"},
	} {
		if len(problem.names) > 0 {
			slices.Sort(problem.names)
			errs = append(errs, fmt.Errorf("%s: %s", problem.what, strings.Join(problem.names, ", ")))
		}
	}
	return errors.Join(errs...)
}
