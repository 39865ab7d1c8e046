package bunhooks_test

import (
	"context"
	"testing"

	"github.com/cacheme/cacheme"
)

// A sql.Tx has the context of its BeginTx, and its methods without one have none.
func TestLoad_in_a_transaction_of_its_own_is_never_stored(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]func(w *world, ctx context.Context) (string, error){
		"BeginTx": func(w *world, ctx context.Context) (title string, err error) {
			tx, err := w.db.DB.BeginTx(ctx, nil)
			if err != nil {
				return "", err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.Exec("UPDATE books SET title = 'never committed' WHERE id = 1"); err != nil {
				return "", err
			}
			return title, tx.QueryRow("SELECT title FROM books WHERE id = 1").Scan(&title)
		},
		"BEGIN": func(w *world, ctx context.Context) (title string, err error) {
			conn, err := w.db.DB.Conn(ctx)
			if err != nil {
				return "", err
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
				return "", err
			}
			defer func() { _, _ = conn.ExecContext(background, "ROLLBACK") }()
			if _, err := conn.ExecContext(background, "UPDATE books SET title = 'never committed' WHERE id = 1"); err != nil {
				return "", err
			}
			return title, conn.QueryRowContext(background, "SELECT title FROM books WHERE id = 1").Scan(&title)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			first, err := cacheme.GetFrom(background, w.cache, BookText{ID: 1}, func(ctx context.Context, _ BookText) (string, error) { return load(w, ctx) })
			if first != "never committed" || err != nil {
				t.Fatalf("the load = %q, %v", first, err)
			}
			for range 2 {
				got, err := cacheme.GetFrom(background, w.cache, BookText{ID: 1}, func(context.Context, BookText) (string, error) { return "anew", nil })
				if got != "anew" || err != nil {
					t.Errorf("Get = %q, %v, want a load", got, err)
				}
			}
		})
	}
}

// A view that can be written is watched, and its definition hides what it reads.
func TestAuto_stores_nothing_of_a_view_with_a_trigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `CREATE TABLE loans (id INTEGER PRIMARY KEY, due INTEGER);
		CREATE VIEW overdue AS SELECT * FROM loans WHERE due < julianday('now');
		CREATE TRIGGER returned INSTEAD OF DELETE ON overdue BEGIN DELETE FROM loans WHERE id = old.id; END;`})
	loads := 0
	memo, err := cacheme.Memo(w.cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "overdue", Observe: cacheme.Auto}},
		func(ctx context.Context, _ int64) (n int, err error) {
			loads++
			return n, w.db.DB.QueryRowContext(ctx, "SELECT count(*) FROM overdue").Scan(&n)
		})
	w.must(err)
	for range 4 {
		_, err := memo.Get(background, 0)
		w.must(err)
	}
	if loads != 4 {
		t.Errorf("%d of 4 calls load, want all of them", loads)
	}
}
