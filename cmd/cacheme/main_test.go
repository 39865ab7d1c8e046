package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is what one call of the command did.
type answer struct {
	out, err string
	code     int
}

// run calls the command as a user of a shop's Redis does, and returns its exit code.
func (s *shop) run(ctx context.Context, to streams, args ...string) int {
	env := map[string]string{"CACHEME_REDIS": "redis://" + s.server.Addr(), "CACHEME_PREFIX": prefix}
	return run(ctx, args, func(name string) string { return env[name] }, to)
}

// at is run for what is typed and printed.
func (s *shop) at(ctx context.Context, stdin string, args ...string) answer {
	var out, err bytes.Buffer
	code := s.run(ctx, streams{in: strings.NewReader(stdin), out: &out, err: &err}, args...)
	return answer{out.String(), err.String(), code}
}

// call is at for what has to go well.
func (s *shop) call(args ...string) string {
	s.t.Helper()
	a := s.at(s.t.Context(), "", args...)
	if a.code != 0 {
		s.t.Fatalf("cacheme %s: exit code %d\n%s%s", strings.Join(args, " "), a.code, a.out, a.err)
	}
	return a.out
}

// prefix is the shop's.
const prefix = "shop:"

// shop is a small service that has published what it caches, with some entries.
type shop struct {
	t      testing.TB
	server *embedded.Server
	cache  *cacheme.Cache
	rdb    *redis.Client
}

type (
	bookRow struct {
		ID     int64 `bun:"id,pk"`
		Author int64 `bun:"author_id"`
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

type (
	// Book is a row that may not exist.
	Book struct {
		cacheme.Node[map[string]string]
		ID int64 `cacheme:"field"`
	}
	// Shelf is the list of a user's books, with the titles.
	Shelf struct {
		cacheme.Node[[]string]
		User int64 `cacheme:"field"`
	}
	// Bargains are the cheapest books of a season.
	Bargains struct {
		cacheme.Node[[]string]
		Season string `cacheme:"field"`
	}
	// BookChanged is a row of books.
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	// UserBooks is who has which book.
	UserBooks struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
)

func (Book) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "book:<id>", TTL: 10 * time.Minute, Negative: time.Minute}
}
func (b Book) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: b.ID}} }
func (Shelf) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "user:<user>:shelf", TTL: 10 * time.Minute, Near: cacheme.On}
}

func (s Shelf) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserBooks{User: s.User}} }

func (Shelf) ResultInvalidNodes([]string) []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: 7}}
}

func (Bargains) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "bargains:<season>", Stale: 2 * time.Second}
}

func (Bargains) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("bargains")} }
func (BookChanged) Meta() cacheme.Meta           { return cacheme.Meta{Model: (*bookRow)(nil)} }
func (UserBooks) Meta() cacheme.Meta             { return cacheme.Meta{Model: (*shelfRow)(nil), M2M: true} }

// openShop starts a shop whose Redis has a clock that stands still, and gives it some readers.
func openShop(t testing.TB) *shop {
	t.Helper()
	server, err := embedded.Start(embedded.Options{ListenTCP: true, Clock: embedded.Manual})
	check(t, err)
	t.Cleanup(server.Close)
	s := &shop{t: t, server: server, rdb: server.Client()}
	s.cache, err = cacheme.New(s.rdb, cacheme.Options{Prefix: prefix, Budget: 5 * time.Second, WriteBudget: 5 * time.Second})
	check(t, err)
	t.Cleanup(func() { check(t, s.cache.Close(context.Background())) })
	s.cache.MustRegister(Book{}, Shelf{}, Bargains{}, BookChanged{}, UserBooks{})
	s.read()
	server.Advance(time.Minute) // until then nobody knows whether tokens were lost
	s.read()
	server.Advance(12 * time.Second)
	check(t, s.cache.Publish(t.Context()))
	return s
}

// read has each of some entries asked for twice.
func (s *shop) read() {
	s.t.Helper()
	for range 2 {
		for id := range int64(4) {
			get(s, Book{ID: id + 6}, map[string]string{"title": "Momo"})
			get(s, Shelf{User: id + 1}, []string{"Momo", "Krabat"})
		}
		get(s, Bargains{Season: "autumn"}, []string{"Krabat"})
	}
}

func get[N cacheme.NodeOf[V], V any](s *shop, node N, value V) {
	s.t.Helper()
	_, err := cacheme.GetFrom(s.t.Context(), s.cache, node, func(context.Context, N) (V, error) { return value, nil })
	check(s.t, err)
}

// write is a write of the shop's, as bunhooks tells it.
func (s *shop) write(id int64, caller string) {
	s.t.Helper()
	w := cacheme.Write{Operation: "UPDATE", Table: "book_rows", Rows: []string{"7"}, Count: 1, Caller: caller}
	check(s.t, s.cache.Invalidate(s.t.Context(), cacheme.By(w), BookChanged{ID: id}))
}
