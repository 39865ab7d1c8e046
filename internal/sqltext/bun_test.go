package sqltext_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/sqltext"
)

type Book struct {
	bun.BaseModel `bun:"table:books,alias:b"`

	ID        int64 `bun:",pk,autoincrement"`
	Title     string
	AuthorID  int64
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}

type Shelf struct {
	bun.BaseModel `bun:"table:shop.shelves"`

	UserID int64 `bun:",pk"`
	BookID int64 `bun:",pk"`
}

// appender writes a builder's text, as String does of those that have it.
type appender interface {
	AppendQuery(schema.QueryGen, []byte) ([]byte, error)
}

func TestParse_understands_every_builder_of_bun_exactly(t *testing.T) {
	t.Parallel()
	pool, err := sql.Open(sqliteshim.ShimName, ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	db := bun.NewDB(pool, sqlitedialect.New())
	book := &Book{ID: 3, Title: "it's; DELETE FROM \"x\" -- \\", AuthorID: 1}
	books := []Book{*book, {ID: 4, Title: "RETURNING"}}
	none := (*Book)(nil)
	for _, r := range []struct {
		query appender
		want  sqltext.Statement
	}{
		{db.NewSelect().Model(none).Where("title = ?", book.Title), kind(sqltext.Read)},
		{db.NewSelect().With("x", db.NewSelect().Model(none)).TableExpr("x").For("UPDATE"), kind(sqltext.Read)},
		{db.NewInsert().Model(&Book{Title: book.Title}), returning(insert("books"))},
		{db.NewInsert().Model(book), returning(insert("books"))},
		{db.NewInsert().Model(book).Returning("*"), returning(insert("books"))},
		{db.NewInsert().Model(&books).Returning("NULL"), insert("books")},
		{db.NewInsert().Model(book).Ignore(), returning(conflict(insert("books"), sqltext.ConflictIgnored))},
		{db.NewInsert().Model(book).Replace(), returning(conflict(insert("books"), sqltext.ConflictReplaces))},
		{db.NewInsert().Model(book).On("CONFLICT (id) DO NOTHING"), returning(conflict(insert("books"), sqltext.ConflictIgnored))},
		{db.NewInsert().Model(book).On("CONFLICT (id) DO UPDATE").Set("title = EXCLUDED.title").Where("b.id > 1"), returning(upsert("books", "title"))},
		{db.NewInsert().Model(book).On("CONFLICT (id) DO UPDATE"), returning(upsert("books", "title", "author_id", "deleted_at"))},
		{db.NewInsert().Model(&map[string]any{"title": book.Title}).Table("books"), insert("books")},
		{db.NewInsert().With("x", db.NewSelect().Model(none)).Table("books", "x"), insert("books")},
		{db.NewInsert().Model(&Shelf{UserID: 1, BookID: 2}), insert("shop.shelves")},
		{db.NewUpdate().Model(book).WherePK(), update("books", "title", "author_id", "deleted_at")},
		{db.NewUpdate().Model(book).Column("title").WherePK().Returning("id, title"), returning(update("books", "title"))},
		{db.NewUpdate().Model(none).Set("title = ?", book.Title).Set("author_id = 1").Where("title LIKE ?", "%;'%"), update("books", "title", "author_id")},
		{db.NewUpdate().Model(&books).Column("title").Bulk(), update("books", "title")},
		{db.NewUpdate().Table("books").Set("title = ''").Where("id = 3"), update("books", "title")},
		{db.NewUpdate().Model(none).TableExpr("(SELECT 1 AS id) AS x").Set("title = ''").Where("b.id = x.id"), update("books", "title")},
		{db.NewUpdate().Model(&Shelf{UserID: 1, BookID: 2}).Set("book_id = 3").WherePK(), update("shop.shelves", "book_id")},
		{db.NewDelete().Model(book).WherePK().ForceDelete(), remove("books")},
		{db.NewDelete().Model(&books).WherePK().ForceDelete().Returning("*"), returning(remove("books"))},
		{db.NewDelete().Model(none).WhereAllWithDeleted().ForceDelete().Where("title IN ?", bun.Tuple([]string{"(", ")"})), remove("books")},
		{db.NewDelete().Model(book).WherePK(), update("books", "deleted_at")},
		{db.NewDelete().Model((*Shelf)(nil)).Where("user_id = 1"), remove("shop.shelves")},
		{db.NewDelete().With("x", db.NewSelect().Model(none)).Table("shelves").Where("book_id IN (SELECT id FROM x)"), remove("shelves")},
		{db.NewTruncateTable().Model(none), remove("books")},
		{db.NewDropTable().Model(none).IfExists(), defined("books")},
		{db.NewCreateTable().Model(none).IfNotExists(), defined("books")},
		{db.NewCreateIndex().Model(none).Index("i").Column("title"), defined("books")},
		{db.NewDropIndex().Index("i"), kind(sqltext.Schema)},
		{db.NewAddColumn().Model(none).ColumnExpr("pages INTEGER"), defined("books", "ADD", "pages", "INTEGER")},
		{db.NewDropColumn().Model(none).Column("pages"), defined("books", "DROP", "COLUMN", "pages")},
		{db.NewRaw("UPDATE books SET title = ? WHERE id = ?", book.Title, 3), update("books", "title")},
	} {
		raw, err := r.query.AppendQuery(db.QueryGen(), nil)
		if err != nil {
			t.Fatalf("%+v: %v", r.want, err)
		}
		text := string(raw)
		s, ok := sqltext.Parse(lite, text).Single()
		if !ok {
			t.Errorf("Parse(%s) has not one statement", text)
			continue
		}
		if diff := cmp.Diff(r.want, *s, ignoreSpans, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Parse(%s) (-want +got):\n%s", text, diff)
		}
		if s.Kind == sqltext.Update || s.Kind == sqltext.Delete {
			if _, _, ok := s.SelectOld([]string{"id"}, ""); !ok {
				t.Errorf("SelectOld of %s is not ok", text)
			}
		}
	}
}
