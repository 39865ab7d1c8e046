package transactions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// plain is what *sql.DB, *sql.Conn and *sql.Tx share.
type plain interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

// hand is what a write runs on.
type hand struct {
	bun   bun.IDB
	plain plain
}

// state is a lot as a transaction sees it, and the tokens that it makes wrong if it is committed now.
type state struct {
	rows  map[int64]Item
	wrong map[string]bool
}

func (s state) clone() state { return state{maps.Clone(s.rows), maps.Clone(s.wrong)} }

// kind is one kind of write.
type kind struct {
	name string
	// wide writes look at ranges, which MariaDB locks with the gaps beside them: no second transaction may be near.
	wide bool
	in   writes.Dialect // where there is such a thing; zero: everywhere
	do   func(ctx context.Context, w *pen) error
}

// pen does one write.
type pen struct {
	hand
	p       *place
	l       *lot
	s       *state
	random  *rand.Rand
	version int64
}

// some is an item of the lot that is there; not ok if there is none.
func (w *pen) some() (Item, bool) {
	ids := slices.Sorted(maps.Keys(w.s.rows))
	if len(ids) == 0 {
		return Item{}, false
	}
	return w.s.rows[ids[w.random.IntN(len(ids))]], true
}

// free is an id of the lot that has no item.
func (w *pen) free() (int64, bool) {
	var ids []int64
	for id := w.l.first; id < w.l.first+itemsOfLot; id++ {
		if _, taken := w.s.rows[id]; !taken {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return 0, false
	}
	return ids[w.random.IntN(len(ids))], true
}

func (w *pen) shelf() int64 { return w.l.first + w.random.Int64N(shelvesOfLot) }

// on are the items on a shelf.
func (w *pen) on(shelf int64) (items []Item) {
	for _, id := range slices.Sorted(maps.Keys(w.s.rows)) {
		if w.s.rows[id].Shelf == shelf {
			items = append(items, w.s.rows[id])
		}
	}
	return items
}

// becomes says that an item is now so.
func (w *pen) becomes(i Item) {
	if before, ok := w.s.rows[i.ID]; ok {
		w.s.wrong[w.p.shelfKey(before.Shelf)] = true
	}
	w.s.rows[i.ID] = i
	w.s.wrong[w.p.itemKey(i.ID)], w.s.wrong[w.p.shelfKey(i.Shelf)] = true, true
}

func (w *pen) goes(i Item) {
	delete(w.s.rows, i.ID)
	w.s.wrong[w.p.itemKey(i.ID)], w.s.wrong[w.p.shelfKey(i.Shelf)] = true, true
}

// wrote compares how many rows a statement says that it wrote.
func wrote(r sql.Result, err error, want int) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n != int64(want) {
		err = fmt.Errorf("%d rows affected, want %d", n, want)
	}
	return err
}

func (w *pen) text(text string) string {
	if w.p.Dialect != writes.Postgres {
		return text
	}
	var b []byte
	n := 0
	for _, c := range []byte(text) {
		if c == '?' {
			n++
			b = fmt.Appendf(b, "$%d", n)
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

// one makes a kind that gives one item a new version, if there is an item.
func one(name string, do func(ctx context.Context, w *pen, i Item) error) kind {
	return kind{name: name, do: func(ctx context.Context, w *pen) error {
		i, ok := w.some()
		if !ok {
			return errNothing
		}
		i.Version = w.version
		if err := do(ctx, w, i); err != nil {
			return err
		}
		w.becomes(i)
		return nil
	}}
}

// errNothing says that the lot has nothing to write to in this way.
var errNothing = errors.New("nothing to write to")

const setVersion = "UPDATE items SET version = ? WHERE id = ?"

func kinds() []kind {
	return []kind{
		one("a struct by its key", func(ctx context.Context, w *pen, i Item) error {
			r, err := w.bun.NewUpdate().Model(&i).WherePK().Exec(ctx)
			return wrote(r, err, 1)
		}),
		one("by WHERE alone", func(ctx context.Context, w *pen, i Item) error {
			r, err := w.bun.NewUpdate().Model((*Item)(nil)).Set("version = ?", i.Version).Where("id = ?", i.ID).Exec(ctx)
			return wrote(r, err, 1)
		}),
		one("plain database/sql", func(ctx context.Context, w *pen, i Item) error {
			r, err := w.plain.ExecContext(ctx, w.text(setVersion), i.Version, i.ID)
			return wrote(r, err, 1)
		}),
		one("a prepared statement", func(ctx context.Context, w *pen, i Item) error {
			s, err := w.plain.PrepareContext(ctx, w.text(setVersion))
			if err != nil {
				return err
			}
			defer s.Close()
			r, err := s.ExecContext(ctx, i.Version, i.ID)
			return wrote(r, err, 1)
		}),
		{name: "UPDATE .. RETURNING", in: writes.SQLite | writes.Postgres, do: one("", func(ctx context.Context, w *pen, i Item) error {
			var id int64
			err := w.plain.QueryRowContext(ctx, w.text(setVersion+" RETURNING id"), i.Version, i.ID).Scan(&id)
			if err == nil && id != i.ID {
				err = fmt.Errorf("RETURNING id = %d, want %d", id, i.ID)
			}
			return err
		}).do},
		{name: "upsert that meets a row", in: writes.SQLite | writes.Postgres, do: one("", func(ctx context.Context, w *pen, i Item) error {
			r, err := w.bun.NewInsert().Model(&i).On("CONFLICT (id) DO UPDATE").Set("version = EXCLUDED.version").Exec(ctx)
			return wrote(r, err, 1)
		}).do},
		{name: "a move", do: func(ctx context.Context, w *pen) error {
			i, ok := w.some()
			if !ok {
				return errNothing
			}
			i.Version, i.Shelf = w.version, w.shelf()
			r, err := w.bun.NewUpdate().Model((*Item)(nil)).Set("version = ?", i.Version).Set("shelf = ?", i.Shelf).Where("id = ?", i.ID).Exec(ctx)
			if err := wrote(r, err, 1); err != nil {
				return err
			}
			w.becomes(i)
			return nil
		}},
		{name: "all of a shelf", wide: true, do: func(ctx context.Context, w *pen) error {
			shelf := w.shelf()
			items := w.on(shelf)
			r, err := w.plain.ExecContext(ctx, w.text("UPDATE items SET version = ? WHERE shelf = ?"), w.version, shelf)
			if err := wrote(r, err, len(items)); err != nil {
				return err
			}
			for _, i := range items {
				i.Version = w.version
				w.becomes(i)
			}
			return nil
		}},
		{name: "a shelf emptied onto another", wide: true, do: func(ctx context.Context, w *pen) error {
			from, to := w.shelf(), w.shelf()
			items := w.on(from)
			r, err := w.bun.NewUpdate().Table("items").Set("shelf = ?", to).Set("version = ?", w.version).Where("shelf = ?", from).Exec(ctx)
			if err := wrote(r, err, len(items)); err != nil {
				return err
			}
			for _, i := range items {
				i.Version, i.Shelf = w.version, to
				w.becomes(i)
			}
			return nil
		}},
		{name: "no row", wide: true, do: func(ctx context.Context, w *pen) error {
			id, ok := w.free()
			if !ok {
				return errNothing
			}
			r, err := w.plain.ExecContext(ctx, w.text(setVersion), w.version, id)
			return wrote(r, err, 0)
		}},
		{name: "deletion of a struct", wide: true, do: func(ctx context.Context, w *pen) error {
			i, ok := w.some()
			if !ok {
				return errNothing
			}
			r, err := w.bun.NewDelete().Model(&i).WherePK().Exec(ctx)
			if err := wrote(r, err, 1); err != nil {
				return err
			}
			w.goes(i)
			return nil
		}},
		{name: "deletion of all of a shelf", wide: true, do: func(ctx context.Context, w *pen) error {
			shelf := w.shelf()
			items := w.on(shelf)
			r, err := w.bun.NewDelete().Model((*Item)(nil)).Where("shelf = ?", shelf).Exec(ctx)
			if err := wrote(r, err, len(items)); err != nil {
				return err
			}
			for _, i := range items {
				w.goes(i)
			}
			return nil
		}},
		{name: "insert", wide: true, do: insert},
		{name: "insert, again", wide: true, do: insert}, // as likely as a deletion
		{name: "insert of two", wide: true, do: func(ctx context.Context, w *pen) error {
			first, ok := w.free()
			if !ok {
				return errNothing
			}
			items := []Item{{ID: first, Shelf: w.shelf(), Version: w.version}}
			if second, _ := w.free(); second != first {
				items = append(items, Item{ID: second, Shelf: w.shelf(), Version: w.version})
			}
			r, err := w.bun.NewInsert().Model(&items).Exec(ctx)
			if err := wrote(r, err, len(items)); err != nil {
				return err
			}
			for _, i := range items {
				w.becomes(i)
			}
			return nil
		}},
	}
}

func insert(ctx context.Context, w *pen) error {
	id, ok := w.free()
	if !ok {
		return errNothing
	}
	i := Item{ID: id, Shelf: w.shelf(), Version: w.version}
	r, err := w.plain.ExecContext(ctx, w.text("INSERT INTO items (id, shelf, version) VALUES (?, ?, ?)"), i.ID, i.Shelf, i.Version)
	if err := wrote(r, err, 1); err != nil {
		return err
	}
	w.becomes(i)
	return nil
}

// fail runs a statement that the database refuses.
func (w *pen) fail(ctx context.Context) error {
	i, ok := w.some()
	if !ok {
		return errNothing
	}
	if _, err := w.bun.NewInsert().Model(&i).Exec(ctx); err == nil {
		return fmt.Errorf("an insert of item %d, which is there, did not fail", i.ID)
	}
	return nil
}
