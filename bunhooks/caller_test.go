package bunhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/tap"
)

// answer is what a caller can see of a query.
type answer struct {
	Columns, Types []string
	Rows           []string
	Err            string
}

func ask(q querier, text string, args ...any) (a answer) {
	rows, err := q.QueryContext(background, text, args...)
	if err == nil {
		defer func() { _ = rows.Close() }()
		a.Columns, _ = rows.Columns()
		types, _ := rows.ColumnTypes()
		for _, t := range types {
			nullable, ok := t.Nullable()
			a.Types = append(a.Types, fmt.Sprint(t.Name(), t.DatabaseTypeName(), t.ScanType(), nullable, ok))
		}
		for rows.Next() {
			values, dest := make([]any, len(a.Columns)), make([]any, len(a.Columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err = rows.Scan(dest...); err != nil {
				break
			}
			a.Rows = append(a.Rows, fmt.Sprintf("%#v", values))
		}
		if err == nil {
			err = rows.Err()
		}
	}
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

func TestCallers_get_what_they_would_without_the_hook(t *testing.T) {
	t.Parallel()
	// The first runs as it is, the others on the same rows with the hook.
	plain := newWorld(t, setup{})
	hooked := newWorld(t, setup{})
	const blank = "DELETE FROM books; DELETE FROM lines; INSERT INTO books VALUES (1, 'a', 1), (2, NULL, 1), (3, 'c', NULL); INSERT INTO lines VALUES (1, 1, 'x')"
	queries := []string{
		"INSERT INTO books (title, author_id) VALUES ('new', 7) RETURNING id, title AS name, author_id + 1",
		"INSERT INTO books (title) VALUES ('p'), ('q') RETURNING *",
		"INSERT INTO books DEFAULT VALUES RETURNING id",
		"INSERT INTO books SELECT id + 10, title, author_id FROM books RETURNING id",
		"INSERT INTO books VALUES (1, 'dup', 1) ON CONFLICT DO NOTHING RETURNING id",
		"INSERT INTO books VALUES (1, 'dup', 9), (8, 'new', 9) ON CONFLICT (id) DO UPDATE SET title = excluded.title RETURNING *",
		"INSERT INTO books VALUES (1, 'dup', 9) ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id RETURNING *",
		"REPLACE INTO books VALUES (1, 'dup', 9) RETURNING title",
		"INSERT INTO books VALUES (1, 'dup', 9) RETURNING id",
		"UPDATE books SET title = 'u' RETURNING id, title",
		"UPDATE books SET author_id = 4 WHERE author_id IS NULL RETURNING author_id, id",
		"UPDATE books SET id = id + 100 RETURNING id",
		"UPDATE books SET nothing = 1 RETURNING id",
		"UPDATE books AS b SET title = l.text FROM lines AS l WHERE l.book_id = b.id RETURNING title",
		"DELETE FROM books WHERE id > 1 RETURNING *",
		"DELETE FROM books WHERE id > 77 RETURNING *",
		"DELETE FROM books RETURNING count(*)",
		"SELECT * FROM books", "VALUES (1), (2)", "PRAGMA user_version", "nonsense", "",
	}
	for _, text := range queries {
		for _, db := range []*sql.DB{plain.plain, hooked.db.DB} {
			if _, err := db.ExecContext(background, blank); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(ask(plain.plain, text), ask(hooked.db.DB, text)); diff != "" {
			t.Errorf("Query(%s) (-without +with the hook):\n%s", text, diff)
		}
		if diff := cmp.Diff(ask(plain.plain, "SELECT * FROM books ORDER BY id"), ask(hooked.db.DB, "SELECT * FROM books ORDER BY id")); diff != "" {
			t.Errorf("the rows after %s (-without +with the hook):\n%s", text, diff)
		}
	}
	// SQLite's driver stops at the first row of a RETURNING that is executed; and an empty text has no result at all.
	texts := []string{
		"INSERT INTO books (title, author_id) VALUES ('new', 7), ('newer', 7)", "INSERT INTO books DEFAULT VALUES", "INSERT INTO books SELECT id + 10, title, author_id FROM books",
		"INSERT INTO books VALUES (1, 'dup', 1), (20, 'n', 1) ON CONFLICT DO NOTHING", "INSERT INTO books VALUES (1, 'dup', 9), (8, 'new', 9) ON CONFLICT (id) DO UPDATE SET title = excluded.title",
		"REPLACE INTO books VALUES (1, 'dup', 9), (21, 'n', 1)", "INSERT INTO books VALUES (1, 'dup', 9)",
		"UPDATE books SET author_id = 8", "UPDATE books SET title = 'u' WHERE author_id = 1", "UPDATE books SET id = id + 100", "UPDATE books SET nothing = 1",
		"DELETE FROM books WHERE id < 3", "DELETE FROM books", "DELETE FROM books WHERE id = 77", "UPDATE books SET title = 'x'; DELETE FROM lines", "nonsense",
	}
	for _, text := range texts {
		var results []string
		for _, db := range []*sql.DB{plain.plain, hooked.db.DB} {
			results = append(results, resultOf(t, db, blank, text))
		}
		if results[0] != results[1] {
			t.Errorf("Exec(%s) = %s, without the hook %s", text, results[1], results[0])
		}
	}
}

// resultOf is what a caller gets of a text that is executed after another one on the same connection.
func resultOf(t *testing.T, db *sql.DB, first, text string) string {
	t.Helper()
	c, err := db.Conn(background)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(background, first); err != nil {
		t.Fatal(err)
	}
	r, err := c.ExecContext(background, text)
	if err != nil {
		return err.Error()
	}
	n, errN := r.RowsAffected()
	id, errID := r.LastInsertId()
	return fmt.Sprint(n, " rows ", errN, ", id ", id, errID)
}

func TestQueryRow_with_the_callers_own_RETURNING(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.makesWrong("a RETURNING of the caller's own", func() error {
		var title string
		err := w.db.DB.QueryRowContext(background, "UPDATE books SET title = title || '!' WHERE author_id = 2 RETURNING title").Scan(&title)
		if title != "c!" {
			t.Errorf("RETURNING title = %q, want c!", title)
		}
		return err
	}, w.all(), w.book(3), w.list(2))
	w.makesWrong("a model with a generated key", func() error {
		b := Book{ID: 9, Title: "n", AuthorID: 5}
		_, err := w.db.NewInsert().Model(&b).Returning("*").Exec(background)
		return err
	}, w.all(), w.book(9), w.list(5))
	var b Book
	_, err := w.db.NewUpdate().Model(&b).Set("title = 'z'").Where("id = 9").Returning("title, author_id").Exec(background)
	if b.Title != "z" || b.AuthorID != 5 || err != nil {
		t.Errorf("Returning into a model = %+v, %v", b, err)
	}
}

func TestPrepared_statements_are_used_in_and_out_of_transactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	move, err := w.db.DB.PrepareContext(background, "UPDATE books SET author_id = ? WHERE id = ?")
	w.must(err)
	defer func() { _ = move.Close() }()
	exec := func(s *sql.Stmt, author, book int64) error {
		r, err := s.ExecContext(background, author, book)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); n != 1 || err != nil {
			t.Errorf("RowsAffected() = %d, %v, want 1", n, err)
		}
		return nil
	}
	in := func(end func(*sql.Tx) error, author, book int64) func() error {
		return func() error {
			tx, err := w.db.DB.BeginTx(background, nil)
			if err != nil {
				return err
			}
			if err := exec(tx.StmtContext(background, move), author, book); err != nil {
				return err
			}
			return end(tx)
		}
	}
	for range 2 {
		w.makesWrong("on its own", func() error { return exec(move, 5, 1) }, w.all(), w.book(1), w.list(1), w.list(5))
		w.makesWrong("rolled back", in((*sql.Tx).Rollback, 2, 1), w.all())
		w.makesWrong("committed", in((*sql.Tx).Commit, 2, 1), w.all(), w.book(1), w.list(5), w.list(2))
		w.makesWrong("on its own again", func() error { return exec(move, 1, 1) }, w.all(), w.book(1), w.list(2), w.list(1))
	}
}

func TestPool_of_one_connection_is_enough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	w.warm(w.all()...)
	err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*Book)(nil)).Set("author_id = 5").Where("title = 'a'").Exec(ctx); err != nil {
			return err
		}
		_, err := w.book(1).get(ctx, func(ctx context.Context) (string, error) { return read(ctx, tx, w.book(1).query) })
		return err
	})
	w.must(err)
	w.fresh("after a transaction", w.all()...)
	_, err = w.db.ExecContext(ctx, "CREATE TABLE more (id INTEGER PRIMARY KEY)")
	w.must(err)
	_, err = w.db.NewDelete().Model((*Book)(nil)).Where("author_id = 5").Exec(ctx)
	w.must(err)
	w.fresh("after single statements", w.all()...)
	if n := w.db.Stats().InUse; n != 0 {
		t.Errorf("%d connections are in use, want none", n)
	}
}

// A context that ends before each call of the driver in turn: the write is done or not, and nobody is left with old data.
func TestContext_that_ends_at_any_point_leaves_nothing_old(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		write func(ctx context.Context, w *world) error
	}{
		{"a statement", func(ctx context.Context, w *world) error {
			_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = title || '!', author_id = 5").Where("id = 1").Exec(ctx)
			return err
		}},
		{"a transaction", func(ctx context.Context, w *world) error {
			return w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.NewUpdate().Model((*Book)(nil)).Set("title = title || '!', author_id = 5").Where("id = 1").Exec(ctx); err != nil {
					return err
				}
				_, err := tx.NewDelete().Model((*Line)(nil)).Where("book_id = 1").Exec(ctx)
				return err
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for point, last := int64(1), false; !last; point++ {
				var at atomic.Int64
				var cancel atomic.Pointer[context.CancelFunc]
				w := newWorld(t, setup{database: func(_ context.Context, _ tap.Call, do func() error) error {
					if f := cancel.Load(); f != nil && at.Add(1) == point {
						(*f)()
					}
					return do()
				}})
				w.db.SetMaxOpenConns(1)
				w.warm(w.all()...)
				before, err := read(background, w.plain, "SELECT * FROM books")
				w.must(err)
				ctx, stop := context.WithCancel(background)
				cancel.Store(&stop)
				err = c.write(ctx, w)
				cancel.Store(nil)
				last = at.Load() < point
				stop()
				after, errAfter := read(background, w.plain, "SELECT * FROM books")
				w.must(errAfter)
				if err == nil && after == before {
					t.Errorf("point %d: no error, and nothing was written", point)
				}
				w.fresh(fmt.Sprintf("point %d (%v)", point, err), w.all()...)
				w.must(w.exec("UPDATE books SET title = 'z' WHERE id = 3")())
				w.fresh(fmt.Sprintf("a write after point %d", point), w.all()...)
				if last && err != nil {
					t.Errorf("without an end: %v", err)
				}
			}
		})
	}
}

func TestContext_that_has_ended_before_a_connection_is_there_is_no_reason_to_warn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	ctx, cancel := context.WithCancel(background)
	cancel()
	w.makesWrong("a write that never began", func() error {
		if _, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'never'").Where("id = 1").Exec(ctx); err == nil {
			t.Error("a write with a context that has ended: no error")
		}
		return nil
	}, w.all())
	if n := w.log.count("level="); n != 0 {
		t.Errorf("%d lines in the log, want none", n)
	}
}

func TestWrites_of_many_goroutines_leave_nothing_old(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	errs := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for n := range 10 {
				_, err = w.db.NewUpdate().Model((*Book)(nil)).Set("author_id = ?", 1+(i+n)%5).Where("id = ?", 1+i%3).Exec(background)
				if err != nil {
					break
				}
				w.get(background, w.list(int64(1+n%5)))
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	w.fresh("afterwards", slices.Concat(w.all(), []entry{w.list(3), w.list(4)})...)
}
