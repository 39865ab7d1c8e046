package sqltext_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// columns is the catalog of most tests: books has an id, a title and an author_id, authors an id and a name.
func columns(table sqltext.Name, column string) bool {
	switch table.Table {
	case "books":
		return column == "id" || column == "title" || column == "author_id"
	case "authors":
		return column == "id" || column == "name"
	}
	return false
}

// brief writes a reading in a line: for each source its block, table, alias, criteria (* if every row may matter) and join, and
// the functions behind a bar.
func brief(r sqltext.Reading) string {
	var all []string
	for _, s := range r.Sources {
		var b strings.Builder
		fmt.Fprintf(&b, "%d:%s", s.Block, s.Table.Table)
		if s.Table.Schema != "" {
			b.Reset()
			fmt.Fprintf(&b, "%d:%s.%s", s.Block, s.Table.Schema, s.Table.Table)
		}
		if s.Alias != s.Table.Table {
			b.WriteString(" " + s.Alias)
		}
		b.WriteByte('[')
		if s.Criteria == nil {
			b.WriteByte('*')
		}
		for i, c := range s.Criteria {
			if i > 0 {
				b.WriteByte('|')
			}
			for j, e := range c {
				if j > 0 {
					b.WriteByte('&')
				}
				value := e.Value.Text
				if e.Value.Kind == sqltext.String {
					value = "'" + value + "'"
				}
				b.WriteString(e.Column + "=" + value)
			}
		}
		b.WriteByte(']')
		if s.Joined != nil {
			fmt.Fprintf(&b, "<-%s", s.Joined.To)
			for i := range s.Joined.Columns {
				fmt.Fprintf(&b, " %s=%s", s.Joined.Columns[i], s.Joined.Others[i])
			}
		}
		all = append(all, b.String())
	}
	text := strings.Join(all, " ")
	if r.Functions != nil {
		text += " | " + strings.Join(r.Functions, " ")
	}
	return strings.TrimSpace(text)
}

// expect is a text in some dialects, and what it depends on.
type expect struct{ text, want string }

func checkReads(t *testing.T, dialects []sqltext.Dialect, all []expect) {
	t.Helper()
	for _, e := range all {
		for _, d := range dialects {
			r, err := sqltext.Reads(d, e.text, columns)
			if err != nil {
				t.Errorf("Reads(%d, %s): %v", d, e.text, err)
				continue
			}
			if got := brief(r); got != e.want {
				t.Errorf("Reads(%d, %s)\n got %s\nwant %s", d, e.text, got, e.want)
			}
		}
	}
}

var every = []sqltext.Dialect{lite, pg, my}

func TestReads_tables(t *testing.T) {
	t.Parallel()
	checkReads(t, every, []expect{
		{"SELECT 1", ""},
		{"VALUES (1), (2);", ""},
		{"SELECT * FROM books", "0:books[*]"},
		{"SELECT * FROM shop.books AS b, authors", "0:shop.books b[*] 0:authors[*]"},
		{"((SELECT * FROM books) UNION ALL SELECT * FROM authors) ORDER BY 1 LIMIT 3 OFFSET 2", "0:books[*] 1:authors[*]"},
		{"SELECT 1 FROM a EXCEPT SELECT 2 FROM b INTERSECT (SELECT 3 FROM c)", "0:a[*] 1:b[*] 2:c[*]"},
		{"SELECT (SELECT max(x) FROM a) FROM b WHERE EXISTS (SELECT 1 FROM c) ORDER BY (SELECT y FROM d)", "0:b[*] 1:a[*] 2:c[*] 3:d[*]"},
		{"SELECT * FROM (SELECT * FROM (SELECT * FROM a) AS x) AS y", "2:a[*]"},
		{"SELECT * FROM (a JOIN b ON a.x = b.x) LEFT JOIN c ON c.x = a.x", "0:a[*] 0:b[*] 0:c[*]<-a x=x"},
		{"SELECT CASE WHEN a IS DISTINCT FROM b THEN 1 END, count(*) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WINDOW w AS (ORDER BY x)", "0:t[*]"},
		{"SELECT a, ((SELECT max(b) FROM u) + 1) FROM t GROUP BY a HAVING count(*) > (SELECT 1 FROM v)", "0:t[*] 1:u[*] 2:v[*]"},
		{"SELECT t.from, x AS select FROM t", "0:t[*]"},
		{"WITH x AS (SELECT * FROM books), y AS (SELECT * FROM x) SELECT * FROM x JOIN y ON x.a = y.a JOIN authors z ON z.id = x.a", "1:books[*] 0:authors z[*]"},
		{"WITH RECURSIVE x AS (SELECT id FROM books WHERE books.id = 1 UNION SELECT b.id FROM books b JOIN x ON x.id = b.author_id) SELECT * FROM x", "1:books[id=1] 2:books b[*]"},
		{"SELECT * FROM (WITH books AS (SELECT * FROM a) SELECT * FROM books) AS x, books AS y", "1:a[*] 0:books y[*]"},
		{"WITH books AS (SELECT * FROM a) SELECT * FROM shop.books", "1:a[*] 0:shop.books[*]"},
		{"WITH a AS (SELECT * FROM b WHERE b.x = 1), b AS (SELECT 1 AS x) SELECT * FROM a, b", "1:b[*]"},
		{"WITH books AS (SELECT * FROM books WHERE books.id = 1) SELECT * FROM books WHERE books.id = 2", "1:books[*]"},
	})
	checkReads(t, []sqltext.Dialect{pg}, []expect{
		{`SELECT * FROM ONLY (shop."Books") * AS b, LATERAL (SELECT * FROM t WHERE t.x = b.x) AS l(a, b) FETCH FIRST 3 ROWS ONLY`, "0:shop.Books b[*] 1:t[*]"},
		{`SELECT count(*) FILTER (WHERE x = 1), string_agg(a, ',' ORDER BY b), percentile_cont(0.5) WITHIN GROUP (ORDER BY c) FROM t`, "0:t[*]"},
		{`SELECT EXTRACT(YEAR FROM x), substring(a FROM 1 FOR 2), a::numeric(10,2), CAST(b AS varchar(3)), c[1:2] FROM t`, "0:t[*] | extract"},
		{`WITH "Books" AS (SELECT 1) SELECT * FROM books`, "0:books[*]"},
		{`TABLE books`, "0:books[*]"},
		{`SELECT * FROM a WHERE x IN (TABLE books)`, "0:a[*] 1:books[*]"},
		{`SELECT * FROM books AS b (id, x) WHERE b.id = 1`, "0:books b[*]"},
	})
	checkReads(t, []sqltext.Dialect{my}, []expect{
		{"SELECT SQL_NO_CACHE STRAIGHT_JOIN * FROM a USE INDEX (i) STRAIGHT_JOIN b PARTITION (p) x ON a.id = x.id LIMIT 2, 3", "0:a[*] 0:b x[*]"},
		{"SELECT 1 FROM DUAL", ""},
		{"SELECT * FROM a JOIN (b, c) ON a.x = b.x AND c.y = 1", "0:a[*] 0:b[*] 0:c[y=1]"},
	})
	checkReads(t, []sqltext.Dialect{lite}, []expect{
		{"SELECT * FROM [a] NOT INDEXED JOIN b INDEXED BY i WHERE a.x = 1 OR a.x == 2", "0:a[*] 0:b[*]"},
	})
}

func TestReads_criteria(t *testing.T) {
	t.Parallel()
	where := func(condition, criteria string) expect {
		return expect{"SELECT * FROM books b WHERE " + condition, "0:books b[" + criteria + "]"}
	}
	checkReads(t, every, []expect{
		where("b.id = 1", "id=1"),
		where("1 = b.id", "id=1"),
		where("(((b.id)) = 1)", "*"),
		where("((b.id = 1))", "id=1"),
		where("id = 1", "id=1"),
		where("pages = 1", "*"),
		where("c.id = 1", "*"),
		where("b.id = -007", "id=-7"),
		where("b.id = + 1", "id=1"),
		where("b.id = -0", "id=0"),
		where("b.id = 1.0", "*"),
		where("b.id = 1e3", "*"),
		where("b.id = 0x10", "*"),
		where("b.id = 1234567890123456789", "*"),
		where("b.id = NULL", "*"),
		where("b.id = 1 = b.id", "*"),
		where("b.id = 1 + 1", "*"),
		where("b.id = 'x' COLLATE c", "*"),
		where("b.id = 'it''s'", "id='it's'"),
		where("b.id = X'00'", "*"),
		where("b.id = DATE '2020-01-01'", "*"),
		where("b.id <> 1", "*"),
		where("b.id >= 1", "*"),
		where("NOT b.id = 1", "*"),
		where("NOT b.id = 1 AND b.title = 'x'", "title='x'"),
		where("b.id IN (1, 'x')", "id=1|id='x'"),
		where("b.id IN (1, NULL)", "*"),
		where("b.id IN (SELECT id FROM books)", "*] 1:books[*"),
		where("b.id NOT IN (1)", "*"),
		where("(b.id, b.author_id) IN ((1, 'x'), (2, 'y'))", "author_id='x'&id=1|author_id='y'&id=2"),
		where("(b.id, c.id) IN ((1, 2))", "*"),
		where("b.id BETWEEN 1 AND 2", "*"),
		where("b.id BETWEEN 1 AND 2 AND b.title = 'x'", "title='x'"),
		where("b.x BETWEEN 1 AND b.id = 2", "*"),
		where("b.title = 'x' AND b.id = 1", "id=1&title='x'"),
		where("b.id = 1 AND b.id = 1", "id=1"),
		where("b.title = 'x' AND b.title = 'X'", "title='x'"),
		where("b.id = 1 OR b.title = 'x'", "id=1|title='x'"),
		where("b.id = 1 OR b.pages > 2", "*"),
		where("b.id = 1 AND b.pages = 2 OR b.title = 'x'", "id=1&pages=2|title='x'"),
		where("(b.id = 1 OR b.id = 2) AND b.title = 'x'", "id=1&title='x'|id=2&title='x'"),
		where("(b.id = 1) AND ((b.x = 2) OR (b.x = 3)) AND (b.deleted_at IS NULL)", "id=1&x=2|id=1&x=3"),
		where("CASE WHEN b.x = 1 AND b.y = 2 OR b.z = 3 THEN 1 END", "*"),
		where("CASE WHEN b.x = 1 AND b.y = 2 AND b.z = 3 THEN 1 END", "*"),
		where("CASE b.x WHEN 1 THEN 2 END = 2 AND b.id = 1", "id=1"),
		where("b.id = 1 AND", "*"),
		where("b.id IN ()", "*"),
		{"SELECT * FROM books b WHERE b.id = 1 AND f(b.id = 2) = 3 OR b.id = 4", "0:books b[id=1|id=4] | f"},
		{"SELECT * FROM books b GROUP BY b.id HAVING b.id = 1", "0:books b[*]"},
		{"SELECT count(*) FROM books b JOIN books c ON c.id = b.id WHERE b.id = 1", "0:books b[id=1] 0:books c[id=1]"},
		{"SELECT * FROM books WHERE books.id = 1 UNION SELECT * FROM books WHERE books.id = 2", "0:books[id=1] 1:books[id=2]"},
		{"SELECT * FROM shop.books WHERE shop.books.id = 1", "0:shop.books[id=1]"},
		{"SELECT * FROM shop.books WHERE other.books.id = 1", "0:shop.books[*]"},
		{"SELECT * FROM shop.books b WHERE shop.b.id = 1", "0:shop.books b[*]"},
		{"SELECT * FROM books b, authors a WHERE title = 'x' AND id = 3 AND name = 'y'", "0:books b[title='x'] 0:authors a[name='y']"},
		{"SELECT * FROM books b, (SELECT 1 AS z) x WHERE title = 'x'", "0:books b[*]"},
		{"SELECT * FROM books b JOIN authors a USING (id) WHERE title = 'x'", "0:books b[*] 0:authors a[*]"},
		{"SELECT * FROM books b WHERE EXISTS (SELECT 1 FROM authors a WHERE a.id = 2 AND b.id = 3 AND name = 'x' AND title = 'y')", "0:books b[*] 1:authors a[id=2&name='x']"},
		{"SELECT * FROM books b WHERE EXISTS (SELECT 1 FROM books b WHERE b.id = 2) AND b.id = 3", "0:books b[id=3] 1:books b[id=2]"},
		{"SELECT * FROM (SELECT 1 AS z) b WHERE EXISTS (SELECT 1 FROM books b WHERE b.id = 2 AND b.z = 3)", "2:books b[id=2]"},
		{"SELECT (SELECT max(1) FROM t a WHERE a.x = 2) FROM a", "0:a[*] 1:t a[*]"},
		{"SELECT (SELECT max(1) FROM t b WHERE b.x = 2) FROM a", "0:a[*] 1:t b[x=2]"},
		{"SELECT 1 FROM a ORDER BY (SELECT max(1) FROM t a WHERE a.x = 2)", "0:a[*] 1:t a[*]"},
		{"SELECT * FROM a LEFT JOIN b ON b.x = 1 AND a.x = 2 WHERE a.y = 3", "0:a[y=3] 0:b[x=1]"},
		{"SELECT * FROM a JOIN b ON b.x = 1 AND a.x = 2", "0:a[x=2] 0:b[x=1]"},
		{"SELECT * FROM a RIGHT JOIN b ON b.x = 1 AND a.x = 2 WHERE b.y = 3", "0:a[*] 0:b[y=3]"},
		{"SELECT * FROM a LEFT JOIN b ON b.x = a.x WHERE b.y = 3", "0:a[*] 0:b[y=3]"},
		{"SELECT * FROM a LEFT JOIN b ON b.x = a.x WHERE a.x = 3 AND a.z = 4", "0:a[x=3&z=4] 0:b[x=3]<-a x=x"},
		{"SELECT * FROM a LEFT JOIN b ON b.x = a.x AND a.x = 3", "0:a[*] 0:b[*]"},
		{"SELECT * FROM a, b JOIN c ON c.x = b.x AND c.y = 1 WHERE a.z = b.z AND b.x IN (1, 2) AND b.z = 7", "0:a[z=7] 0:b[x=1&z=7|x=2&z=7] 0:c[x=1&y=1|x=2&y=1]"},
		{"SELECT * FROM a JOIN b ON b.x = a.x JOIN c ON c.y = b.x WHERE c.y = 5", "0:a[x=5] 0:b[x=5] 0:c[y=5]"},
		{"SELECT * FROM a JOIN b ON b.x = a.x WHERE a.x = 's'", "0:a[x='s'] 0:b[*]"},
		{"SELECT * FROM a JOIN b ON b.x = a.x OR a.x = b.y WHERE a.x = 1", "0:a[x=1] 0:b[*]"},
		{"SELECT * FROM (a LEFT JOIN b ON b.x = 1 AND a.y = 2) JOIN c ON a.z = 3", "0:a[z=3] 0:b[x=1] 0:c[*]"},
		{"SELECT * FROM a AS x, b AS x WHERE x.id = 1", "0:a x[*] 0:b x[*]"},
	})
}

func TestReads_criteria_of_a_dialect(t *testing.T) {
	t.Parallel()
	where := func(condition, criteria string) expect {
		return expect{"SELECT * FROM books b WHERE " + condition, "0:books b[" + criteria + "]"}
	}
	checkReads(t, []sqltext.Dialect{pg}, []expect{
		where(`"b"."Id" = 1 AND B.TITLE = 'x'`, "Id=1&title='x'"),
		where(`"B".id = 1`, "*"),
		where(`b.id = 1 AND b."ID" = 2`, "ID=2&id=1"),
		where(`b.id = 1::text`, "*"),
		where(`b.id = E'a\\b'`, "*"),
		where(`b.id = 'a\b'`, `id='a\b'`),
		where(`b.id = $$x$$`, "*"),
		where(`b.id = $1`, "*"),
		where(`b.id = ANY(ARRAY[1, 2])`, "*"),
		where(`b.id @= 1`, "*"),
		where(`b.id =@ 1`, "*"),
		where(`b.a || b.b AND b.id = TRUE`, "id=true"),
		where(`b.id = true AND b.id = false`, "id=true"),
		where(`b.data ->> 'x' = 'y' AND b.id = 1`, "id=1"),
		where(`(b.id = 1 OR b.id = 2) AND (b.id = 2 OR b.id = 3)`, "id=2"),
		where(`b.id = 1 AND b.id = 2`, "id=1"),
	})
	checkReads(t, []sqltext.Dialect{my}, []expect{
		where("`b`.`id` = 1 AND B.title = 'x'", "id=1"),
		where("b.id = 'it\\'s'", "id='it's'"),
		where("b.id = 'it\\'s\\n\\%'", "id='it's\n\\%'"),
		where("b.id = 'a\\n'", "*"),
		where(`b.id = "x"`, "*"),
		where("b.id = 1 || b.x = 2", "*"),
		where("b.id = 1 && b.x = 2", "*"),
		where("b.id = 1 XOR b.x = 2", "*"),
		where("(b.id = 1 || b.x = 2) AND b.y = 3", "y=3"),
		where("b.id = 1 AND 'a' 'b'", "id=1"),
		where("b.id = 'a' 'b'", "*"),
		where("b.id = N'a'", "*"),
		where("b.id = _utf8'a'", "*"),
		where("BINARY b.id = 'a'", "*"),
		where("b.id = 5 DIV 2", "*"),
		where("b.id IN (1, 2, 3) AND b.id = 2", "id=1|id=2|id=3"),
		where("b.id IN (1, 2) AND b.ID = 2 AND b.x = 3", "id=1&x=3|id=2&x=3"),
		where("!b.id = 1 AND b.x = TRUE", "x=true"),
	})
	checkReads(t, []sqltext.Dialect{lite}, []expect{
		where(`B."ID" = 1 AND b.id = 1 AND [b].[x] = 2`, "ID=1&x=2"),
		where(`b.id = "x"`, "*"),
		where(`b.id == 1`, "*"),
		where(`b.id = :x OR b.id = ?`, "*"),
		where(`b.end = 1 AND b.id = 2`, "end=1&id=2"),
		where(`end = 1 AND b.id = 2`, "*"),
		where(`b.id = 1 || 2 AND b.x = 3`, "x=3"),
		where(`b.x = TRUE AND b.id = 1`, "id=1"),
		where(`b.id MATCH 'x' AND b.y = 1`, "y=1"),
	})
}

func TestReads_functions(t *testing.T) {
	t.Parallel()
	checkReads(t, every, []expect{
		{"SELECT count(*), MAX(lower(a)), coalesce(b, 1) FROM t", "0:t[*]"},
		{"SELECT NOW(), now(), shop.price(a) FROM t WHERE random() > 0.5 AND b = CURRENT_TIMESTAMP", "0:t[*] | now shop.price random current_timestamp"},
		{"SELECT a FROM t ORDER BY f(a)", "0:t[*] | f"},
		{"SELECT a.count, count FROM t AS a", "0:t a[*]"},
		{"SELECT date('2026-11-21') FROM t WHERE x IN (1) AND EXISTS (SELECT 1) AND NOT (a = 1) AND CAST(a AS decimal(10)) = 1", "0:t[*] | date"},
	})
	checkReads(t, []sqltext.Dialect{pg}, []expect{
		{"SELECT * FROM t WHERE due < 'Today 10:00' OR due > $$ tomorrow $$ OR due = 'see you tomorrow, dear'", "0:t[*] | 'today' 'tomorrow'"},
		{"SELECT 'now'::timestamptz FROM t", "0:t[*] | 'now'"},
		{`SELECT "lower"(a), "Lower"(a), a @> b, USER FROM t`, "0:t[*] | lower user"},
	})
	checkReads(t, []sqltext.Dialect{my}, []expect{
		{"SELECT @x, @@session.y, @x := 1, NEXT VALUE FOR s FROM t", "0:t[*] | @x @@session nextval"},
		{"SELECT MATCH (t.a) AGAINST ('x' IN BOOLEAN MODE) FROM t WHERE t.b = 1", "0:t[b=1] | match"},
	})
}

func TestReads_refuses_what_does_not_depend_on_tables_alone(t *testing.T) {
	t.Parallel()
	for text, word := range map[string]string{
		"": "empty", ";": "empty", "SELECT '": "strings", "SELECT 1; SELECT 2": ";", "BEGIN": "BEGIN", "EXPLAIN SELECT 1": "EXPLAIN",
		"DELETE FROM t": "DELETE", "INSERT INTO t VALUES (1)": "INSERT", "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x": "DELETE",
		"WITH x AS (SELECT 1) UPDATE t SET a = 1": "UPDATE", "SELECT * FROM t WHERE a IN (DELETE FROM t)": "DELETE",
		"SELECT * INTO x FROM t": "INTO", "SELECT * FROM t INTO x": "INTO", "SELECT * FROM t FOR UPDATE": "FOR", "SELECT * FROM t LIMIT 1 FOR SHARE": "FOR",
		"SELECT * FROM t WHERE a = 1 LOCK IN SHARE MODE": "LOCK", "SELECT * FROM generate_series(1, 2) AS x": "generate_series",
		"SELECT * FROM a JOIN LATERAL f(a.x) ON 1 = 1": "LATERAL", "SELECT * FROM t TABLESAMPLE SYSTEM (1)": "TABLESAMPLE",
		"SELECT * FROM t FOR SYSTEM_TIME ALL": "FOR", "SELECT * FROM (a JOIN b ON a.x = b.x) AS j": "AS", "SELECT * FROM a LEFT JOIN b WHERE a.x = 1": "no ON",
		"SELECT * FROM": "missing", "SELECT * FROM a,": "missing", "SELECT * FROM a b c": "c", "SELECT * FROM t WHERE a = 1 WHERE b = 2": "WHERE",
		"SELECT a FROM t OFFSET, u": "OFFSET", "SELECT a FROM t LIMIT 1 + (SELECT 1 FROM u)": "+", "SELECT a FROM t WHERE x = 1 OR offset = 2": "offset",
		"SELECT a FROM t UNION": "missing", "SELECT a FROM t WHERE x (SELECT 1 FROM u) SELECT 1": "SELECT", "SELECT a, JOIN u FROM t": "JOIN",
		"SELECT a FROM t WHERE extract(SELECT FROM u)": "", "SELECT f(x FROM u) FROM t": "FROM", "SELECT a FROM t GROUP a": "GROUP", "SELECT a FROM t ORDER a": "ORDER",
		"SELECT DISTINCT FROM t": "", "WITH x AS SELECT 1 SELECT 2": "CTE", "TABLES": "TABLES", "SELECT SQL_CALC_FOUND_ROWS a FROM t": "SQL_CALC_FOUND_ROWS",
		strings.Repeat("(", 100) + "SELECT 1" + strings.Repeat(")", 100): "deep",
	} {
		for _, d := range every {
			r, err := sqltext.Reads(d, text, columns)
			var unreadable *sqltext.UnreadableError
			switch {
			case word == "":
			case !errors.As(err, &unreadable):
				t.Errorf("Reads(%d, %s) = %s, %v, want an UnreadableError", d, text, brief(r), err)
			case !strings.Contains(unreadable.Reason, word):
				t.Errorf("Reads(%d, %s): %q, want %q in it", d, text, unreadable.Reason, word)
			}
		}
	}
	if _, err := sqltext.Reads(anyone, "SELECT 1", nil); err == nil {
		t.Error("Reads of AnyDialect is no error")
	}
	for _, text := range []string{"SELECT * FROM t WHERE a IN u", "SELECT * FROM t WHERE a NOT IN main.u", "TABLE t"} {
		if r, err := sqltext.Reads(lite, text, nil); err == nil {
			t.Errorf("Reads(%s) = %s, want an error", text, brief(r))
		}
	}
	if r, err := sqltext.Reads(my, "SELECT * FROM a FULL JOIN b ON a.x = 1", nil); err == nil {
		t.Errorf("a FULL JOIN of MySQL, where FULL is an alias, is read as %s", brief(r))
	}
}

func BenchmarkReads(b *testing.B) {
	for name, text := range map[string]string{
		"relation": query,
		"list":     `SELECT "b"."id" FROM "books" AS "b" WHERE ("b"."id" IN (` + strings.Repeat("123456, ", 99) + `7))`,
		"page": `SELECT "b"."id", "b"."title", "b"."author_id", "b"."deleted_at" FROM "books" AS "b" WHERE ("b"."author_id" = 42) AND ("b"."title" LIKE 'x%') ` +
			`AND "b"."deleted_at" IS NULL ORDER BY "b"."id" DESC LIMIT 20 OFFSET 40`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := sqltext.Reads(pg, text, columns); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
