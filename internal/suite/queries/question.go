package queries

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

// question is something that can be asked of the cache, and of the database beside it. Both answers are texts.
type question struct {
	name   string
	text   string // its SQL
	cached func(context.Context) (string, error)
	plain  func(context.Context) (string, error)
	anew   func() // from now on it is a question that was never asked
}

// manner is by which method a query is asked.
type manner uint8

const (
	all manner = iota
	one
	count
	exists
)

func (m manner) String() string { return [...]string{"All", "One", "Count", "Exists"}[m] }

// build makes a query; equal ones of each database that it is given.
type build func(db *bun.DB) *bun.SelectQuery

// on is a criterion that is named.
type on struct {
	column string
	value  any
}

// ask makes a question of a query. ordered says that the order of its rows is the query's and not the database's.
func ask[T any](p *place, name string, m manner, ordered bool, q build, criteria ...on) question {
	version := 0
	selection := func() *rowcache.Selection[T] {
		query := q(p.db)
		if version > 0 {
			query = query.Comment(fmt.Sprint("version ", version))
		}
		s := rowcache.Query[T](p.rc, query)
		for _, c := range criteria {
			s = s.On(c.column, c.value)
		}
		return s
	}
	asked := question{name: name, text: fmt.Sprintf("%v of %s, on %v", m, q(p.admin), criteria), anew: func() { version++ }}
	switch m {
	case one:
		asked.cached = answer(ordered, func(ctx context.Context) (T, error) { return selection().One(ctx) })
		asked.plain = answer(ordered, func(ctx context.Context) (row T, err error) {
			err = q(p.admin).Limit(1).Scan(ctx, &row)
			return row, err
		})
	case count:
		asked.cached = answer(ordered, func(ctx context.Context) (int64, error) { return selection().Count(ctx) })
		asked.plain = answer(ordered, func(ctx context.Context) (int64, error) { return q(p.admin).Count(ctx) })
	case exists:
		asked.cached = answer(ordered, func(ctx context.Context) (bool, error) { return selection().Exists(ctx) })
		asked.plain = answer(ordered, func(ctx context.Context) (bool, error) { return q(p.admin).Exists(ctx) })
	default:
		asked.cached = answer(ordered, func(ctx context.Context) ([]T, error) { return selection().All(ctx) })
		asked.plain = answer(ordered, func(ctx context.Context) (rows []T, err error) {
			err = q(p.admin).Scan(ctx, &rows)
			return rows, err
		})
	}
	return asked
}

// answer makes a text of what a question returns.
func answer[V any](ordered bool, do func(context.Context) (V, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		v, err := do(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return "there is none", nil
		}
		if err != nil {
			return "", err
		}
		return told(reflect.ValueOf(v), ordered)
	}
}

// told is a value as a text: a row a line.
func told(v reflect.Value, ordered bool) (string, error) {
	if v.Kind() != reflect.Slice {
		b, err := json.Marshal(v.Interface())
		return string(b), err
	}
	rows := make([]string, v.Len())
	for i := range rows {
		b, err := json.Marshal(v.Index(i).Interface())
		if err != nil {
			return "", err
		}
		rows[i] = string(b)
	}
	if !ordered {
		slices.Sort(rows)
	}
	return strings.Join(rows, "\n"), nil
}

// warm asks until nothing has to be loaded, and returns the answer.
func (q *question) warm(ctx context.Context) (string, error) {
	var got string
	for range 4 {
		n, err := selects(ctx, func(ctx context.Context) (err error) {
			got, err = q.cached(ctx)
			return err
		})
		if err != nil || n == 0 {
			return got, err
		}
	}
	return got, fmt.Errorf("the cache does not keep %s", q.text)
}

// again asks once more, and returns the answer and whether it was loaded.
func (q *question) again(ctx context.Context) (got string, loaded bool, err error) {
	n, err := selects(ctx, func(ctx context.Context) (err error) {
		got, err = q.cached(ctx)
		return err
	})
	return got, n > 0, err
}

// without is an error that tells of no more than that rows are missing, as none.
func without(err error) error {
	if _, alone := err.(*cacheme.MissingError); alone { //nolint:errorlint // one that is joined with others is another error
		return nil
	}
	return err
}
