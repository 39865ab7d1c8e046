package provenance

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
)

// made is what one statement made wrong, as the checker works it out by itself.
type made struct {
	operation string
	table     string
	rows      []string // primary keys
	whole     bool
	line      string
	wrong     []string // names of dependencies
}

// here is the line that calls, as Write.Caller has it.
func here() string {
	_, file, line, _ := runtime.Caller(1)
	return filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file) + ":" + strconv.Itoa(line)
}

// at joins a statement's outcome with its line: both have to stand in one.
func at(line string) func(sql.Result, error) (string, error) {
	return func(_ sql.Result, err error) (string, error) { return line, err }
}

// statement is a way to write: run returns its line, and plan what it does to the shelves.
type statement struct {
	operation string
	whole     bool
	// plan changes the shelves and returns the items that are written.
	plan func(shelves map[int64]int64, id, shelf int64) []int64
	run  func(ctx context.Context, db bun.IDB, id, shelf int64) (line string, err error)
}

// one is the item, if it is there.
func one(shelves map[int64]int64, id, _ int64) []int64 {
	if _, ok := shelves[id]; !ok {
		return nil
	}
	return []int64{id}
}

// on are the items of a shelf.
func on(shelves map[int64]int64, _, shelf int64) (ids []int64) {
	for _, id := range slices.Sorted(maps.Keys(shelves)) {
		if shelves[id] == shelf {
			ids = append(ids, id)
		}
	}
	return ids
}

func statements() []statement {
	return []statement{
		{operation: "UPDATE", plan: one, run: func(ctx context.Context, db bun.IDB, id, _ int64) (string, error) {
			return at(here())(db.NewUpdate().Model((*Item)(nil)).Set("version = version + 1").Where("id = ?", id).Exec(ctx))
		}},
		{operation: "UPDATE", plan: one, run: func(ctx context.Context, db bun.IDB, id, _ int64) (string, error) {
			return at(here())(db.ExecContext(ctx, "UPDATE items SET version = version + 1 WHERE id = ?", id))
		}},
		{operation: "UPDATE", plan: func(shelves map[int64]int64, id, shelf int64) []int64 {
			if len(one(shelves, id, shelf)) == 0 {
				return nil
			}
			shelves[id] = shelf
			return []int64{id}
		}, run: func(ctx context.Context, db bun.IDB, id, shelf int64) (string, error) {
			return at(here())(db.NewUpdate().Model((*Item)(nil)).Set("shelf = ?", shelf).Where("id = ?", id).Exec(ctx))
		}},
		{operation: "UPDATE", plan: on, run: func(ctx context.Context, db bun.IDB, _, shelf int64) (string, error) {
			return at(here())(db.NewUpdate().Model((*Item)(nil)).Set("version = version + 1").Where("shelf = ?", shelf).Exec(ctx))
		}},
		{operation: "DELETE", plan: func(shelves map[int64]int64, id, shelf int64) []int64 {
			ids := one(shelves, id, shelf)
			delete(shelves, id)
			return ids
		}, run: func(ctx context.Context, db bun.IDB, id, _ int64) (string, error) {
			return at(here())(db.NewDelete().Model((*Item)(nil)).Where("id = ?", id).Exec(ctx))
		}},
		{operation: "UPDATE", whole: true, plan: one, run: func(ctx context.Context, db bun.IDB, id, _ int64) (string, error) {
			return at(here())(db.ExecContext(bunhooks.Touches(ctx, "items"), "UPDATE items SET version = version + 1 WHERE id = ?", id))
		}},
	}
}

// insertion is used where the item is not there.
func insertion() statement {
	return statement{operation: "INSERT", plan: func(shelves map[int64]int64, id, shelf int64) []int64 {
		shelves[id] = shelf
		return []int64{id}
	}, run: func(ctx context.Context, db bun.IDB, id, shelf int64) (string, error) {
		return at(here())(db.NewInsert().Model(&Item{ID: id, Shelf: shelf}).Exec(ctx))
	}}
}

// does runs a statement and works out what it made wrong: of each row what it was and what it is.
func (s statement) does(ctx context.Context, db bun.IDB, known map[int64]int64, id, shelf int64) (made, error) {
	before := maps.Clone(known)
	line, err := s.run(ctx, db, id, shelf)
	if err != nil {
		return made{}, fmt.Errorf("%s: %w", line, err)
	}
	m := made{operation: s.operation, table: "items", line: line, whole: s.whole}
	ids := s.plan(known, id, shelf)
	if s.whole {
		m.wrong = []string{"table:items", "rows:items"}
		return m, nil
	}
	for _, id := range ids {
		m.rows = append(m.rows, fmt.Sprint(id))
		m.wrong = append(m.wrong, fmt.Sprintf("row:item:%d", id), "rows:items")
		for _, known := range []map[int64]int64{before, known} {
			if shelf, ok := known[id]; ok {
				m.wrong = append(m.wrong, fmt.Sprintf("row:item:shelf:%d", shelf))
			}
		}
	}
	return m, nil
}
