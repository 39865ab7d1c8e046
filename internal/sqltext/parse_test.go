package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme/internal/sqltext"
)

const (
	anyone = sqltext.AnyDialect
	lite   = sqltext.SQLite
	pg     = sqltext.Postgres
	my     = sqltext.MySQL
)

var ignoreSpans = cmpopts.IgnoreUnexported(sqltext.Statement{})

// tables makes names of "table" and "schema.table".
func tables(names ...string) []sqltext.Name {
	var all []sqltext.Name
	for _, n := range names {
		schema, table, found := strings.Cut(n, ".")
		if !found {
			schema, table = "", n
		}
		all = append(all, sqltext.Name{Schema: schema, Table: table})
	}
	return all
}

func wide(names ...string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Wide, Tables: tables(names...)}
}

func kind(k sqltext.Kind) sqltext.Statement { return sqltext.Statement{Kind: k} }

func insert(table string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Insert, Tables: tables(table)}
}

func upsert(table string, columns ...string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Insert, Tables: tables(table), Conflict: sqltext.ConflictUpdates, SetColumns: columns}
}

func update(table string, columns ...string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Update, Tables: tables(table), SetColumns: columns}
}

func remove(table string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Delete, Tables: tables(table)}
}

func returning(s sqltext.Statement) sqltext.Statement { s.HasReturning = true; return s }

func conflict(s sqltext.Statement, c sqltext.Conflict) sqltext.Statement { s.Conflict = c; return s }

func implicit(s sqltext.Statement) sqltext.Statement { s.Implicit = true; return s }

func defined(names ...string) sqltext.Statement {
	return sqltext.Statement{Kind: sqltext.Schema, Tables: tables(names...)}
}

// reading is a text of one statement, and what it is.
type reading struct {
	text string
	want sqltext.Statement
}

func read(t *testing.T, d sqltext.Dialect, readings []reading) {
	t.Helper()
	for _, r := range readings {
		s, ok := sqltext.Parse(d, r.text).Single()
		if !ok {
			t.Errorf("Parse(%s) has %d statements, want 1", r.text, len(sqltext.Parse(d, r.text).Statements))
			continue
		}
		if diff := cmp.Diff(r.want, *s, ignoreSpans, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Parse(%s) (-want +got):\n%s", r.text, diff)
		}
	}
}

func TestParse_PostgreSQL(t *testing.T) {
	t.Parallel()
	read(t, pg, []reading{
		// What bun writes.
		{`INSERT INTO "books" AS "book" ("id", "title") VALUES (DEFAULT, 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title RETURNING "id"`, returning(upsert("books", "title"))},
		{`INSERT INTO "books" AS "book" ("id", "title") VALUES (DEFAULT, 'x'), (DEFAULT, 'y') RETURNING "id"`, returning(insert("books"))},
		{`INSERT INTO "books" ("id", "title") VALUES (1, 'it''s') ON CONFLICT DO NOTHING`, conflict(insert("books"), sqltext.ConflictIgnored)},
		{`INSERT INTO "books" ("id") SELECT "b"."id" FROM "old" AS "b" WHERE (id > 3)`, insert("books")},
		{`WITH "_data" ("id","title") AS (VALUES (1::BIGINT, 'x'::VARCHAR)) UPDATE "books" AS "book" SET "title" = "_data"."title" FROM "_data" WHERE ("book"."id" = "_data"."id")`, update("books", "title")},
		{`UPDATE "books" AS "book" SET title = 'x' WHERE (id = 3)`, update("books", "title")},
		{`UPDATE "books" AS "book" SET "deleted_at" = '2026-01-01 00:00:00+00:00' WHERE ("book"."id" = 3) AND "book"."deleted_at" IS NULL`, update("books", "deleted_at")},
		{`DELETE FROM "books" AS "book" WHERE ("book"."id" = 3) RETURNING *`, returning(remove("books"))},
		{`TRUNCATE TABLE "books" CONTINUE IDENTITY`, wide("books")},
		{`DROP TABLE IF EXISTS "books" CASCADE`, sqltext.Statement{Kind: sqltext.Schema, Tables: tables("books"), Cascade: true}},
		{`MERGE INTO "books" AS "b" USING (VALUES (1)) AS x (id) ON b.id = x.id WHEN MATCHED THEN UPDATE SET title = 'x' WHEN NOT MATCHED THEN INSERT (id) VALUES (1);`, wide("books")},
		{`WITH "gone" AS (DELETE FROM "books" WHERE (id = 1) RETURNING id) SELECT * FROM "gone"`, wide("books")},
		// Names.
		{`UPDATE Public.Books SET Title = 1`, update("public.books", "title")},
		{`UPDATE "Public"."Boo""ks" AS b SET "Ti tle" = 1`, update(`Public.Boo"ks`, "Ti tle")},
		{`update/**/shop . public . books set a=1`, update("public.books", "a")},
		{`UPDATE "update" SET "set" = 1 WHERE "where" = 2`, update("update", "set")},
		{`UPDATE ONLY books b SET a = 1`, update("books", "a")},
		{`UPDATE ONLY (books) SET a = 1`, update("books", "a")},
		{`UPDATE books * b SET a = 1`, update("books", "a")},
		{`DELETE FROM ONLY books * AS b WHERE b.id = 1`, remove("books")},
		{`DELETE FROM books *`, remove("books")},
		// What is set.
		{`UPDATE t SET (a, b) = (1, 2), c = (SELECT max(d) FROM u WHERE u.x = t.x), (e) = ROW(1)`, update("t", "a", "b", "c", "e")},
		{`UPDATE t SET a = b IS NOT DISTINCT FROM c, d = 1 FROM u WHERE u.id = t.id`, update("t", "a", "d")},
		{`UPDATE t SET tags = ARRAY['a','b'], x = y[1], e[2] = 3, f[1][2].g.h[3] = 4, c.part.s[1] = 5`, update("t", "tags", "x", "e", "f", "c")},
		{`UPDATE t SET a = CASE WHEN b THEN 'where' ELSE $$, c = 1 WHERE$$ END WHERE id = 1`, update("t", "a")},
		{`UPDATE t SET a = E'\', b = \'' -- , c = 1` + "\n" + `, d = 2`, update("t", "a", "d")},
		{`UPDATE t SET a = '\', b = '\' WHERE c`, update("t", "a", "b")},
		{`UPDATE t SET a = /* , b = /* nested */ 1 */ 2 WHERE c = 1 /* RETURNING id */`, update("t", "a")},
		{`UPDATE t SET a = $1::text, b = $tag$ ' $tag$ WHERE j ? 'k' AND j ?| array['a'] AND j ?& array['b'] RETURNING id, a AS returning`, returning(update("t", "a", "b"))},
		{`UPDATE t SET a = extract(epoch FROM now()), b = trim(both 'x' FROM c) FROM (SELECT 1 AS from) u WHERE true`, update("t", "a", "b")},
		{`UPDATE t SET a = 1 FROM a JOIN b ON a.id = b.id LEFT JOIN c USING (id) WHERE t.id = a.id RETURNING t.id`, returning(update("t", "a"))},
		{`UPDATE t SET 1 = 2`, sqltext.Statement{Kind: sqltext.Update, Tables: tables("t"), SetUnknown: true}},
		{`UPDATE t SET (a, 1) = (2, 3), b = 4`, sqltext.Statement{Kind: sqltext.Update, Tables: tables("t"), SetColumns: []string{"a", "b"}, SetUnknown: true}},
		{`UPDATE t SET a = `, wide("t")},
		// Deletes.
		{`DELETE FROM books b USING authors a JOIN c ON c.id = a.id, d WHERE a.id = b.author_id RETURNING b.id`, returning(remove("books"))},
		{`DELETE FROM books WHERE CURRENT OF c`, remove("books")},
		{`WITH RECURSIVE r (id) AS MATERIALIZED (SELECT 1), s AS NOT MATERIALIZED (SELECT 2) DELETE FROM books USING r WHERE r.id = books.id`, remove("books")},
		{`WITH RECURSIVE r AS (SELECT 1) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p DELETE FROM t USING r WHERE r.id = t.id`, remove("t")},
		// Inserts.
		{`INSERT INTO t DEFAULT VALUES RETURNING id`, returning(insert("t"))},
		{`INSERT INTO t AS x (a, b) OVERRIDING SYSTEM VALUE VALUES (1, 2)`, insert("t")},
		{`INSERT INTO t (SELECT a AS returning FROM u)`, insert("t")},
		{`INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x`, insert("t")},
		{`INSERT INTO t TABLE u`, insert("t")},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT (lower(a), b) WHERE c > 0 DO UPDATE SET (d, e) = (1, 2), f = EXCLUDED.f WHERE t.g IS DISTINCT FROM 1 RETURNING *`, returning(upsert("t", "d", "e", "f"))},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT ON CONSTRAINT k DO NOTHING RETURNING id`, returning(conflict(insert("t"), sqltext.ConflictIgnored))},
		{`WITH x AS (SELECT 1) INSERT INTO s.t SELECT * FROM x ON CONFLICT DO NOTHING`, conflict(insert("s.t"), sqltext.ConflictIgnored)},
		// Reads.
		{`SELECT 'a;b', "c;d", $$e;f$$ /* ; */ FROM t FOR UPDATE OF t SKIP LOCKED`, kind(sqltext.Read)},
		{`((SELECT 1) UNION (SELECT 2)) ORDER BY 1`, kind(sqltext.Read)},
		{`VALUES (1), (2)`, kind(sqltext.Read)},
		{`TABLE books`, kind(sqltext.Read)},
		{`WITH x AS (SELECT 1 FOR UPDATE) SELECT update, "delete" FROM x`, kind(sqltext.Read)},
		{`SELECT a AS into FROM t`, kind(sqltext.Read)},
		{`EXPLAIN UPDATE t SET a = 1`, kind(sqltext.Read)},
		{`EXPLAIN ANALYZE SELECT 1`, kind(sqltext.Read)},
		{`COPY books TO STDOUT`, kind(sqltext.Read)},
		{`COPY (SELECT * FROM books) TO STDOUT`, kind(sqltext.Read)},
		// Wide.
		{`SELECT * INTO TEMP TABLE copied FROM books`, wide("copied")},
		{`WITH x AS (INSERT INTO s.a VALUES (1) RETURNING 1), y AS (WITH z AS (SELECT 1) UPDATE ONLY b SET c = 1) DELETE FROM d USING x WHERE true`, wide("d", "s.a", "b")},
		{`WITH x AS (MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE RETURNING *) SELECT * FROM x`, wide("a")},
		{`COPY (DELETE FROM books RETURNING *) TO STDOUT`, wide("books")},
		{`COPY s.books (a, b) FROM STDIN WITH (FORMAT csv)`, wide("s.books")},
		{`TRUNCATE a, ONLY s.b *, "C" RESTART IDENTITY CASCADE`, sqltext.Statement{Kind: sqltext.Wide, Tables: tables("a", "s.b", "C"), Cascade: true}},
		{`EXPLAIN (ANALYZE, BUFFERS) DELETE FROM books`, wide("books")},
		{`EXPLAIN ANALYZE VERBOSE WITH x AS (INSERT INTO a VALUES (1) RETURNING 1) SELECT * FROM x`, wide("a")},
		{`REFRESH MATERIALIZED VIEW CONCURRENTLY v`, wide("v")},
		{`UPDATE t FOR PORTION OF valid FROM '2020-01-01' TO '2021-01-01' SET a = 1`, wide("t")},
		{`UPDATE t SET a = 1 WHERE b = 1 WHERE c = 2`, wide("t")},
		{`DELETE FROM t WHERE a UNION SELECT 1`, wide("t")},
		{`UPDATE books`, wide("books")},
		{`DELETE books WHERE id = 1`, wide("delete", "books", "id")},
		{`INSERT books VALUES (1)`, wide("insert", "books", "values")},
		// Everything else.
		{`CREATE TABLE IF NOT EXISTS s.books (id int REFERENCES authors (id) ON DELETE CASCADE ON UPDATE CASCADE)`, defined("s.books")},
		{`CREATE TABLE copied AS WITH x AS (DELETE FROM books RETURNING *) SELECT * FROM x`, defined("copied", "books")},
		{`CREATE UNIQUE INDEX CONCURRENTLY i ON books (id)`, defined("books")},
		{`CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END`, kind(sqltext.Schema)},
		{`CREATE RULE r AS ON DELETE TO t DO ALSO (DELETE FROM a; DELETE FROM b)`, kind(sqltext.Schema)},
		{`ALTER TABLE a ATTACH PARTITION b`, defined("a", "attach", "partition", "b")},
		{`DROP SCHEMA shop CASCADE`, sqltext.Statement{Kind: sqltext.Call, Cascade: true}},
		{`DO $$ begin delete from books; end $$`, kind(sqltext.Call)},
		{`CALL p(1)`, kind(sqltext.Call)},
		{`EXECUTE s (1)`, kind(sqltext.Call)},
		{`EXPLAIN ANALYZE EXECUTE s`, kind(sqltext.Call)},
		{`COMMIT PREPARED 'x'`, kind(sqltext.Call)},
		{`PREPARE s AS DELETE FROM books`, kind(sqltext.Session)},
		{`SET LOCAL statement_timeout = '1s'`, kind(sqltext.Session)},
		{`SET autocommit = 0`, kind(sqltext.Session)},
		{`VACUUM (ANALYZE) books`, kind(sqltext.Session)},
		{`LOCK TABLE books IN SHARE MODE`, kind(sqltext.Session)},
		{`NOTIFY c, 'x'`, kind(sqltext.Session)},
		{`ROLLBACK PREPARED 'x'`, kind(sqltext.Session)},
	})
}

func TestParse_SQLite(t *testing.T) {
	t.Parallel()
	read(t, lite, []reading{
		{`INSERT OR IGNORE INTO t DEFAULT VALUES`, conflict(insert("t"), sqltext.ConflictIgnored)},
		{`INSERT OR REPLACE INTO main.t (a) VALUES (1)`, conflict(insert("main.t"), sqltext.ConflictReplaces)},
		{`INSERT OR ABORT INTO t VALUES (1)`, insert("t")},
		{`REPLACE INTO [my t] AS x VALUES (replace('a', 'b', 'c'))`, conflict(insert("my t"), sqltext.ConflictReplaces)},
		{`INSERT INTO t SELECT * FROM u WHERE true ON CONFLICT (a) DO UPDATE SET b = 1 WHERE c ON CONFLICT (d) DO UPDATE SET e = 2 ON CONFLICT DO NOTHING RETURNING *`, returning(upsert("t", "b", "e"))},
		{`UPDATE OR IGNORE t SET a = 1`, conflict(update("t", "a"), sqltext.ConflictIgnored)},
		{`UPDATE OR ROLLBACK t SET a = 1`, update("t", "a")},
		{`UPDATE 'books' SET 'a' = 1, "b" = 2, [c] = 3, ` + "`d` = 4", update("books", "a", "b", "c", "d")},
		{`UPDATE books AS b INDEXED BY i SET a = 1 ORDER BY a LIMIT 1 OFFSET 2`, update("books", "a")},
		{`UPDATE books NOT INDEXED SET a = 1`, update("books", "a")},
		{`UPDATE Books SET A = '\', b = 2`, update("Books", "A", "b")},
		{`UPDATE t SET a = :x, b = @y, c = $z, d = ?, e = ?5 WHERE f = ?1`, update("t", "a", "b", "c", "d", "e")},
		{`UPDATE only SET a = 1`, update("only", "a")},
		{`UPDATE low_priority SET a = 1`, wide("UPDATE", "low_priority", "SET", "a")},
		{`DELETE FROM temp.t WHERE a IN (SELECT b FROM u LIMIT 3) RETURNING a`, returning(remove("temp.t"))},
		{`UPDATE OR REPLACE t SET a = 1`, wide("t")},
		{`/* a ; b /* no nesting */ DELETE FROM t -- ;`, remove("t")},
		{`SELECT 1 -- ; DELETE FROM t`, kind(sqltext.Read)},
		{`EXPLAIN QUERY PLAN DELETE FROM t`, kind(sqltext.Read)},
		{`PRAGMA foreign_keys = ON`, kind(sqltext.Session)},
		{`ATTACH 'x' AS y`, kind(sqltext.Session)},
		{`CREATE TEMP TABLE t (a)`, defined("t")},
		{`CREATE VIRTUAL TABLE f USING fts5(a)`, defined("f")},
		{`CREATE TRIGGER x AFTER UPDATE OF a ON t BEGIN UPDATE u SET a = CASE WHEN 1 THEN 2 END; DELETE FROM y; END;`, defined("t")},
		{`ALTER TABLE a RENAME TO b`, defined("a", "RENAME", "TO", "b")},
		{`REPLACED INTO t VALUES (1)`, kind(sqltext.Unknown)},
	})
}

func TestParse_MySQL(t *testing.T) {
	t.Parallel()
	read(t, my, []reading{
		// What bun writes.
		{"INSERT INTO `books` (`id`, `title`) VALUES (DEFAULT, 'x')", insert("books")},
		{"INSERT IGNORE INTO `books` (`id`) VALUES (1)", conflict(insert("books"), sqltext.ConflictIgnored)},
		{"REPLACE INTO `books` (`id`) VALUES (1)", conflict(insert("books"), sqltext.ConflictReplaces)},
		{"INSERT INTO `books` (`id`) VALUES (1) ON DUPLICATE KEY UPDATE `title` = VALUES(`title`), n = n + 1", upsert("books", "title", "n")},
		{"UPDATE `books` AS `book` SET `book`.`title` = 'x' WHERE (`book`.`id` = 3)", update("books", "title")},
		{"DELETE FROM `books` WHERE (`id` = 3)", remove("books")},
		{"TRUNCATE TABLE `books`", implicit(wide("books"))},
		{"DROP TABLE `books`", implicit(defined("books"))},
		// By hand.
		{"INSERT LOW_PRIORITY t () VALUES ()", insert("t")},
		{"INSERT INTO t PARTITION (p0, p1) SET a = 1, b = 'x' AS new ON DUPLICATE KEY UPDATE a = new.a, t.b = 1", upsert("t", "a", "b")},
		{"INSERT INTO t VALUES ROW(1), ROW(2)", insert("t")},
		{"INSERT INTO t SELECT a.x FROM a JOIN b ON duplicate = 1", insert("t")},
		{"REPLACE DELAYED t VALUE (1)", conflict(insert("t"), sqltext.ConflictReplaces)},
		{"INSERT INTO t (returning) VALUES (1) RETURNING id", returning(insert("t"))},
		{"UPDATE LOW_PRIORITY IGNORE t PARTITION (p0) b USE INDEX (i, j), IGNORE KEY FOR ORDER BY (k) SET b.a := 1 ORDER BY c DESC LIMIT 5", conflict(update("t", "a"), sqltext.ConflictIgnored)},
		{"UPDATE t SET a = 'it\\'s', b = \"say \\\"x\\\", c = 1\" # , d = 1\n, e = 5--3", update("t", "a", "b", "e")},
		{"UPDATE t SET a = 'it\\'s', b = 'he\\'s'", update("t", "a", "b")},
		{"UPDATE 1t SET 2a = 0x1F, b = 1e5, c = 1.5e-3, d = .5", update("1t", "2a", "b", "c", "d")},
		{"UPDATE `a``b` SET `c``d` = 1", update("a`b", "c`d")},
		{"UPDATE \"t\" SET a = 1", update("t", "a")},
		{"UPDATE t SET a = 1 WHERE returning = 2", wide("t")},
		{"DELETE QUICK IGNORE FROM t AS x PARTITION (p0) WHERE x.a = 1 ORDER BY a LIMIT 3", remove("t")},
		// Several tables.
		{"UPDATE books b JOIN authors a ON a.id = f(b.author_id, 1) SET b.title = a.name WHERE a.id = 1", wide("books")},
		{"UPDATE books b, shop.authors SET b.title = 1, authors.name = 2", wide("books", "shop.authors")},
		{"UPDATE books LEFT JOIN (authors a, c) USING (id) SET title = 1", wide("books", "authors", "c")},
		{"UPDATE books STRAIGHT_JOIN (SELECT id FROM other) x ON x.id = books.id SET books.a = 1", wide("books")},
		{"UPDATE (a JOIN b) SET x.y = 1", wide("a", "b")},
		{"WITH x AS (SELECT 1) UPDATE books JOIN x ON true SET books.a = 1", wide("books")},
		{"DELETE b FROM books AS b JOIN authors a ON a.id = b.author_id WHERE a.x", wide("books")},
		{"DELETE b.*, shop.a.* FROM books b JOIN shop.a ON true", wide("books", "shop.a")},
		{"DELETE FROM b, c USING books b JOIN cats AS c JOIN dogs WHERE true", wide("books", "cats")},
		{"DELETE FROM books USING books JOIN x USING (id)", wide("books")},
		{"DELETE nobody FROM books b JOIN x", wide("books", "x")},
		{"UPDATE { OJ a LEFT JOIN b ON true } SET a.x = 1", wide("UPDATE", "OJ", "a", "LEFT", "JOIN", "b", "true", "SET", "x", "a.x")},
		// Everything else.
		{"LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE shop.books FIELDS TERMINATED BY ','", wide("shop.books")},
		{"SELECT a INTO OUTFILE 'x' FROM t", kind(sqltext.Read)},
		{"SELECT a INTO @x FROM t", kind(sqltext.Read)},
		{"SELECT 1 /*+ hint */", kind(sqltext.Read)},
		{"DO release_lock('x')", kind(sqltext.Read)},
		{"SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1", wide("t")},
		{"SET STATEMENT max_statement_time = 1 FOR SELECT 1", kind(sqltext.Read)},
		{"ANALYZE FORMAT=JSON UPDATE t SET a = 1", wide("t")},
		{"ANALYZE TABLE t", implicit(kind(sqltext.Session))},
		{"DESC books", kind(sqltext.Read)},
		{"CREATE TEMPORARY TABLE x (a int)", defined("x")},
		{"CREATE TABLE x LIKE y", implicit(defined("x"))},
		{"CREATE ALGORITHM = MERGE DEFINER = u VIEW v AS SELECT 1", implicit(defined("v"))},
		{"RENAME TABLE a TO s.b", implicit(defined("a", "TO", "s", "b", "s.b"))},
		{"DROP DATABASE shop", implicit(kind(sqltext.Call))},
		{"LOCK TABLES a WRITE", implicit(kind(sqltext.Session))},
		{"SET PASSWORD = 'x'", implicit(kind(sqltext.Session))},
		{"SHOW TABLES", kind(sqltext.Session)},
		{"XA COMMIT 'x'", kind(sqltext.Call)},
		{"CREATE PROCEDURE p() BEGIN IF 1 THEN DELETE FROM a; END IF; CASE x WHEN 1 THEN DELETE FROM b; END CASE; END", implicit(kind(sqltext.Schema))},
	})
}

func TestParse_a_text_that_dialects_read_differently_is_unknown_without_a_dialect(t *testing.T) {
	t.Parallel()
	read(t, anyone, []reading{
		{`UPDATE "t" SET a = 'it''s', b = ?, c = $1`, update("t", "a", "b", "c")},
		{"DELETE FROM `t` AS b WHERE a = 1", remove("t")},
		{`INSERT IGNORE INTO t VALUES (1)`, conflict(insert("t"), sqltext.ConflictIgnored)},
		{`UPDATE t SET a.b = 1`, update("t", "a", "b")},
		{`UPDATE t SET a = 'it\'s'`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = 'x\'`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = 5--3`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = 1 # x`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = $$x$$`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = E'x'`, kind(sqltext.Unknown)},
		{`UPDATE [t] SET a = 1`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = /* /* */ 1`, kind(sqltext.Unknown)},
		{`UPDATE t SET a = 1 /*! , b = 2 */`, kind(sqltext.Unknown)},
		{"UPDATE t SET a = 1 -- x\r, b = 2", kind(sqltext.Unknown)},
		{`UPDATE ONLY t SET a = 1`, wide("UPDATE", "ONLY", "t", "SET", "a")},
		{`UPDATE ignore t SET a = 1`, wide("UPDATE", "ignore", "t", "SET", "a")},
		{`DELETE FROM a USING b WHERE true`, wide("DELETE", "a", "USING", "b", "true")},
	})
}

func TestParse_what_makes_no_sense_is_one_unknown_statement(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d    sqltext.Dialect
		text string
	}{
		{pg, `UPDATE t SET a = 'x; DELETE FROM u`},
		{pg, `UPDATE t SET a = $$x; DELETE FROM u$`},
		{pg, `UPDATE t SET a = "x; DELETE FROM u`},
		{pg, `UPDATE t SET a = (1; DELETE FROM u`},
		{pg, `UPDATE t SET a = 1); DELETE FROM u`},
		{pg, `UPDATE t SET a = (1; 2); DELETE FROM u`},
		{pg, `UPDATE t SET a = ([1)]; DELETE FROM u`},
		{pg, `UPDATE t SET a = 1 /* /* */; DELETE FROM u`},
		{pg, "UPDATE t SET a = E'x' \n '\\', b = \\''; DELETE FROM u"},
		{pg, `UPDATE t SET a = 1RETURNING id; DELETE FROM u`},
		{pg, `UPDATE t SET a = $1a; DELETE FROM u`},
		{pg, `\copy t FROM u`},
		{pg, "UPDATE t SET a = 1\x00; DELETE FROM u"},
		{pg, `UPDATE t SET a = ` + strings.Repeat("(", 1001) + "1" + strings.Repeat(")", 1001) + `; DELETE FROM u`},
		{pg, `CREATE FUNCTION t() BEGIN ATOMIC SELECT 1; DELETE FROM u`},
		{my, `UPDATE t SET a = 1 /*!50000 , b = 2 */; DELETE FROM u`},
		{my, `UPDATE t SET a = 1 /*M! , b = 2 */; DELETE FROM u`},
		{my, `UPDATE t SET a = '\', b = '\' WHERE 1 = 1; DELETE FROM u`},
		{lite, `UPDATE t SET a = $x::y(; DELETE FROM u; )`},
		{lite, `UPDATE t SET a = 1x; DELETE FROM u`},
		{lite, `UPDATE t SET a = [x; DELETE FROM u`},
	} {
		s, ok := sqltext.Parse(r.d, r.text).Single()
		if !ok || s.Kind != sqltext.Unknown {
			t.Errorf("Parse(%q) = %v, want one unknown statement", r.text, sqltext.Parse(r.d, r.text).Statements)
			continue
		}
		if !s.Mentions("t") || !s.Mentions("U") && strings.Contains(r.text, "DELETE") || s.Mentions("able") {
			t.Errorf("Parse(%q) mentions t: %t, u: %t, able: %t", r.text, s.Mentions("t"), s.Mentions("u"), s.Mentions("able"))
		}
	}
}
