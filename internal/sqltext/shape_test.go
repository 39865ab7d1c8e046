package sqltext_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/sqltext"
)

const shapeText = `SELECT "book"."id", "book"."title", "book"."price", "book"."author_id", "author"."id" AS "author__id", "author"."name" AS "author__name" FROM "books" AS "book" LEFT JOIN "authors" AS "author" ON ("author"."id" = "book"."author_id") WHERE (book.id = 5)`

func BenchmarkShape(b *testing.B) {
	for b.Loop() {
		_ = sqltext.Shape(shapeText)
	}
}

func BenchmarkReadsOfShape(b *testing.B) {
	for b.Loop() {
		if _, err := sqltext.Reads(sqltext.SQLite, shapeText, nil); err != nil {
			b.Fatal(err)
		}
	}
}
