package sqltext_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/sqltext"
)

func TestBind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		d    sqltext.Dialect
		text string
		args []any
		want string
	}{
		{"numbers", sqltext.MySQL, "a = ? AND b=?", []any{int64(5), int64(-7)}, "a =  5 AND b= -7"},
		{"a sign makes no comment", sqltext.MySQL, "a = 1-?", []any{int64(-7)}, "a = 1- -7"},
		{"by number, in any order", sqltext.Postgres, "a = $2 AND b = $1 AND c = $2", []any{int64(1), "x"}, "a = 'x' AND b =  1 AND c = 'x'"},
		{"SQLite's numbers", sqltext.SQLite, "a = ?2 AND b = ?1", []any{int64(1), int64(2)}, "a =  2 AND b =  1"},
		{"quotes", sqltext.SQLite, "a = ?", []any{"o'b"}, "a = 'o''b'"},
		{"not in a string, a name or a comment", sqltext.SQLite, `'?' "?" /* ? */ ?`, []any{int64(1)}, `'?' "?" /* ? */  1`},
		{"what is not certain stays", sqltext.MySQL, "? ? ? ?", []any{nil, 1.5, `\`, []byte("x")}, "? ? ? ?"},
		{"bools", sqltext.Postgres, "$1", []any{true}, "TRUE"},
		{"SQLite has none", sqltext.SQLite, "?", []any{true}, "?"},
		{"too few arguments", sqltext.MySQL, "? ?", []any{int64(1)}, " 1 ?"},
		{"named ones", sqltext.SQLite, ":a ?", []any{int64(1), int64(2)}, ":a ?"},
		{"mixed ones", sqltext.SQLite, "?1 ?", []any{int64(1), int64(2)}, "?1 ?"},
		{"a text that is none", sqltext.SQLite, "' ?", []any{int64(1)}, "' ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := sqltext.Bind(c.d, c.text, c.args); got != c.want {
				t.Errorf("Bind(%q, %v) = %q, want %q", c.text, c.args, got, c.want)
			}
		})
	}
}

// What was bound is read as if it had been written so.
func TestBindIsForReads(t *testing.T) {
	t.Parallel()
	text := sqltext.Bind(sqltext.Postgres, "SELECT * FROM books b WHERE b.author_id = $1 AND b.kind = $2", []any{int64(-3), "o'b"})
	got, err := sqltext.Reads(sqltext.Postgres, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []sqltext.Criterion{{
		{Column: "author_id", Value: sqltext.Literal{Kind: sqltext.Integer, Text: "-3"}},
		{Column: "kind", Value: sqltext.Literal{Kind: sqltext.String, Text: "o'b"}},
	}}
	if diff := cmp.Diff(want, got.Sources[0].Criteria); diff != "" {
		t.Errorf("Reads(%q) has other criteria (-want +got):\n%s", text, diff)
	}
}

func TestShapeIsThatOfTextsWithOtherValues(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"SELECT 1 FROM t WHERE a = 5", "SELECT 20 FROM t WHERE a = 7.25"},
		{"a IN (1)", "a IN (1, 2, 3)", "a IN (12,3)", "a IN ('x', 'y')"},
		{"a = 'x'", "a = 'o''b'", `a = 'it\'s'`},
	} {
		for _, other := range same[1:] {
			if sqltext.Shape(same[0]) != sqltext.Shape(other) {
				t.Errorf("Shape(%q) is not Shape(%q)", same[0], other)
			}
		}
	}
	for _, differ := range [][2]string{
		{"SELECT a FROM t1", "SELECT a FROM t2"},
		{"a = 1 AND b = 2", "a = 1 OR b = 2"},
		{"a = $1", "a = 1"},
	} {
		if sqltext.Shape(differ[0]) == sqltext.Shape(differ[1]) {
			t.Errorf("Shape(%q) is Shape(%q)", differ[0], differ[1])
		}
	}
}
