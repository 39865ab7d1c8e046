package sqltext_test

import (
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/sqltext"
)

const query = `SELECT "book"."id", "book"."title", "book"."author_id", "book"."created_at" FROM "books" AS "book" ` +
	`LEFT JOIN "authors" AS "author" ON ("author"."id" = "book"."author_id") WHERE ("book"."id" = 42) LIMIT 1`

func TestIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		query:                            true,
		"select 1":                       true,
		" \n\tSELECT\n1 ; \n":            true,
		`SELECT"a"FROM b`:                true,
		"SELECT * FROM t FOR UPDATE":     true,
		"/* a */ -- b\nSELECT 1":         true,
		"WITH x AS (SELECT 1) SELECT 2":  true,
		"SELECT 1; DELETE FROM t":        false,
		"SELECT ';'":                     false, // Parse tells
		"SELECT * INTO t FROM u":         false,
		"SELECT * iNtO t FROM u":         false,
		"SELECT 1 /*!50000 INTO t */":    false,
		"/*! DELETE FROM t */ SELECT 1":  false,
		"/*M! DELETE FROM t */ SELECT 1": false,
		"/* /* */ SELECT */ DELETE":      false,
		"-- a\rDELETE FROM t; \nSELECT":  false,
		"-- a\rDELETE FROM t\nSELECT 1":  false,
		"--1\nSELECT 1":                  false,
		"-- SELECT 1":                    false,
		"/* SELECT 1":                    false,
		"/*/ SELECT 1":                   false,
		"SELECTED":                       false,
		"SELECT":                         false,
		"DELETE FROM t":                  false,
		"WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x":         false,
		"WITH x AS (UPDATE t SET a = 1 RETURNING id) SELECT * FROM x":    false,
		"WITH x AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM": false,
		"WITH x AS (SELECT 1) UPDATE t SET a = 1":                        false,
		"": false,
	} {
		if got := sqltext.IsRead(text); got != want {
			t.Errorf("IsRead(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestIsRead_finds_INTO_at_every_place(t *testing.T) {
	t.Parallel()
	for n := range 64 {
		for _, into := range []string{"INTO", "into", "Into", "inTO"} {
			for _, filler := range []string{" ", "i", "T"} {
				if text := "SELECT 1 " + strings.Repeat(filler, n) + into; sqltext.IsRead(text) || sqltext.IsRead(text+filler) {
					t.Errorf("IsRead(%q) = true", text)
				}
			}
		}
	}
}

func TestIsRead_does_not_allocate(t *testing.T) {
	for _, text := range []string{query, "/* trace */ " + query, "WITH x AS (SELECT 1) " + query, "UPDATE t SET a = 1"} {
		if n := testing.AllocsPerRun(100, func() { sqltext.IsRead(text) }); n != 0 {
			t.Errorf("IsRead(%s) allocates %v times, want 0", text, n)
		}
	}
}

func BenchmarkIsRead(b *testing.B) {
	for name, text := range map[string]string{"select": query, "with": "WITH x AS (SELECT 1) " + query, "update": "UPDATE t SET a = 1 WHERE id = 3"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				sqltext.IsRead(text)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{
		"select": query,
		"update": `UPDATE "books" AS "book" SET "title" = 'x', "author_id" = 3 WHERE ("book"."id" = 42)`,
		"insert": `INSERT INTO "books" ("id", "title") VALUES (1, 'x')` + strings.Repeat(", (DEFAULT, 'some title that is long')", 1000) + ` RETURNING "id"`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				sqltext.Parse(pg, text)
			}
		})
	}
}
