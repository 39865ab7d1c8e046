package sqltext_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme/internal/sqltext"
)

func TestReturning_appends_columns_behind_the_last_token(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d          sqltext.Dialect
		text, want string
	}{
		{pg, `UPDATE "books" AS "b" SET a = 1 WHERE id = $1`, `UPDATE "books" AS "b" SET a = 1 WHERE id = $1 RETURNING x, y`},
		{pg, "/* trace */ DELETE FROM books -- all of them\n ; -- done", "/* trace */ DELETE FROM books RETURNING x, y"},
		{pg, "-- name: Add :one\nINSERT INTO books DEFAULT VALUES RETURNING id /* RETURNING */;", "-- name: Add :one\nINSERT INTO books DEFAULT VALUES RETURNING id, x, y"},
		{lite, `INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING`, `INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING x, y`},
		{my, "REPLACE INTO t VALUES (1) # x", "REPLACE INTO t VALUES (1) RETURNING x, y"},
		{pg, `TRUNCATE t`, ``},
		{pg, `SELECT 1`, ``},
	} {
		s, ok := sqltext.Parse(r.d, r.text).Single()
		if !ok {
			t.Fatalf("Parse(%s) has not one statement", r.text)
		}
		if got := s.Returning([]string{"x", "y"}); got != r.want {
			t.Errorf("Returning of %q = %q, want %q", r.text, got, r.want)
		}
	}
}

func TestReturning_of_one_of_several_statements_is_that_one_alone(t *testing.T) {
	t.Parallel()
	script := sqltext.Parse(pg, "BEGIN; /* a */ DELETE FROM a; UPDATE b SET c = 1; COMMIT")
	got := []string{script.Statements[1].Returning([]string{"id"}), script.Statements[2].Returning([]string{"id"})}
	want := []string{" /* a */ DELETE FROM a RETURNING id", " UPDATE b SET c = 1 RETURNING id"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}

func TestTarget_is_what_the_statement_calls_its_table(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d          sqltext.Dialect
		text, want string
	}{
		{pg, `UPDATE s."Books" SET a = 1`, `"Books"`},
		{pg, `UPDATE ONLY (s.books) AS "b" SET a = 1`, `"b"`},
		{pg, `DELETE FROM books * b`, `b`},
		{pg, `INSERT INTO books AS x VALUES (1)`, `x`},
		{my, "UPDATE `a`.`b` SET c = 1", "`b`"},
		{lite, `DELETE FROM [my books]`, `[my books]`},
		{pg, `TRUNCATE books`, ``},
	} {
		s, _ := sqltext.Parse(r.d, r.text).Single()
		if got := s.Target(); got != r.want {
			t.Errorf("Target of %s = %s, want %s", r.text, got, r.want)
		}
	}
}

func TestSelectOld(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d          sqltext.Dialect
		text, want string
		args       []int
	}{
		{pg, `UPDATE "books" AS "b" SET a = $1, b = $2 WHERE c = $3 OR d = $2 OR e = $3 RETURNING $1`, `SELECT id FROM "books" AS "b" WHERE c = $1 OR d = $2 OR e = $1 FOR UPDATE`, []int{2, 1}},
		{pg, `WITH x AS (SELECT $2::int AS n) UPDATE ONLY s.t * SET a = $1 FROM x JOIN y ON x.n = y.n, z WHERE x.n = t.id`, `WITH x AS (SELECT $1::int AS n) SELECT id FROM ONLY s.t *, x JOIN y ON x.n = y.n, z WHERE x.n = t.id FOR UPDATE`, []int{1}},
		{pg, `/* a */ DELETE FROM t /* b */ AS x USING u /* c */ WHERE x.id = /* d */ u.id -- e`, `SELECT id FROM t AS x, u WHERE x.id = /* d */ u.id FOR UPDATE`, nil},
		{pg, `DELETE FROM t WHERE expires < now()`, `SELECT id FROM t WHERE expires < now() FOR UPDATE`, nil},
		{pg, `DELETE FROM t WHERE "random" = 1 AND t.limit = 2`, `SELECT id FROM t WHERE "random" = 1 AND t.limit = 2 FOR UPDATE`, nil},
		{my, `UPDATE LOW_PRIORITY t x PARTITION (p) USE INDEX (i) SET a = ? WHERE b = ? AND c = '?' ORDER BY d LIMIT ?`, `SELECT id FROM t PARTITION (p) x USE INDEX (i) WHERE b = ? AND c = '?' FOR UPDATE`, []int{1}},
		{my, `DELETE FROM t`, `SELECT id FROM t FOR UPDATE`, nil},
		{lite, `UPDATE OR IGNORE t INDEXED BY i SET a = ? WHERE b = ? AND c = ?`, `SELECT id FROM t INDEXED BY i WHERE b = ? AND c = ? FOR UPDATE`, []int{1, 2}},
		{lite, `UPDATE t SET a = ?3, b = ?1 WHERE c = ? AND d = ?1`, `SELECT id FROM t WHERE c = ?1 AND d = ?2 FOR UPDATE`, []int{3, 0}},
	} {
		s, _ := sqltext.Parse(r.d, r.text).Single()
		text, args, ok := s.SelectOld([]string{"id"}, "FOR UPDATE")
		if diff := cmp.Diff(r.want, text); diff != "" || !ok {
			t.Errorf("SelectOld of %s: ok = %t (-want +got):\n%s", r.text, ok, diff)
		}
		if diff := cmp.Diff(r.args, args, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("arguments of %s (-want +got):\n%s", r.text, diff)
		}
	}
}

func TestSelectOld_is_not_made_where_two_looks_need_not_agree(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d    sqltext.Dialect
		text string
	}{
		{pg, `INSERT INTO t DEFAULT VALUES`},
		{pg, `TRUNCATE t`},
		{pg, `DELETE FROM t WHERE CURRENT OF c`},
		{pg, `DELETE FROM t WHERE random() < 0.5`},
		{my, `UPDATE t SET a = 5 WHERE a IN (SELECT id FROM u WHERE name = 'x')`},
		{pg, `DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY a LIMIT 1)`},
		{pg, `DELETE FROM t WHERE id IN (SELECT id FROM t FETCH FIRST ROW ONLY)`},
		{pg, `DELETE FROM t WHERE id IN (SELECT DISTINCT ON (a) id FROM t)`},
		{pg, `DELETE FROM t USING (SELECT id, row_number() OVER (PARTITION BY a) AS n FROM t) u WHERE u.n > 1 AND u.id = t.id`},
		{pg, `DELETE FROM t USING u TABLESAMPLE SYSTEM (1) WHERE u.id = t.id`},
		{pg, `WITH x AS (SELECT clock_timestamp() AS n) DELETE FROM t USING x WHERE t.at < x.n`},
		{pg, `WITH t AS (SELECT 1 AS id) DELETE FROM t WHERE id = 1`},
		{pg, `DELETE FROM t WHERE pg_advisory_lock(id) IS NOT NULL`},
		{pg, `UPDATE t SET a = 1 WHERE pg_advisory_unlock_shared(id)`},
		{my, `DELETE FROM t WHERE expires < NOW()`},
		{my, `DELETE FROM t WHERE expires < CURRENT_TIMESTAMP`},
		{my, `DELETE FROM t WHERE (@n := @n + 1) > 3`},
		{lite, `DELETE FROM t WHERE at < datetime('now', '-1 day')`},
		{lite, `DELETE FROM t WHERE at < datetime()`},
		{lite, `DELETE FROM t WHERE id = :id`},
		{lite, `DELETE FROM t WHERE id = ?0`},
		{anyone, `DELETE FROM t WHERE id = ?`},
	} {
		s, _ := sqltext.Parse(r.d, r.text).Single()
		if text, args, ok := s.SelectOld([]string{"id"}, ""); ok {
			t.Errorf("SelectOld of %s = %s, %v, want none", r.text, text, args)
		}
	}
}

const library = `
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author INTEGER, pages INTEGER);
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
CREATE UNIQUE INDEX titles ON books (title);
CREATE INDEX by_author ON books (author);
INSERT INTO authors VALUES (1, 'Le Guin'), (2, 'Lem');
INSERT INTO books VALUES (1, 'The Dispossessed', 1, 341), (2, 'Solaris', 2, 204), (3, 'The Lathe of Heaven', 1, 184), (4, 'Fiasco', 2, 322);`

// run returns the first column of the query's rows, sorted.
func run(t *testing.T, db *sql.DB, text string, args ...any) []int64 {
	t.Helper()
	rows, err := db.Query(text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for rows.Next() {
		into := make([]any, len(columns))
		for i := range into {
			into[i] = new(any)
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		// The column that was added is the last, in a query that was made it is the only one.
		id, _ := (*into[len(into)-1].(*any)).(int64)
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestRewritten_statements_run_on_SQLite_and_tell_the_rows(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		text string
		args []any
		want []int64 // the rows that are written
	}{
		{`UPDATE books SET pages = 1 WHERE author = 1`, nil, []int64{1, 3}},
		{`UPDATE "books" AS "b" SET "pages" = "b"."pages" + 1 WHERE ("b"."id" IN (2, 4))`, nil, []int64{2, 4}},
		{`UPDATE main.books AS b SET (title, pages) = (SELECT b.title || '; WHERE', 0) WHERE b.id = 1 -- RETURNING`, nil, []int64{1}},
		{`UPDATE books SET title = 'a WHERE b' || ? WHERE pages > ? AND author = ?;`, []any{"x", 300, 1}, []int64{1}},
		{`UPDATE books SET title = title || ?2 || ?1 WHERE author = ?3 AND ?1 = ?1`, []any{"x", "y", 2}, []int64{2, 4}},
		{`UPDATE books SET pages = ?2 WHERE author = ?`, []any{0, 7, 1}, []int64{1, 3}},
		{`UPDATE books SET author = a.id FROM authors AS a WHERE a.name = 'Lem' AND books.author <> a.id RETURNING title`, nil, []int64{1, 3}},
		{`UPDATE books AS b SET pages = 0 FROM authors a JOIN (SELECT 1 AS one) o ON o.one = a.id, (SELECT 2) WHERE a.id = b.author`, nil, []int64{1, 3}},
		{`WITH _data (id, title) AS (VALUES (1, 'x'), (4, 'y')) UPDATE books AS b SET title = _data.title FROM _data WHERE b.id = _data.id`, nil, []int64{1, 4}},
		{`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 3) DELETE FROM books WHERE id IN (SELECT i FROM n)`, nil, []int64{2, 3}},
		{`UPDATE OR IGNORE books INDEXED BY by_author SET pages = pages WHERE author = 2`, nil, []int64{2, 4}},
		{`UPDATE books NOT INDEXED SET pages = pages WHERE title IS NOT DISTINCT FROM 'Solaris'`, nil, []int64{2}},
		{`UPDATE 'books' SET 'pages' = 1 WHERE "id" = 3 /* WHERE */`, nil, []int64{3}},
		{`UPDATE [books] SET [pages] = 1 WHERE ` + "`id`" + ` = 3 RETURNING *`, nil, []int64{3}},
		{`DELETE FROM books WHERE EXISTS (SELECT 1 FROM authors a WHERE a.id = author AND a.name LIKE 'Le%')`, nil, []int64{1, 2, 3, 4}},
		{`DELETE FROM books AS b WHERE b.pages BETWEEN ? AND ? RETURNING title, pages`, []any{200, 330}, []int64{2, 4}},
		{`DELETE FROM books`, nil, []int64{1, 2, 3, 4}},
		{`DELETE FROM books WHERE CASE WHEN id = 1 THEN 'END' ELSE NULL END = 'END'`, nil, []int64{1}},
		{`INSERT INTO books DEFAULT VALUES`, nil, []int64{5}},
		{`INSERT INTO books AS b (id, title) VALUES (9, 'VALUES (;'), (?, 'y') RETURNING title`, []any{8}, []int64{8, 9}},
		{`INSERT OR REPLACE INTO books (id, title) VALUES (7, 'Solaris')`, nil, []int64{7}},
		{`REPLACE INTO books (id, title) SELECT id + 10, title FROM books WHERE author = 1`, nil, []int64{11, 13}},
		{`INSERT OR IGNORE INTO books (id, title) VALUES (1, 'x')`, nil, nil},
		{`INSERT INTO books (title, pages) VALUES ('Fiasco', 1) ON CONFLICT (title) WHERE true DO UPDATE SET pages = excluded.pages WHERE excluded.pages <> 2`, nil, []int64{4}},
		{`INSERT INTO books (id, title) SELECT id, 'x' FROM books WHERE id = 1 ON CONFLICT (id) DO UPDATE SET (title, pages) = ('x', 1) ON CONFLICT DO NOTHING RETURNING *`, nil, []int64{1}},
		{`WITH x AS (SELECT 20 AS id) INSERT INTO books (id) SELECT id FROM x`, nil, []int64{20}},
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open(sqliteshim.ShimName, ":memory:")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			if _, err := db.Exec(library); err != nil {
				t.Fatal(err)
			}
			s, ok := sqltext.Parse(lite, r.text).Single()
			if !ok {
				t.Fatalf("Parse(%s) has not one statement", r.text)
			}
			if s.Kind != sqltext.Insert {
				text, indexes, ok := s.SelectOld([]string{s.Target() + ".id"}, "LIMIT 100")
				if !ok {
					t.Fatalf("SelectOld of %s is not ok", r.text)
				}
				var args []any
				for _, i := range indexes {
					args = append(args, r.args[i])
				}
				if diff := cmp.Diff(r.want, run(t, db, text, args...), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("rows of %s, for %s (-want +got):\n%s", text, r.text, diff)
				}
			}
			text := s.Returning([]string{"id"})
			if diff := cmp.Diff(r.want, run(t, db, text, r.args...), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rows of %s (-want +got):\n%s", text, diff)
			}
		})
	}
}
