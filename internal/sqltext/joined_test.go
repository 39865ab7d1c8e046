package sqltext_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme/internal/sqltext"
)

func TestReads_joined(t *testing.T) {
	t.Parallel()
	const join = `FROM "books" AS "b" LEFT JOIN "authors" AS "a" ON ("a"."id" = "b"."author_id")`
	checkReads(t, []sqltext.Dialect{lite, pg}, []expect{
		{`SELECT "b"."id", "a"."id" AS "a__id" ` + join + ` WHERE ("b"."id" = 1) ORDER BY "b"."title" DESC LIMIT 3 OFFSET 2`, "0:books b[id=1] 0:authors a[*]<-b id=author_id"},
		{`SELECT * ` + join + ` AND ("a"."deleted_at" IS NULL) AND lower("a"."name") <> 'x' WHERE title = 'x'`, "0:books b[title='x'] 0:authors a[*]<-b id=author_id"},
		{`SELECT * ` + join + ` AND "b"."author_id" = "a"."x"`, "0:books b[*] 0:authors a[*]<-b id=author_id x=author_id"},
		{`SELECT * ` + join + ` LEFT OUTER JOIN "cities" AS "c" ON "c"."id" = "a"."city_id"`, "0:books b[*] 0:authors a[*]<-b id=author_id 0:cities c[*]<-a id=city_id"},
		{`SELECT * ` + join + ` LEFT JOIN "cities" AS "c" ON "c"."id" = "a"."city_id" AND "b"."x" = 1`, "0:books b[*] 0:authors a[*] 0:cities c[*]"},
		{`SELECT * ` + join + ` LEFT JOIN "cities" AS "c" ON "c"."id" = "a"."city_id" ORDER BY "c"."name"`, "0:books b[*] 0:authors a[*] 0:cities c[*]"},
		{`SELECT * ` + join + ` JOIN "cities" AS "c" ON "c"."id" = "b"."city_id"`, "0:books b[*] 0:authors a[*]<-b id=author_id 0:cities c[*]"},
		{`SELECT * ` + join + ` AND "b"."x" = 1`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` AND "a"."x" = (SELECT 1)`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` AND name = 'x'`, "0:books b[*] 0:authors a[name='x']"},
		{`SELECT * ` + join + ` WHERE "a"."name" > 'x'`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` WHERE name > 'x'`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` WHERE nobody > 'x'`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` WHERE EXISTS (SELECT 1 FROM t WHERE "t"."x" = "a"."id")`, "0:books b[*] 0:authors a[*] 1:t[*]"},
		{`SELECT * ` + join + ` WHERE EXISTS (SELECT 1 FROM t WHERE "t"."x" = "b"."id")`, "0:books b[*] 0:authors a[*]<-b id=author_id 1:t[*]"},
		{`SELECT "a"."name" AS title ` + join + ` ORDER BY title`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` ORDER BY "b"."id", (2)`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` ORDER BY "a"`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` ORDER BY count(*)`, "0:books b[*] 0:authors a[*]"},
		{`SELECT DISTINCT "b"."id" ` + join, "0:books b[*] 0:authors a[*]"},
		{`SELECT count(*) ` + join, "0:books b[*] 0:authors a[*]"},
		{`SELECT 1 ` + join + ` GROUP BY "b"."id"`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * ` + join + ` UNION SELECT * FROM t`, "0:books b[*] 0:authors a[*] 1:t[*]"},
		{`(SELECT * ` + join + `) UNION SELECT * FROM t`, "0:books b[*] 0:authors a[*] 1:t[*]"},
		{`SELECT * FROM (SELECT * ` + join + `) AS x`, "1:books b[*] 1:authors a[*]"},
		{`SELECT * ` + join + ` RIGHT JOIN t ON t.x = 1`, "0:books b[*] 0:authors a[*] 0:t[*]"},
		{`SELECT * ` + join + ` JOIN t USING (x)`, "0:books b[*] 0:authors a[*] 0:t[*]"},
		{`SELECT * FROM "books" AS "b" JOIN "authors" AS "a" ON ("a"."id" = "b"."author_id")`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * FROM "books" AS "b" LEFT JOIN "authors" AS "a" ON ("a"."id" = "b"."author_id" OR "a"."id" = 1)`, "0:books b[*] 0:authors a[*]"},
		{`SELECT * FROM (SELECT 1 AS x) AS "b" LEFT JOIN "authors" AS "a" ON ("a"."id" = "b"."x")`, "0:authors a[*]"},
	})
}

func TestReads_a_change_of_a_row_that_no_result_joins_leaves_the_result(t *testing.T) {
	t.Parallel()
	for seed := range uint64(rounds(1)) {
		w := newWorld(t, 100+seed)
		w.unique = true
		w.fill()
		g := &grammar{world: w}
		spared, mattered := 0, 0
		began := time.Now()
		for n := 0; n < 1_000 && time.Since(began) < 8*time.Second; n++ { // a slow machine proves less
			text := joining(g)
			r, err := sqltext.Reads(lite, text, w.owner)
			if err != nil {
				t.Fatalf("Reads(%s): %v", text, err)
			}
			before, err := w.rows(text)
			if err != nil {
				continue
			}
			for range 4 {
				c, ok := w.change()
				if !ok {
					continue
				}
				known, may := false, false
				for _, s := range r.Sources {
					if s.Table.Table != c.table.name {
						continue
					}
					if s.Joined == nil {
						may = may || matters(s, c.table, c.was) || matters(s, c.table, c.now)
						continue
					}
					known = true
					// q and r select their id and a first, in this order.
					at := map[string]int{"q": 1, "r": 3}[s.Joined.To]
					may = may || slices.ContainsFunc(before, func(row []any) bool {
						return c.was != nil && row[at] == c.was[0] || c.now != nil && row[at] == c.now[0]
					})
				}
				w.apply(c)
				after, err := w.rows(text)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				same := slices.EqualFunc(before, after, slices.Equal[[]any])
				switch {
				case !same && may && known:
					mattered++
				case !same && !may:
					t.Fatalf("%s\nchanges the result of\n%s\nfrom %v\nto   %v, read as %s", c, text, before, after, brief(r))
				case known && !may:
					spared++
				}
				before = after
			}
		}
		t.Logf("%d changes spared, %d mattered", spared, mattered)
		if spared < 100 || mattered < 10 {
			t.Errorf("%d changes spared and %d mattered: they prove nothing", spared, mattered)
		}
	}
}

// joining makes a query with to-one relations as bun writes it, and now and then something that chooses rows by them.
func joining(g *grammar) string {
	names := [][3]string{{"t", "u", "v"}, {"u", "v", "t"}, {"v", "t", "u"}}[g.n(3)]
	scope := func(i int) scoped {
		return scoped{alias: []string{"q", "r", "k"}[i], columns: g.world.tables[names[i]].columns, table: true}
	}
	text := "SELECT q.id, q.a, r.id, r.a, r.s, k.s FROM " + names[0] + " AS q LEFT JOIN " + names[1] + " AS r ON (r.id = q.a)"
	if g.chance(3) {
		text += g.one(" AND r.s IS NULL", " AND r.s <> 'p'", " AND q.s = 'p'", " AND (r.s = 'p' OR r.a = q.id)")
	}
	text += g.one(" LEFT JOIN ", " LEFT JOIN ", " LEFT JOIN ", " JOIN ") + names[2] + " AS k ON k.id = r.a"
	if g.chance(3) {
		text += g.one(" AND k.s IS NULL", " AND k.a = 1", " AND q.a = 1")
	}
	if !g.chance(3) {
		within := []scoped{scope(0)}
		if g.chance(4) {
			within = append(within, scope(1+g.n(2)))
		}
		text += " WHERE " + g.condition(within, nil, 2)
	}
	text += " ORDER BY " + g.one("", "", "", "", "r.s, ", "k.a, ", "5, ") + "q.id"
	if g.chance(2) {
		text += " LIMIT " + strconv.Itoa(1+g.n(2)) + g.one("", " OFFSET 1")
	}
	return text
}

// rows returns the result of a query in its order.
func (w *world) rows(text string) ([][]any, error) {
	rows, err := w.conn.QueryContext(w.ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]any
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, rows.Err()
}

type Writer struct {
	bun.BaseModel `bun:"table:authors,alias:w"`

	ID   int64 `bun:",pk"`
	Name string
}

type Novel struct {
	bun.BaseModel `bun:"table:books,alias:b"`

	ID       int64 `bun:",pk"`
	Title    string
	AuthorID int64
	Author   *Writer `bun:"rel:belongs-to,join:author_id=id"`
}

func TestReads_understands_the_queries_that_bun_makes(t *testing.T) {
	t.Parallel()
	pool, err := sql.Open(sqliteshim.ShimName, ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	db := bun.NewDB(pool, sqlitedialect.New())
	none := (*Novel)(nil)
	for _, q := range []struct {
		query appender
		want  string
	}{
		{db.NewSelect().Model(&Novel{ID: 3}).WherePK(), "0:books b[id=3]"},
		{db.NewSelect().Model(none).Where("title = ?", "it's").Limit(3), "0:books b[title='it's']"},
		{db.NewSelect().Model(none).Where("? = ?", bun.Ident("b.id"), 3), "0:books b[id=3]"},
		{db.NewSelect().Model(none).Where("id IN ?", bun.Tuple([]int{1, 2})), "0:books b[id=1|id=2]"},
		{db.NewSelect().Model((*Book)(nil)).Where("b.id = 1"), "0:books b[id=1]"},
		{db.NewSelect().Model(none).Relation("Author").Where("b.id = 1"), "0:books b[id=1] 0:authors author[*]<-b id=author_id"},
		{db.NewSelect().Model(none).Relation("Author").Where("author.name = 'x'"), "0:books b[*] 0:authors author[name='x']"},
		{db.NewSelect().Model(none).Where("b.id = 1").WhereGroup(" AND ", func(s *bun.SelectQuery) *bun.SelectQuery {
			return s.Where("b.author_id = 2").WhereOr("b.author_id = 3")
		}), "0:books b[author_id=2&id=1|author_id=3&id=1]"},
		{db.NewSelect().Model(none).Where("b.id = 1").WhereOr("b.title LIKE 'x%'"), "0:books b[*]"},
		{db.NewSelect().Model((*Shelf)(nil)).Where("(user_id, book_id) IN ?", bun.Tuple([][]int{{1, 2}, {3, 4}})), "0:shop.shelves shelf[*]"},
		{db.NewSelect().Model((*Shelf)(nil)).Where("(shelf.user_id, shelf.book_id) IN ?", bun.Tuple([][]int{{1, 2}, {3, 4}})), "0:shop.shelves shelf[book_id=2&user_id=1|book_id=4&user_id=3]"},
		{db.NewSelect().With("x", db.NewSelect().Model(none).Where("b.id = 1")).TableExpr("x").Where("x.id = 2"), "1:books b[id=1]"},
		{db.NewSelect().Model(none).Distinct().Join("JOIN authors AS a ON a.id = b.author_id").Where("a.id = 7"), "0:books b[author_id=7] 0:authors a[id=7]"},
		{db.NewSelect().Model(none).Where("b.id = 1").UnionAll(db.NewSelect().Model(none).Where("b.id = 2")), "0:books b[id=1] 1:books b[id=2]"},
		{db.NewSelect().Model(none).Where("b.author_id IN (?)", db.NewSelect().Model((*Writer)(nil)).Column("id").Where("w.name = 'x'")), "0:books b[*] 1:authors w[name='x']"},
		{db.NewSelect().Model(none).ColumnExpr("count(*)").Where("b.author_id = 1").Group("title").Having("count(*) > 1"), "0:books b[author_id=1]"},
		{db.NewSelect().Model(none).For("UPDATE"), ""},
		{db.NewSelect().Model(none).TableExpr("f(1) AS x"), ""},
	} {
		raw, err := q.query.AppendQuery(db.QueryGen(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := sqltext.Reads(lite, string(raw), columns)
		if got := brief(r); got != q.want || (err != nil) != (q.want == "") {
			t.Errorf("Reads(%s) = %s, %v, want %s", raw, got, err, fmt.Sprint(q.want))
		}
	}
}
