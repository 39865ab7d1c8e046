package sqltext_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// noise is, for each dialect, what means no more than a space and looks like more; and strings that look like anything else.
var noise = map[sqltext.Dialect]struct{ spaces, strings []string }{
	pg: {
		[]string{" ", "\n\t", "/* ; ' \" $$ ( */", "/* /* */ WHERE ' */", "-- ' ; RETURNING\n", "--\"\r"},
		[]string{"''", "'it''s; DELETE FROM x'", "'\\'", "E'\\'; WHERE \\\\'", "$$ ' ; ( $$", "$a$ $$ $b$ -- $a$", "' RETURNING /* '", "U&'\\0027'", "')'"},
	},
	lite: {
		[]string{" ", "\n\t", "/* ; ' \" [ ( /* */", "-- ' ; RETURNING\r FROM\n", "--)\n"},
		[]string{"''", "'it''s; DELETE FROM x'", "'\\'", "' RETURNING /* '", "x'00'", "'['", "'$$'"},
	},
	my: {
		[]string{" ", "\n\t", "/* ; ' \" ` ( */", "-- ' ; RETURNING\n", "# ' ; WHERE\n", "/*+ ( */"},
		[]string{"''", "'it''s; DELETE FROM x'", "'\\\\'", "\" ' ; \"\" ( \"", "' RETURNING # '", "_utf8'x'", "N'--'"},
	},
}

func TestParse_is_not_led_astray_by_comments_and_strings(t *testing.T) {
	t.Parallel()
	// A % stands for any string.
	texts := map[sqltext.Dialect][]string{
		pg: {
			`UPDATE "a" AS "b" SET x = % , y = ( SELECT % ) FROM c WHERE z = % RETURNING %`,
			`WITH q AS ( SELECT % ) DELETE FROM ONLY s . "t" * USING q WHERE % = %`,
			`INSERT INTO t ( a , b ) VALUES ( % , % ) , ( % , % ) ON CONFLICT ( a ) DO UPDATE SET b = % WHERE % = % RETURNING *`,
			`WITH q AS ( DELETE FROM t WHERE a = % RETURNING * ) SELECT % FROM q`,
			`SELECT % , % FROM t WHERE a = % FOR UPDATE`,
			`BEGIN ; UPDATE a SET x = % ; ROLLBACK TO SAVEPOINT "y" ; COMMIT AND CHAIN`,
		},
		lite: {
			`UPDATE OR IGNORE [a] AS b INDEXED BY c SET ( x , "y" ) = ( % , % ) WHERE % = % ORDER BY % LIMIT 1`,
			`REPLACE INTO main . t VALUES ( % , ? , :a ) RETURNING x`,
			`CREATE TRIGGER x AFTER DELETE ON t BEGIN UPDATE u SET a = CASE WHEN % THEN % END ; DELETE FROM v WHERE % ; END ; DELETE FROM w`,
			`INSERT INTO t SELECT % FROM u WHERE % ON CONFLICT DO NOTHING`,
		},
		my: {
			"UPDATE LOW_PRIORITY `a` PARTITION ( p ) b USE INDEX ( i ) SET b . x = % , y := % WHERE % = ? ORDER BY z LIMIT 3",
			"UPDATE a JOIN ( b , c AS d ) ON a . x = % SET d . y = % WHERE %",
			"DELETE b . * FROM a AS b STRAIGHT_JOIN c USING ( d ) WHERE %",
			"INSERT IGNORE INTO t SET a = % , b = % ON DUPLICATE KEY UPDATE c = VALUES ( c ) , d = %",
			"SET @x = % , SESSION autocommit = 0",
		},
	}
	random := rand.New(rand.NewPCG(3, 4))
	for d, bases := range texts {
		for _, base := range bases {
			want := sqltext.Parse(d, strings.ReplaceAll(base, "%", "'s'"))
			for range 100 {
				var b strings.Builder
				for token := range strings.FieldsSeq(base) {
					if token == "%" {
						token = noise[d].strings[random.IntN(len(noise[d].strings))]
					}
					// A space besides: strings side by side are one string, and two dashes need one in MySQL.
					b.WriteString(token + " " + noise[d].spaces[random.IntN(len(noise[d].spaces))] + " ")
				}
				got := sqltext.Parse(d, b.String())
				if diff := cmp.Diff(want, got, ignoreSpans, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("Parse(%s) differs from that of %s (-want +got):\n%s", b.String(), base, diff)
				}
			}
		}
	}
}

func TestParse_takes_time_in_proportion_to_the_text(t *testing.T) {
	t.Parallel()
	// At a cost that grows with the square any of these would take many minutes, and the test would be stopped.
	const n = 1 << 17
	for _, text := range []string{
		strings.Repeat("(", n), strings.Repeat("'", n), strings.Repeat("''", n), strings.Repeat(`\'`, n), "'" + strings.Repeat(`\\`, n) + "'",
		strings.Repeat("/*", n), "/*" + strings.Repeat("*", n), strings.Repeat("$a", n), strings.Repeat("$a$b", n), strings.Repeat("--\r", n), strings.Repeat(";", n),
		"UPDATE t SET " + strings.Repeat("a = (1), ", n/8), "DELETE FROM t WHERE " + strings.Repeat("a AND ", n/8) + "(a = 1)",
		"WITH " + strings.Repeat("a AS (SELECT 1), ", n/16) + "a AS (DELETE FROM t) SELECT 1", "DELETE FROM t WHERE " + strings.Repeat("(", 999) + strings.Repeat("a,", n/8),
		"INSERT INTO t VALUES (1) " + strings.Repeat("ON CONFLICT DO NOTHING ", n/32), "INSERT INTO t VALUES (1)" + strings.Repeat(" ON CONFLICT (a)", n/32),
		"DELETE FROM t WHERE a IN (" + strings.Repeat("$1, $2, ", n/16) + "$3)", "CREATE TRIGGER " + strings.Repeat("BEGIN ", n/8), strings.Repeat("DELETE FROM a; ", n/32),
		"UPDATE " + strings.Repeat("a JOIN ", n/16) + "a SET " + strings.Repeat("b.c = 1, ", 10) + "b.d = 1",
	} {
		for _, d := range []sqltext.Dialect{anyone, lite, pg, my} {
			script := sqltext.Parse(d, text)
			sqltext.IsRead(text)
			for i := range script.Statements {
				if s := &script.Statements[i]; len(script.Statements) == 1 {
					s.SelectOld([]string{"id"}, "")
					s.Returning([]string{"id"})
					s.Mentions("books")
				}
			}
		}
	}
}
