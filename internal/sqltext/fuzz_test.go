package sqltext_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme/internal/sqltext"
)

var seeds = []string{
	query,
	`INSERT INTO "books" AS "b" ("id") VALUES (DEFAULT, 'x') ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title RETURNING "id"`,
	`WITH "_data" ("id") AS (VALUES (1::BIGINT)) UPDATE "books" AS "b" SET "title" = $1 FROM "_data" WHERE ("b"."id" = "_data"."id")`,
	"UPDATE LOW_PRIORITY t PARTITION (p) x USE INDEX (i), FORCE KEY (j) SET a = ?, (b) = 'it\\'s' ORDER BY c LIMIT ? # x",
	"DELETE a, b.* FROM a JOIN (b, c) USING (id) WHERE a.x = `y`",
	`DELETE FROM ONLY (s.t) * USING u WHERE u.id = t.id AND a = E'\'' RETURNING *, a`,
	`UPDATE t SET a[1].b = ARRAY[1,2], (c, d) = (1, $tag$ ; $tag$) WHERE a IS DISTINCT FROM ?3 AND :x = @y`,
	`CREATE TRIGGER t DELETE ON a BEGIN DELETE FROM b; SELECT CASE 1 WHEN 1 THEN 2 END; END`,
	`WITH x AS (DELETE FROM books RETURNING *) SELECT * INTO TEMP y FROM x`,
	`EXPLAIN (ANALYZE) MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE`,
	"TRUNCATE a, ONLY b CASCADE", "SET @x = 1, @@session.autocommit = 0", "SET STATEMENT a = 1 FOR DELETE FROM t", "LOAD DATA INFILE 'x' INTO TABLE t",
	"ROLLBACK TO SAVEPOINT x", "XA COMMIT 'x' ONE PHASE", "COPY t (a) FROM STDIN", "/* a /* b */ c */ REPLACE t SET a = 1",
	`"`, "`", "'", "[", "(", ")", "$", "$$", "$a$", "?", ":", "@", "-", "--", "/", "/*", "/*!", "#", "\\", "\x00", ".", "1", "1e", "0x", "e'", `u&"`, "\xff",
	"UPDATE", "UPDATE t SET", "UPDATE t SET a", "UPDATE t SET (", "UPDATE t SET ()", "UPDATE t SET (a", "DELETE", "DELETE FROM", "INSERT INTO", "WITH", "WITH x AS (", "WITH x AS () ",
	"UPDATE t SET a[", "UPDATE t SET a[1].", "UPDATE t USE INDEX", "UPDATE t INDEXED BY", "INSERT INTO t VALUES (1) ON CONFLICT", "MERGE", "EXPLAIN", "EXPLAIN (", "COPY (", "XA", "SET",
}

// FuzzParse checks what holds of every text: nothing panics; two texts that are understood are both understood one behind
// the other; and what is rewritten is understood as what it was.
func FuzzParse(f *testing.F) {
	for i, text := range seeds {
		for d := range uint8(4) {
			f.Add(d, text, seeds[(i+7)%len(seeds)])
		}
	}
	f.Fuzz(func(t *testing.T, dialect uint8, a, b string) {
		checkTexts(t, sqltext.Dialect(dialect%4), a, b)
	})
}

// checkTexts checks two texts, apart and one behind the other.
func checkTexts(t *testing.T, d sqltext.Dialect, a, b string) {
	t.Helper()
	one, two := sqltext.Parse(d, a), sqltext.Parse(d, b)
	for i := range one.Statements {
		checkStatement(t, d, &one.Statements[i])
	}
	if sqltext.IsRead(a) {
		for _, s := range one.Statements {
			// A write within a query's brackets is refused by all databases, and not looked for by IsRead.
			if s.Kind != sqltext.Read && s.Kind != sqltext.Unknown && s.Kind != sqltext.Wide {
				t.Errorf("IsRead(%q), which is %v", a, s.Kind)
			}
		}
	}
	if understood(one) && understood(two) && !strings.Contains(strings.ToUpper(a), "CREATE") && !strings.Contains(strings.ToUpper(a), "ALTER") {
		both := sqltext.Parse(d, a+"\n;"+b)
		want := append(append([]sqltext.Statement(nil), one.Statements...), two.Statements...)
		if diff := cmp.Diff(want, both.Statements, ignoreSpans, cmpopts.EquateEmpty()); diff != "" && (understood(both) || d != my && d != anyone) {
			t.Errorf("Parse(%q; %q) in %d (-want +got):\n%s", a, b, d, diff)
		}
	}
}

// words are what random texts are made of. Most of what they make is no SQL; all of it must be read with the same care.
var words = strings.Fields(`UPDATE UPDATE UPDATE DELETE DELETE INSERT INSERT REPLACE INTO INTO FROM FROM SET SET SET WHERE WHERE USING RETURNING RETURNING
	VALUES SELECT WITH RECURSIVE AS AS ON ON CONFLICT DUPLICATE KEY DO NOTHING OR IGNORE ONLY JOIN LIMIT ORDER BY MERGE NOT NULL DISTINCT IS
	CASE END BEGIN CREATE TRIGGER INDEXED PARTITION USE INDEX DEFAULT FOR EXPLAIN ANALYZE TRUNCATE COPY SEARCH CYCLE LATERAL
	a a b b t t s.t "q" 'x' 1 1.5 $1 ? ?2 :n @v * * = = = , , , , . ( ( ( ( ) ) ) ) [ ] ; :: - -- /* */ # \\ $$`)

func TestParse_holds_its_promises_for_random_texts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range 1 + random.IntN(24) {
			b.WriteString(words[random.IntN(len(words))] + " ")
		}
		return b.String()
	}
	kinds := make(map[sqltext.Kind]int)
	for range 10_000 {
		// A beginning that makes sense leads further into what follows it.
		a := []string{"", "UPDATE t SET a = 1 ", "DELETE FROM t ", "INSERT INTO t VALUES (1) ", "WITH x AS ( SELECT 1 ) UPDATE t ", "SELECT a FROM t "}[random.IntN(6)] + text()
		d := sqltext.Dialect(random.IntN(4))
		checkTexts(t, d, a, text())
		for _, s := range sqltext.Parse(d, a).Statements {
			kinds[s.Kind]++
		}
	}
	for _, k := range []sqltext.Kind{sqltext.Unknown, sqltext.Read, sqltext.Insert, sqltext.Update, sqltext.Delete, sqltext.Wide} {
		if kinds[k] < 50 {
			t.Errorf("%d of the texts are of kind %v: they prove nothing about it", kinds[k], k)
		}
	}
}

// understood returns whether all statements of a text are.
func understood(s sqltext.Script) bool {
	for i := range s.Statements {
		if s.Statements[i].Kind == sqltext.Unknown {
			return false
		}
	}
	return true
}

func checkStatement(t *testing.T, d sqltext.Dialect, s *sqltext.Statement) {
	t.Helper()
	_ = s.Mentions("books")
	text := s.Returning([]string{"x", "(y)"})
	switch s.Kind {
	case sqltext.Insert, sqltext.Update, sqltext.Delete:
		if len(s.Tables) != 1 || s.Target() == "" {
			t.Errorf("%q writes %v, called %q", s.Text(), s.Tables, s.Target())
		}
		if !strings.HasPrefix(text, s.Text()) {
			t.Errorf("Returning of %q = %q", s.Text(), text)
		}
		again, ok := sqltext.Parse(d, text).Single()
		if !ok {
			t.Fatalf("Parse(%q) has not one statement", text)
		}
		want := returning(*s)
		if diff := cmp.Diff(want, *again, ignoreSpans, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Parse(%q) in %d (-want +got):\n%s", text, d, diff)
		}
	case sqltext.Wide:
		if len(s.Tables) == 0 {
			t.Errorf("%q writes nothing", s.Text())
		}
	default:
		if text != "" {
			t.Errorf("Returning of %q = %q", s.Text(), text)
		}
	}
	query, _, ok := s.SelectOld([]string{"id"}, "FOR UPDATE")
	if !ok {
		return
	}
	old, single := sqltext.Parse(d, query).Single()
	if !single || old.Kind != sqltext.Read {
		t.Errorf("SelectOld of %q in %d = %q, which does not read", s.Text(), d, query)
	}
}
