package rowcache

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cacheme/cacheme"
)

// Model says how the rows of one model are cached. The zero value is ready for use.
type Model struct {
	// Caches is what of the model is cached. Default: what the Cache's Options say.
	Caches Policy
	// Unique are columns, or groups of them, by which GetBy finds a row, besides those that are tagged unique. The database
	// has to hold them to be unique.
	Unique [][]string
	// Criteria are groups of columns by whose values queries on the table are narrow, besides the primary key, what is
	// unique, and the foreign keys that relations name. Each costs every write of a row two small commands.
	Criteria [][]string
	// TTL and Stale are those of the rows; zero: those of the Cache's Options.
	TTL, Stale time.Duration
	// Refill has the process that writes a row load its entries again, where there are some; see cacheme.RefillRows.
	Refill bool
}

// Rows caches the rows of model T by their keys. Make one with For.
type Rows[T any] struct {
	rc    *Cache
	model Model
	table *table
	pk    *set

	mu      sync.Mutex
	lookups []*lookup[T]
}

// For caches the rows of model T, which is a struct type that bun knows. Of a model whose BeforeSelect makes what is read
// depend on the context, rows and relations are read from the database each time; Query caches them by their SQL. What
// AfterSelect and AfterScanRow make of a row is stored with it, for all. What is wrong is told as
// *cacheme.DeclarationError: a model without a primary key, whose rows do not survive being stored, or that is cached
// already; a table that another model has.
func For[T any](rc *Cache, m Model) (*Rows[T], error) {
	t := reflect.TypeFor[T]()
	wrong := func(field string, err error) (*Rows[T], error) { return nil, wrongModel(t, field, err) }
	if rc == nil {
		return wrong("", fmt.Errorf("has a nil Cache; give it what rowcache.New returned"))
	}
	model, err := bunTable(rc.db, t)
	if err != nil {
		return wrong("", err)
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	table, err := rc.table(model)
	switch {
	case err != nil:
		return wrong("", err)
	case table.rows != nil:
		return wrong("", fmt.Errorf("is cached already; keep what the first For returned"))
	case len(model.PKs) == 0:
		return wrong("", fmt.Errorf("has no primary key, and rows are cached by it; tag its field `bun:\",pk\"`"))
	}
	r := &Rows[T]{rc: rc, model: m, table: table}
	if r.pk, err = rc.set(table, model.PKs, true); err != nil {
		return wrong("", err)
	}
	for _, columns := range m.Criteria {
		if err := r.add(columns, false); err != nil {
			return wrong("Criteria", err)
		}
	}
	for _, columns := range m.Unique {
		if err := r.add(columns, true); err != nil {
			return wrong("Unique", err)
		}
	}
	if m.Caches != Default {
		table.policy.Store(int32(m.Caches))
	}
	for _, s := range table.sets {
		if s.unique.Load() {
			if _, err := r.by(s); err != nil {
				return wrong("", err)
			}
		}
	}
	if m.Refill {
		if err := r.refill(); err != nil {
			return wrong("Refill", err)
		}
	}
	table.rows = t
	return r, nil
}

func (r *Rows[T]) add(columns []string, unique bool) error {
	fields, err := r.table.fields(columns)
	if err != nil {
		return err
	}
	_, err = r.rc.set(r.table, fields, unique)
	return err
}

// Get returns the row with this primary key: its columns' values in the order of the struct. A value may be of any type
// that becomes the column's: an int for an int64, a UUID's text for a UUID. Where there is no such row, or it is deleted
// softly, errors.Is holds for cacheme.ErrNotFound and sql.ErrNoRows; that is cached too. Other errors are
// *cacheme.UsageError for a key that is none, and those of the database.
func (r *Rows[T]) Get(ctx context.Context, id ...any) (T, error) {
	found, err := r.get(ctx, r.pk, id)
	return found.Value, err
}

// GetResult is Get for those who want to know where the row came from, and whether it stood in as stale.
func (r *Rows[T]) GetResult(ctx context.Context, id ...any) (cacheme.Result[T], error) {
	return r.get(ctx, r.pk, id)
}

// GetBy is Get by another column, or by several that are unique together ("shop_id,slug", with as many values). They have
// to be tagged unique, or named in Model.Unique: else it is a *cacheme.UsageError.
func (r *Rows[T]) GetBy(ctx context.Context, columns string, values ...any) (row T, err error) {
	names := strings.Split(columns, ",")
	fields, err := r.table.fields(names)
	if err != nil {
		return row, r.usage("GetBy", err.Error())
	}
	r.rc.mu.Lock()
	s := r.table.find(fields)
	r.rc.mu.Unlock()
	if s == nil || !s.unique.Load() {
		return row, r.usage("GetBy", fmt.Sprintf("was asked for %s, which is not known to be unique; tag it `bun:\",unique\"`, name it in Model.Unique, or use rowcache.Query", columns))
	}
	if len(values) != len(fields) {
		return row, r.usage("GetBy", fmt.Sprintf("got %d values for %d columns", len(values), len(fields)))
	}
	inOrder := make([]any, len(values))
	for i, f := range fields {
		inOrder[slices.Index(s.fields, f)] = values[i]
	}
	found, err := r.get(ctx, s, inOrder)
	return found.Value, err
}

func (r *Rows[T]) usage(method, reason string) error {
	return &cacheme.UsageError{Node: fmt.Sprintf("rowcache.Rows[%v].%s", reflect.TypeFor[T](), method), Reason: reason}
}

func (r *Rows[T]) get(ctx context.Context, s *set, values []any) (none cacheme.Result[T], err error) {
	k, err := r.keyFor(s, values)
	if err != nil {
		return none, err
	}
	l, err := r.by(s)
	if err != nil {
		return none, err
	}
	return l.bound.GetResult(ctx, k)
}

// keyFor is the key that a caller names.
func (r *Rows[T]) keyFor(s *set, values []any) (key, error) {
	k, err := s.key(values)
	if err == nil && slices.Contains(s.values(k), nil) {
		err = r.usage("Get", "got nil for a key: NULL is nobody's")
	}
	return k, err
}

// Key is a primary key of several columns, where GetMany takes many.
type Key []any

// GetMany returns the rows with these primary keys, in their order, in one round trip; those that are not cached by one
// SELECT for each 500 of them. A key of several columns is a Key; IDs makes arguments of a slice. Rows that do not exist are zero values, and the error is a
// *cacheme.MissingError that tells which.
func (r *Rows[T]) GetMany(ctx context.Context, ids ...any) ([]T, error) {
	keys := make([]key, len(ids))
	for i, id := range ids {
		values, several := id.(Key)
		if !several {
			values = Key{id}
		}
		var err error
		if keys[i], err = r.keyFor(r.pk, values); err != nil {
			return nil, err
		}
	}
	l, err := r.by(r.pk)
	if err != nil {
		return nil, err
	}
	return l.getMany(ctx, r.rc.db, keys)
}

// IDs makes arguments of GetMany from a slice of keys.
func IDs[K any](ids []K) []any {
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
}

// refill has rows that are written loaded again.
func (r *Rows[T]) refill() error {
	return cacheme.RefillRows(r.rc.cache, func(row T) []cacheme.Declaration {
		var nodes []cacheme.Declaration
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, l := range r.lookups {
			if k, ok, err := l.keyOf(reflect.ValueOf(&row).Elem()); ok && err == nil {
				nodes = append(nodes, l.bound.Node(k))
			}
		}
		return nodes
	})
}
