package rowcache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// lookup finds rows by the values of a set's columns.
type lookup[T any] struct {
	*set
	bound *cacheme.Bound[key, T]
}

// by is the lookup by a set, made where there is none yet.
func (r *Rows[T]) by(s *set) (*lookup[T], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lookups {
		if l.set == s {
			return l, nil
		}
	}
	rc := r.rc
	meta := rc.meta(keyOfSet("row:"+rc.name+":"+literal(r.table.name), s))
	if r.model.TTL != 0 {
		meta.TTL = r.model.TTL
	}
	if r.model.Stale != 0 {
		meta.Stale = r.model.Stale
	}
	meta.Negative = maxNegative // "no such row" lives as long as a row
	l := &lookup[T]{set: s}
	var err error
	l.bound, err = cacheme.Memo(rc.cache, cacheme.Memoized[key, T]{
		Meta:         meta,
		Values:       s.values,
		InvalidNodes: func(k key) []cacheme.Invalid { return []cacheme.Invalid{s.invalid(k)} },
		Tags:         []string{rc.tag()},
		Examples:     []key{s.example()},
		Skip:         func(context.Context, key) bool { return !r.table.keepsRows() },
	}, func(ctx context.Context, k key) (row T, err error) {
		err = s.query(rc.db, &row, []key{k}).Limit(1).Scan(ctx)
		return row, err
	})
	if err != nil {
		return nil, r.rc.told(err)
	}
	if r.model.Refill {
		cacheme.Refillable(l.bound, l.loadMany(rc.db))
	}
	r.lookups = append(r.lookups, l)
	return l, nil
}

// maxNegative is more than any TTL: the shorter one holds.
const maxNegative = 365 * 24 * time.Hour

// keyOfSet is a template with a hole for each column: row:shop:books:author_id:<c0>.
func keyOfSet(prefix string, s *set) string {
	var b strings.Builder
	b.WriteString(prefix)
	for _, name := range s.columns() {
		b.WriteString(":" + literal(name))
	}
	for i := range s.fields {
		fmt.Fprintf(&b, ":<c%d>", i)
	}
	return b.String()
}

// query asks for the rows with certain keys. Where several rows can have one key, the first by primary key comes first.
func (s *set) query(db *bun.DB, dest any, keys []key) *bun.SelectQuery {
	q := s.where(db.NewSelect().Model(dest), keys)
	if !s.unique.Load() {
		for _, pk := range s.table.schema.PKs {
			q = q.OrderExpr("?TableAlias.?", pk.SQLName)
		}
	}
	return q
}

// where narrows a query of the set's model to the rows with certain keys.
func (s *set) where(q *bun.SelectQuery, keys []key) *bun.SelectQuery {
	if len(s.fields) == 1 {
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = k[0]
		}
		return q.Where("?TableAlias.? IN (?)", s.fields[0].SQLName, bun.List(values))
	}
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, k := range keys {
			q = q.WhereGroup(" OR ", func(q *bun.SelectQuery) *bun.SelectQuery {
				for i, f := range s.fields {
					q = q.Where("?TableAlias.? = ?", f.SQLName, k[i])
				}
				return q
			})
		}
		return q
	})
}

// loadChunk is how many keys one SELECT asks for.
const loadChunk = 500

// loadMany is the batch loader: one SELECT for each 500 keys.
func (l *lookup[T]) loadMany(db *bun.DB) func(context.Context, []key) (map[key]T, error) {
	return func(ctx context.Context, keys []key) (map[key]T, error) {
		found := make(map[key]T, len(keys))
		for chunk := range slices.Chunk(keys, loadChunk) {
			var rows []T
			if err := l.query(db, &rows, chunk).Scan(ctx); err != nil {
				return nil, err
			}
			others, err := l.assign(found, rows, chunk)
			if err != nil {
				return nil, err
			}
			for _, k := range chunk {
				if _, ok := found[k]; ok || !others {
					continue
				}
				// A row came that has none of the keys as they are written: for the database a and A may be equal.
				var row T
				switch err := l.query(db, &row, []key{k}).Limit(1).Scan(ctx); {
				case err == nil:
					found[k] = row
				case !errors.Is(err, sql.ErrNoRows):
					return nil, err
				}
			}
		}
		return found, nil
	}
}

// assign gives each key the first row that has it, and reports whether some row has none of them.
func (l *lookup[T]) assign(found map[key]T, rows []T, keys []key) (others bool, err error) {
	asked := make(map[key]bool, len(keys))
	for _, k := range keys {
		asked[k] = true
	}
	for _, row := range rows {
		k, ok, err := l.keyOf(reflect.ValueOf(&row).Elem())
		if err != nil {
			return false, err
		}
		if _, known := found[k]; ok && !known {
			found[k] = row
		}
		others = others || !ok || !asked[k]
	}
	return others, nil
}

// getMany answers in the order of keys; where rows are missing, beside a *cacheme.MissingError.
func (l *lookup[T]) getMany(ctx context.Context, db *bun.DB, keys []key) ([]T, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return cacheme.GetManyBound(ctx, l.bound, keys, l.loadMany(db))
}
