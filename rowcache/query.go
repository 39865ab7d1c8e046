package rowcache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
)

// Selection is a query whose result is cached. Make one with Query, or with Rows.Select. Like bun's queries it collects
// mistakes, and its last method returns them.
type Selection[T any] struct {
	rc     *Cache
	q      *bun.SelectQuery
	model  *schema.Table // of the query; nil: it has none
	on     []criterion
	reads  []string
	told   bool // reads is what the query reads
	cached bool
	opts   []cacheme.CallOption
	err    error
}

// criterion is what On names.
type criterion struct {
	set   *set
	key   key
	alias string // of the occurrence of the table that its path leads to, as bun calls it
}

// Query caches what q selects, as rows of T: the query's model, another struct, or, of a single column, that column's
// type. Entries are known by the query's final SQL with its arguments, and by the database. A query on a transaction or a connection of its own, or one
// that reads a table of which nothing is cached, goes to the database.
//
// What the result depends on is read from the SQL: see docs/queries.md. Its tables have to be those of models that For
// names, or that these are related to. A query that cannot be read (a function in FROM, FOR UPDATE, a function that is not
// known to be the same each time) is a *cacheme.UsageError, unless Reads says what it reads. Has-many and many-to-many
// relations, which bun loads by queries of their own, are ToMany's.
func Query[T any](rc *Cache, q *bun.SelectQuery) *Selection[T] {
	s := &Selection[T]{rc: rc, cached: true}
	switch {
	case rc == nil:
		s.fail("got a nil Cache; give it what rowcache.New returned")
	case q == nil:
		s.fail("got a nil query; give it what db.NewSelect returned")
	case q.DB() == nil || q.DB().DB != rc.db.DB:
		s.fail("got a query of another database than its Cache has")
	default:
		s.q = q.Clone()
		s.model = modelOf(s.q)
		if name, err := toMany(s.q); err != nil || name != "" {
			if err == nil {
				err = fmt.Errorf("loads the relation %s, which bun asks for by a query of its own; leave it out, and Preload it by rowcache.ToMany", name)
			}
			s.fail(err.Error())
		}
	}
	return s
}

// Select is Query for a query of which the model says whether it is cached: it is where Caches is Everything, or where Cache
// is called.
func (r *Rows[T]) Select(q *bun.SelectQuery) *Selection[T] {
	s := Query[T](r.rc, q)
	s.cached = Policy(r.table.policy.Load()) == Everything
	return s
}

func (s *Selection[T]) fail(reason string) {
	if s.err == nil {
		s.err = &cacheme.UsageError{Node: fmt.Sprintf("rowcache.Query[%v]", reflect.TypeFor[T]()), Reason: reason}
	}
}

// Cache has the result cached where the model's Caches leaves queries alone.
func (s *Selection[T]) Cache() *Selection[T] { s.cached = true; return s }

// TTL sets how long the result lives at most.
func (s *Selection[T]) TTL(d time.Duration) *Selection[T] {
	s.opts = append(s.opts, cacheme.TTL(d))
	return s
}

// Stale is as cacheme.Stale.
func (s *Selection[T]) Stale(d time.Duration) *Selection[T] {
	s.opts = append(s.opts, cacheme.Stale(d))
	return s
}

// On says which rows of a table the result depends on: those that have this value in this column, before or after a write.
// It stands in place of what the query shows of that table; the other tables count as they do without it, and so does the
// same table where it stands once more: On("sender.id") says nothing of Relation("Recipient"), nor of a subquery. It is for a
// query whose conditions show less than its writer knows, and it is believed. Several for one table are several kinds of rows
// that matter.
//
// A column of the query's own model is named as it is, or by its Go field; one of a related model by the relations that lead
// there: "user_id", "sender.id", "Author.Publisher.country". It has to be the primary key, unique, a foreign key of a
// relation, or one of Model.Criteria.
func (s *Selection[T]) On(column string, value any) *Selection[T] {
	if s.err != nil {
		return s
	}
	if s.model == nil {
		s.fail(fmt.Sprintf("is given On(%q) and has no model whose column that could be; build it with Model((*Book)(nil))", column))
		return s
	}
	t, last := s.model, column
	var steps []string
	for {
		step, rest, more := cutPath(last)
		if !more || fieldNamed(t, last) != nil {
			break
		}
		r := relationNamed(t, step)
		if r == nil {
			s.fail(fmt.Sprintf("is given On(%q), and %v has no relation %s", column, t.Type, step))
			return s
		}
		steps = append(steps, r.Field.Name)
		t, last = r.JoinTable, rest
	}
	alias := s.model.Alias
	if len(steps) > 0 {
		alias = strings.Join(steps, "__")
	}
	f := fieldNamed(t, last)
	if r := relationNamed(t, last); f == nil && r != nil && r.Type == schema.BelongsToRelation && len(r.BasePKs) == 1 {
		f = r.BasePKs[0]
	}
	if f == nil {
		s.fail(fmt.Sprintf("is given On(%q), and %v has no column %s", column, t.Type, last))
		return s
	}
	by := s.rc.findSet(t, f)
	if by == nil {
		s.fail(fmt.Sprintf("is given On(%q), by which rows of %v are not named; call rowcache.For[%s] with Model{Criteria: [][]string{{%q}}}", column, t.Type, t.Type.Name(), f.Name))
		return s
	}
	k, err := by.key([]any{value})
	if err != nil {
		s.fail(fmt.Sprintf("is given On(%q, %v): %v", column, value, err))
		return s
	}
	s.on = append(s.on, criterion{by, k, alias})
	return s
}

// Reads says that the query reads these tables and nothing else that changes, each as a whole but for what On says: for a
// query that cannot be read. Functions in it are believed to give the same for the same rows.
func (s *Selection[T]) Reads(tables ...string) *Selection[T] {
	s.told, s.reads = true, append(s.reads, tables...)
	return s
}

// All returns the rows. The slice is the caller's; what its elements point to is shared.
func (s *Selection[T]) All(ctx context.Context) ([]T, error) {
	r, err := s.Result(ctx)
	return r.Value, err
}

// Result is All for those who want to know where the rows came from, and whether they stood in as stale.
func (s *Selection[T]) Result(ctx context.Context) (cacheme.Result[[]T], error) {
	r, err := ask(ctx, s, allRows, s.q, func(ctx context.Context, q *bun.SelectQuery) (rows []T, err error) {
		err = q.Scan(ctx, &rows)
		return rows, err
	})
	r.Value = slices.Clone(r.Value)
	return r, err
}

// One returns the first row. Where there is none, errors.Is holds for cacheme.ErrNotFound and sql.ErrNoRows.
func (s *Selection[T]) One(ctx context.Context) (row T, err error) {
	q := s.q
	if s.err == nil {
		q = q.Clone().Limit(1)
	}
	r, err := ask(ctx, s, oneRow, q, func(ctx context.Context, q *bun.SelectQuery) (row T, err error) {
		if t := reflect.TypeFor[T](); t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
			reflect.ValueOf(&row).Elem().Set(reflect.New(t.Elem()))
			return row, q.Scan(ctx, row)
		}
		err = q.Scan(ctx, &row)
		return row, err
	})
	return r.Value, err
}

// Count returns how many rows there are, the query's limit and offset aside.
func (s *Selection[T]) Count(ctx context.Context) (int64, error) {
	r, err := ask(ctx, s, "count", s.q, func(ctx context.Context, q *bun.SelectQuery) (int64, error) { return q.Count(ctx) })
	return r.Value, err
}

// Exists reports whether there is a row.
func (s *Selection[T]) Exists(ctx context.Context) (bool, error) {
	r, err := ask(ctx, s, "exists", s.q, func(ctx context.Context, q *bun.SelectQuery) (bool, error) { return q.Exists(ctx) })
	return r.Value, err
}

// What is asked of a query.
const (
	allRows = "all"
	oneRow  = "one"
)

// question is a query as the argument of a memo.
type question struct {
	hash string
	q    *bun.SelectQuery
	on   *depends
}

// ask gets the answer of a query, or asks the database.
func ask[T, V any](ctx context.Context, s *Selection[T], kind string, q *bun.SelectQuery, load func(context.Context, *bun.SelectQuery) (V, error)) (r cacheme.Result[V], err error) {
	if s.err != nil {
		return r, s.err
	}
	memo, err := memoOf(s.rc, kind, reflect.TypeFor[T](), func(ctx context.Context, q *bun.SelectQuery) (V, error) { return load(ctx, q.Clone()) })
	if err != nil {
		return r, err
	}
	past := func() (cacheme.Result[V], error) {
		return memo.GetResult(cacheme.Bypass(ctx), question{q: q, on: &depends{}})
	}
	if !s.cached || isBound(q) {
		return past()
	}
	text, err := textOf(ctx, q, s.model, kind == allRows || kind == oneRow)
	if err != nil {
		return r, err
	}
	on, err := s.depends(text)
	if err != nil {
		return r, err
	}
	if on.never {
		return past()
	}
	sum := sha256.Sum256([]byte(text + on.said))
	return memo.GetResult(ctx, question{hex.EncodeToString(sum[:16]), q, on}, s.opts...)
}

// textOf is the final SQL of a query that is scanned. A model's BeforeSelect may add to it, by what the context holds; bun
// calls it for rows alone, not to count. Making the text changes a query whose relations have conditions of their own, so
// that it is made of a clone.
func textOf(ctx context.Context, q *bun.SelectQuery, model *schema.Table, rows bool) (string, error) {
	q = q.Clone()
	if model != nil && rows {
		if hook, ok := model.ZeroIface.(bun.BeforeSelectHook); ok {
			if err := hook.BeforeSelect(ctx, q); err != nil {
				return "", err
			}
		}
	}
	b, err := q.AppendQuery(q.DB().QueryGen(), nil)
	return string(b), err
}

// memos are known by what they answer, and of which rows.
type memoKey struct {
	kind string
	rows reflect.Type
}

// memoOf is the memo of all queries of a kind on rows of a type, made when it is first needed.
func memoOf[V any](rc *Cache, kind string, rows reflect.Type, load func(context.Context, *bun.SelectQuery) (V, error)) (*cacheme.Bound[question, V], error) {
	k := memoKey{kind, rows}
	if known, ok := rc.memos.Load(k); ok {
		memo, _ := known.(*cacheme.Bound[question, V])
		return memo, nil
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if known, ok := rc.memos.Load(k); ok {
		memo, _ := known.(*cacheme.Bound[question, V])
		return memo, nil
	}
	name := sha256.Sum256([]byte(described(rows)))
	meta := rc.meta(fmt.Sprintf("query:%s:%s:%s~%x:<sql>", rc.name, kind, literal(rows.String()), name[:4]))
	meta.Negative = maxNegative
	memo, err := cacheme.Memo(rc.cache, cacheme.Memoized[question, V]{
		Meta:               meta,
		Values:             func(q question) []any { return []any{q.hash} },
		InvalidNodes:       func(q question) []cacheme.Invalid { return q.on.invalids },
		ResultInvalidNodes: func(q question, v V) []cacheme.Invalid { return q.on.of(reflect.ValueOf(&v).Elem()) },
		Tags:               []string{rc.tag()},
		Examples:           []question{{on: &depends{}}}, // what a query depends on is known by its text alone
	}, func(ctx context.Context, q question) (V, error) { return load(ctx, q.q) })
	if err != nil {
		return nil, rc.told(err)
	}
	rc.memos.Store(k, memo)
	return memo, nil
}

// described tells types apart as far as their names and fields do: two functions may each have a type Row.
func described(t reflect.Type) string {
	var b strings.Builder
	b.WriteString(t.PkgPath() + " " + t.String())
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			fmt.Fprintf(&b, "; %s %v %s", f.Name, f.Type, f.Tag)
		}
	}
	return b.String()
}

// cutPath splits off the first step of a path of relations, which dots part, or two underscores.
func cutPath(path string) (step, rest string, more bool) {
	if step, rest, more = strings.Cut(path, "."); more {
		return step, rest, true
	}
	return strings.Cut(path, "__")
}

func relationNamed(t *schema.Table, name string) *schema.Relation {
	for goName, r := range t.Relations {
		if goName == name || r.Field.Name == name {
			return r
		}
	}
	return nil
}

func fieldNamed(t *schema.Table, name string) *schema.Field {
	for _, f := range t.Fields {
		if f.Name == name || f.GoName == name {
			return f
		}
	}
	return nil
}
