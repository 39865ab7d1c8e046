package sqltext_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/sqltext"
)

var queries = []string{
	query,
	`SELECT "b"."id", "a"."id" AS "a__id" FROM "books" AS "b" LEFT JOIN "authors" AS "a" ON ("a"."id" = "b"."author_id") AND "a"."x" IS NULL WHERE "b"."id" IN (1, 2) ORDER BY "b"."id" LIMIT 3`,
	`WITH RECURSIVE x (a, b) AS (SELECT 1 UNION SELECT * FROM x WHERE x.a = 3), y AS (VALUES (1)) SELECT DISTINCT * FROM x, (y JOIN t USING (id)) WHERE (t.a, t.b) IN ((1, 'x'))`,
	`SELECT CASE WHEN a BETWEEN 1 AND 2 THEN f(now()) END FROM t WHERE NOT (a = -1 OR b = TRUE) AND c IS DISTINCT FROM d GROUP BY e HAVING count(*) FILTER (WHERE x) > 1`,
	"SELECT * FROM a STRAIGHT_JOIN b PARTITION (p) USE INDEX (i) ON a.x = 'it\\'s' AND b.y = 1 || 2 WHERE @x := 3",
	`SELECT ((SELECT 1) + 2), a[1:2], extract(a FROM b) FROM ONLY (t) * AS x, LATERAL (SELECT 1) y FETCH FIRST 3 ROWS ONLY`,
	"SELECT", "SELECT FROM", "WITH", "WITH x", "WITH x AS", "WITH x AS (", "SELECT * FROM (", "SELECT * FROM (a", "SELECT a FROM t WHERE", "SELECT a FROM t WHERE a =",
	"SELECT a FROM t WHERE a IN (", "SELECT a FROM t WHERE (a", "SELECT a FROM t JOIN", "SELECT a FROM t JOIN u ON", "SELECT a FROM t LIMIT", "SELECT a ORDER BY", "VALUES", "TABLE", "@", "SELECT @",
	"SELECT a.", "SELECT a FROM t WHERE t.", "SELECT a FROM t WHERE 1 =", "SELECT a FROM t WHERE -", "SELECT a FROM t WHERE (t.a,", "SELECT a FROM t WHERE (t.a, t.b) IN ((1", "NEXT VALUE FOR", "((", "()", "END",
}

// everything is a catalog in which a table has each column that begins as it does.
func everything(table sqltext.Name, column string) bool {
	return table.Table != "" && column != "" && table.Table[0]|0x20 == column[0]|0x20
}

// checkReading checks what holds of every text.
func checkReading(t *testing.T, d sqltext.Dialect, text string) (understood bool) {
	t.Helper()
	r, err := sqltext.Reads(d, text, everything)
	if err != nil {
		if err.Error() == "" {
			t.Errorf("Reads(%q): an error that says nothing", text)
		}
		return false
	}
	if s, ok := sqltext.Parse(d, text).Single(); !ok || s.Kind != sqltext.Read {
		t.Errorf("Reads(%q) is understood, and Parse does not call it one that reads", text)
	}
	for _, s := range r.Sources {
		if s.Criteria != nil && (len(s.Criteria) == 0 || len(s.Criteria) > 100) {
			t.Errorf("Reads(%q): %d criteria", text, len(s.Criteria))
		}
		for _, c := range s.Criteria {
			if len(c) == 0 {
				t.Errorf("Reads(%q): a criterion of nothing", text)
			}
		}
		if s.Joined != nil && (len(s.Joined.Columns) == 0 || len(s.Joined.Columns) != len(s.Joined.Others) || s.Block != 0) {
			t.Errorf("Reads(%q): joined by %+v", text, s.Joined)
		}
	}
	// Without a catalog nothing more is known than with one.
	without, err := sqltext.Reads(d, text, nil)
	if err != nil {
		t.Fatalf("Reads(%q) without a catalog: %v", text, err)
	}
	for i, s := range without.Sources {
		if s.Criteria != nil && r.Sources[i].Criteria == nil {
			t.Errorf("Reads(%q): a catalog makes %v wider", text, s)
		}
	}
	return true
}

func FuzzReads(f *testing.F) {
	for _, text := range append(queries, seeds...) {
		for d := range uint8(4) {
			f.Add(d, text)
		}
	}
	f.Fuzz(func(t *testing.T, dialect uint8, text string) {
		checkReading(t, sqltext.Dialect(dialect%4), text)
	})
}

var queryWords = strings.Fields(`SELECT SELECT SELECT FROM FROM FROM WHERE WHERE JOIN LEFT ON ON AND AND OR NOT BETWEEN CASE WHEN END IN IN EXISTS UNION WITH AS AS
	GROUP BY ORDER LIMIT OFFSET HAVING USING RIGHT FULL NATURAL CROSS LATERAL ONLY VALUES TABLE DISTINCT IS NULL TRUE FOR WINDOW OVER FILTER INTO
	t t u u b b t.a t.a u.b t.a u.b a b "q" 'x' 'x' 1 1 2 -1 f ( ( ( ( ( ) ) ) ) ) [ ] , , , = = = = = * . - | || @ : ; $1`)

func TestReads_holds_its_promises_for_random_texts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	understood := 0
	for range rounds(6_000) {
		var b strings.Builder
		b.WriteString([]string{"", "SELECT a FROM t ", "SELECT * FROM t WHERE ", "SELECT * FROM t JOIN u ON ", "SELECT * FROM t WHERE t.a = 1 "}[random.IntN(5)])
		for range 1 + random.IntN(16) {
			b.WriteString(queryWords[random.IntN(len(queryWords))] + " ")
		}
		if checkReading(t, sqltext.Dialect(random.IntN(4)), b.String()) {
			understood++
		}
	}
	if understood < 300 {
		t.Errorf("%d texts are understood: they prove nothing", understood)
	}
}

func TestReads_is_not_led_astray_by_comments_and_strings(t *testing.T) {
	t.Parallel()
	// A % stands for any string that gives no criterion beside another.
	texts := []string{
		`SELECT x , % FROM s . books AS b LEFT JOIN authors a ON ( a . id = b . author_id ) WHERE ( b . id = 1 ) AND b . title <> % ORDER BY b . id LIMIT 3`,
		`WITH c AS ( SELECT % AS z FROM t WHERE t . a IN ( 1 , 2 ) AND ( t . b = 3 OR t . b = 4 ) ) SELECT now ( ) FROM c , u WHERE EXISTS ( SELECT % FROM v WHERE v . a = 1 AND v . b LIKE % )`,
		`SELECT a FROM t WHERE t . a = 1 OR t . a BETWEEN % AND % UNION ALL SELECT b FROM u JOIN v ON u . x = v . y AND v . y = 7 GROUP BY u . z HAVING max ( u . z ) = %`,
		`SELECT CASE WHEN a = % THEN 1 END FROM t WHERE NOT t . b = % AND ( t . a , t . b ) IN ( ( 1 , 2 ) , ( 3 , 4 ) )`,
	}
	random := rand.New(rand.NewPCG(7, 8))
	for _, d := range every {
		for n, base := range texts {
			want, err := sqltext.Reads(d, strings.ReplaceAll(base, "%", "'s'"), columns)
			if err != nil {
				t.Fatalf("Reads(%d, %s): %v", d, base, err)
			}
			for range 100 {
				var b strings.Builder
				for token := range strings.FieldsSeq(base) {
					switch {
					case token == "%":
						token = noise[d].strings[random.IntN(len(noise[d].strings))]
						if first := token[0]; n == 0 && (first|0x20 >= 'a' && first|0x20 <= 'z' || first == '_') {
							token = "'s'" // the word before such a string may be a column, and then nothing is Joined
						}
					case token == strings.ToUpper(token) && random.IntN(2) == 0:
						token = strings.ToLower(token)
					case strings.ToLower(token) == "now" && random.IntN(2) == 0:
						token = "Now"
					}
					b.WriteString(token + " " + noise[d].spaces[random.IntN(len(noise[d].spaces))] + " ")
				}
				got, err := sqltext.Reads(d, b.String(), columns)
				if err != nil {
					t.Fatalf("Reads(%d, %s): %v", d, b.String(), err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("Reads(%s) differs from that of %s (-want +got):\n%s", b.String(), base, diff)
				}
			}
		}
	}
}

func TestReads_takes_time_in_proportion_to_the_text(t *testing.T) {
	t.Parallel()
	// At a cost that grows with the square any of these would take many minutes, and the test would be stopped.
	const n = 1 << 17
	nest := func(open, within, close string, depth int) string {
		one := strings.Repeat(open, depth) + within + strings.Repeat(close, depth)
		return one + strings.Repeat(" AND "+one, n/len(one))
	}
	where := "SELECT * FROM t WHERE "
	for i, text := range []string{
		where + strings.Repeat("t.a = 1 AND ", n/8) + "t.b = 2", where + strings.Repeat("t.a = 1 OR ", n/8) + "t.b = 2", where + "t.a IN (" + strings.Repeat("1, ", n/2) + "2)",
		where + strings.Repeat("(t.a = 1 OR t.b = 2) AND ", n/16) + "t.c = 3", where + strings.Repeat("(t.a = 1 AND t.b = 2) OR ", n/16) + "t.c = 3",
		where + nest("(", "t.a = 1", ")", 900), where + nest("(", "(SELECT 1)", "+1)", 900), where + nest("(SELECT ", "1", ")", 50), where + nest("((", "SELECT 1", ") + 1)", 400),
		where + strings.Repeat("t.a IN ("+strings.Repeat("1,", 98)+"2) AND ", n/200) + "t.b = 1", where + strings.Repeat("(t.a = 1 OR ", 900) + "1" + strings.Repeat(")", 900),
		"SELECT * FROM t" + strings.Repeat(" JOIN t ON t.a = 1", n/16), "SELECT * FROM t" + strings.Repeat(", t", n/3) + " WHERE t.a = 1",
		"SELECT * FROM b" + strings.Repeat(" LEFT JOIN t ON t.a = b.a", 60) + " WHERE " + strings.Repeat("b.a = t.a AND ", n/16) + "b.a = 1",
		"SELECT 1" + strings.Repeat(" UNION SELECT a FROM t WHERE t.a = 1", n/32), "SELECT " + strings.Repeat("(SELECT a FROM t), ", n/16) + "1", "SELECT " + strings.Repeat("f(1), ", n/4) + "1",
		"WITH " + strings.Repeat("x AS (SELECT * FROM x), ", n/16) + "y AS (SELECT 1) SELECT 1", where + strings.Repeat("CASE WHEN ", n/8), where + strings.Repeat("NOT ", n/4) + "t.a = 1",
		"SELECT 1 FROM " + strings.Repeat("(", 900) + "t" + strings.Repeat(")", 900), "SELECT 1 FROM " + strings.Repeat("(SELECT 1 FROM ", 900) + "t" + strings.Repeat(") AS x", 900),
		"SELECT * FROM t WHERE " + strings.Repeat("a = 1 AND ", n/8) + "b = 2", strings.Repeat("(", 900) + strings.Repeat("1,", n),
	} {
		_, _ = sqltext.Reads(every[i%len(every)], text, everything) // what takes time here is alike in all dialects
	}
}
