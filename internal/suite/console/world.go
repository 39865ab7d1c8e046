// Package console holds a Console to what it promises: by names and keys it sees and does what a program sees and does by
// its types, also from another program that has none of them.
package console

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

type (
	bookRow struct {
		ID     int64 `bun:"id,pk"`
		Author int64 `bun:"author"`
	}
	userRow struct {
		ID int64 `bun:"id,pk"`
	}
	shelfRow struct {
		UserID int64    `bun:"user_id,pk"`
		User   *userRow `bun:"rel:belongs-to,join:user_id=id"`
		BookID int64    `bun:"book_id,pk"`
		Book   *bookRow `bun:"rel:belongs-to,join:book_id=id"`
	}
)

// Book is a row; it is a part of a main key with an owner.
type Book struct {
	cacheme.Node[map[string]int64]
	ID int64 `cacheme:"field"`
}

func (Book) Meta() cacheme.Meta                { return cacheme.Meta{Key: "book:<id>", TTL: time.Minute} }
func (b Book) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: b.ID}} }
func (Owner) Meta() cacheme.Meta               { return cacheme.Meta{Key: "book:<book>", Field: "owner"} }

func (o Owner) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: o.Book}, cacheme.Tag("owners")}
}

func (Shelf) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "shelf:<user>:<kind>:<sold>", Stale: time.Hour}
}

func (s Shelf) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Shelves{User: s.User}, Mood{Mood: s.Kind}}
}
func (Ticket) Meta() cacheme.Meta              { return cacheme.Meta{Key: "ticket:<id>"} }
func (Ticket) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{AnyBook{}} }
func (Fickle) Meta() cacheme.Meta              { return cacheme.Meta{Key: "fickle:<id>"} }
func (BookChanged) Meta() cacheme.Meta         { return cacheme.Meta{Model: (*bookRow)(nil)} }
func (AnyBook) Meta() cacheme.Meta             { return cacheme.Meta{Model: (*bookRow)(nil)} }
func (Shelves) Meta() cacheme.Meta             { return cacheme.Meta{Model: (*shelfRow)(nil), M2M: true} }
func (Mood) Meta() cacheme.Meta                { return cacheme.Meta{Key: "mood:<mood>"} }

// InvalidNodes is something else for each of its keys, in a way of its own.
func (f Fickle) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: f.ID % 3}}
}

type (
	// Owner is another part of a book.
	Owner struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	// Shelf depends on a side of a relation, and on what is no row.
	Shelf struct {
		cacheme.Node[[]int64]
		User int64  `cacheme:"field"`
		Kind string `cacheme:"field"`
		Sold bool   `cacheme:"field"`
	}
	// Ticket depends on a table as a whole.
	Ticket struct {
		cacheme.Node[string]
		ID uuid.UUID `cacheme:"field"`
	}
	// Fickle is what nobody can tell from outside.
	Fickle struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	// BookChanged is a book's row.
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	// AnyBook is any book's row.
	AnyBook struct{ cacheme.ModelInvalidNode }
	// Shelves is who has which book.
	Shelves struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	// Mood is no row.
	Mood struct {
		cacheme.InvalidNode
		Mood string `cacheme:"field"`
	}
)

// world is a program with a cache, and somebody beside it who has no types.
type world struct {
	*cacheme.Cache

	t       testing.TB
	rdb     redis.UniversalClient
	console *cacheme.Console
	other   *cacheme.Console // of Attach
}

func newWorld(t testing.TB, server suite.Server) *world {
	t.Helper()
	o := suite.Patient(cacheme.Options{Prefix: suite.Prefix()})
	w := &world{t: t, rdb: server.Client(suite.PatientClient)}
	w.Cache = suite.NewCache(t, w.rdb, o, Book{}, Owner{}, Shelf{}, Ticket{}, Fickle{}, BookChanged{}, AnyBook{}, Shelves{}, Mood{})
	w.console = w.Console()
	must(t, w.Publish(t.Context()))
	other, err := cacheme.Attach(t.Context(), server.Client(suite.PatientClient), o)
	must(t, err)
	w.other = other
	t.Cleanup(func() { must(t, other.Cache().Close(context.Background())) })
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// both are the console of the program, and that of the other one.
func (w *world) both() map[string]*cacheme.Console {
	return map[string]*cacheme.Console{"own": w.console, "attached": w.other}
}

func get[N cacheme.NodeOf[V], V any](w *world, node N, value V) {
	w.t.Helper()
	_, err := cacheme.GetFrom(w.t.Context(), w.Cache, node, func(context.Context, N) (V, error) { return value, nil })
	must(w.t, err)
}

// fill loads so many books, and their owners, and returns the keys.
func (w *world) fill(books int64) (keys []string) {
	for id := range books {
		get(w, Book{ID: id}, map[string]int64{"pages": id})
		get(w, Owner{Book: id}, fmt.Sprint("owner of ", id))
		keys = append(keys, fmt.Sprint("book:", id), fmt.Sprintf("book:%d>owner", id))
	}
	slices.Sort(keys)
	return keys
}
