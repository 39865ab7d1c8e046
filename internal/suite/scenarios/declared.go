package scenarios

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func nodes(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	db := newBookstore("Emma")
	if r, err := peek(p, Detail{Book: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek before = %v, %v, want %v", r, err, cacheme.ErrNoEntry)
	}
	get(p, Detail{Book: 1}, db.loadDetail)
	if r, err := peek(p, Detail{Book: 1}); err != nil || r.Value.Title != "Emma" || r.Stale || r.Tier != cacheme.TierRedis {
		t.Errorf("Peek = %+v, %v, want Emma from redis", r, err)
	}
	p.invalidate(BookChanged{ID: 1})
	if r, err := peek(p, Detail{Book: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek of a wrong entry = %v, %v, want %v", r, err, cacheme.ErrNoEntry)
	}

	// What does not exist is an answer too, and ends when it comes to exist.
	for range 2 {
		_, err := resultIn(context.Background(), p, Detail{Book: 2}, db.loadDetail)
		if !errors.Is(err, cacheme.ErrNotFound) || !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("Get of no book = %v, want both ways to say not found", err)
		}
	}
	want(t, "queries for the books so far", db.asked(), 2)
	if _, err := peek(p, Detail{Book: 2}); !errors.Is(err, cacheme.ErrNotFound) {
		t.Errorf("Peek of no book = %v, want %v", err, cacheme.ErrNotFound)
	}
	db.rename(2, "Sanditon")
	p.invalidate(BookChanged{ID: 2})
	want(t, "the book that has come", get(p, Detail{Book: 2}, db.loadDetail).Title, "Sanditon")

	var usage *cacheme.UsageError
	_, err := peek(p, unknown{})
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "scenarios.unknown") {
		t.Errorf("Peek of an unregistered node = %v, want a *UsageError that names it", err)
	}
	var declaration *cacheme.DeclarationError
	if err := p.Register(rival{}); !errors.As(err, &declaration) || declaration.Field != "Key" || !strings.Contains(err.Error(), "scenarios.Title") {
		t.Errorf("Register of a rival = %v, want a *DeclarationError on its Key that names scenarios.Title", err)
	}
	if err := p.Register(BookChanged{}, Title{}); err != nil {
		t.Errorf("Register again = %v", err)
	}
}

// rival makes the keys of Title.
type rival struct {
	cacheme.Node[string]
	ID string `cacheme:"field"`
}

func (rival) Meta() cacheme.Meta { return cacheme.Meta{Key: "title:<id>"} }

func fromInstances(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	key := func(i cacheme.Invalid, err error) string {
		t.Helper()
		if err != nil {
			return "error"
		}
		key, err := p.KeyOf(i)
		if err != nil {
			t.Errorf("KeyOf(%+v) = %v", i, err)
		}
		return key
	}
	book := Book{ID: 12, AuthorID: 3}
	ofBook := func(from any) string { n, err := cacheme.Of[BookChanged](from); return key(n, err) }
	for _, from := range []any{book, &book, 12, int64(12), uint8(12), "12"} {
		want(t, fmt.Sprintf("book from %T", from), ofBook(from), "book:12")
	}
	for _, from := range []any{Book{}, &Book{}, 0, "0", "twelve", nil, (*Book)(nil), Author{ID: 1}, true, -1.5} {
		want(t, fmt.Sprintf("book from %T %v", from, from), ofBook(from), "error")
	}

	id := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 15: 0xc8}
	ofMembership := func(from any) string { n, err := cacheme.Of[MembershipChanged](from); return key(n, err) }
	for _, from := range []any{Membership{ID: id}, &Membership{ID: id}, id} {
		want(t, fmt.Sprintf("membership from %T", from), ofMembership(from), "membership:6ba7b810-0000-0000-0000-0000000000c8")
	}
	want(t, "membership from an unsaved one", ofMembership(Membership{}), "error")

	ofShelf := func(from any) string { n, err := cacheme.Of[UserBooks](from); return key(n, err) }
	want(t, "pair", ofShelf(UserBook{UserID: 1, BookID: 7}), "user:1:book:7")
	want(t, "side of a user", ofShelf(User{ID: 12}), "user:12:book:all")
	want(t, "side of a book", ofShelf(&Book{ID: 7}), "user:all:book:7")
	want(t, "side of an unsaved user", ofShelf(User{}), "error")
	want(t, "half a pair", ofShelf(UserBook{UserID: 1}), "error")
	want(t, "a bare id, of which side?", ofShelf(12), "error")
	ofFollow := func(from any) string { n, err := cacheme.Of[Follows](from); return key(n, err) }
	want(t, "who follows whom", ofFollow(Follow{FromID: 1, ToID: 2}), "from:1:to:2")
	want(t, "a user, follower or followed?", ofFollow(User{ID: 1}), "error")

	// The node of a pair fires when exactly that pair changes, or one of its sides is named as a whole.
	if err := p.Register(pairPage{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		written UserBooks
		fires   bool
	}{
		{UserBooks{User: 1, Book: 7}, true},
		{UserBooks{User: 1, Book: 8}, false},
		{UserBooks{User: 2, Book: 7}, false},
		{UserBooks{User: 1}, true},
		{UserBooks{Book: 7}, true},
		{UserBooks{User: 2}, false},
		{UserBooks{}, true},
	} {
		get(p, pairPage{User: 1, Book: 7}, constant[pairPage]("old"))
		p.invalidate(c.written)
		tier := result(p, pairPage{User: 1, Book: 7}, constant[pairPage]("new")).Tier
		want(t, fmt.Sprintf("%+v makes the pair 1, 7 wrong", c.written), tier == cacheme.TierSource, c.fires)
	}
}

type pairPage struct {
	cacheme.Node[string]
	User int64 `cacheme:"field"`
	Book int64 `cacheme:"field"`
}

func (pairPage) Meta() cacheme.Meta { return cacheme.Meta{Key: "pair:<user>:<book>"} }

func (n pairPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{UserBooks{User: n.User, Book: n.Book}}
}

func parts(t *testing.T, open suite.Open) {
	ctx := context.Background()
	p := start(t, open(t), cacheme.Options{})
	get(p, Owner{Book: 100}, constant[Owner]("Ann"))
	warm(p, Chapters{Book: 100}, func(context.Context, Chapters) ([]string, error) { return []string{"one"}, nil })
	want(t, "stored part", exist(p, "CM:{book:100}>owner", "CM:{book:100}>chapters"), 2)
	key, err := p.KeyOf(Owner{Book: 100})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "key", key, "book:100>owner")

	p.invalidate(cacheme.Tag("owners"))
	want(t, "owner", get(p, Owner{Book: 100}, constant[Owner]("Bob")), "Bob")
	want(t, "chapters", result(p, Chapters{Book: 100}, func(context.Context, Chapters) ([]string, error) { return nil, nil }).Tier, cacheme.TierRedis)
	if err := p.Remove(ctx, Owner{Book: 100}); err != nil {
		t.Fatal(err)
	}
	want(t, "stored parts after one was removed", exist(p, "CM:{book:100}>owner", "CM:{book:100}>chapters"), 1)
}

// sameArguments: what the ancestors bound from a call, defaults included, are the fields of a struct here.
func sameArguments(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	get(p, Visitor{User: 7}, constant[Visitor]("Ann"))
	named := Visitor{}
	named.User = 7
	want(t, "the same node, made in another way", result(p, named, constant[Visitor]("?")).Tier, cacheme.TierRedis)
	// An unexported field is no part of the key.
	get(p, Told{ID: 7, journal: &journal{}}, constant[Told]("x"))
	want(t, "a node with another journal", result(p, Told{ID: 7, journal: &journal{}}, constant[Told]("?")).Tier, cacheme.TierRedis)
}

// gathering depends on whatever its sources say.
type gathering struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`

	sources []cacheme.Invalid
}

func (gathering) Meta() cacheme.Meta { return cacheme.Meta{Key: "gathering:<id>"} }

func (g gathering) InvalidNodes() []cacheme.Invalid { return g.sources }

func invalidNodes(t *testing.T, open suite.Open) {
	ctx := context.Background()
	p := start(t, open(t), cacheme.Options{}, gathering{})
	twice := []cacheme.Invalid{BookChanged{ID: 1}, Price{Book: 1}, BookChanged{ID: 1}, cacheme.Tag("x"), cacheme.Tag("x")}
	get(p, gathering{ID: 1, sources: twice}, constant[gathering]("old"))
	tokens := stored(p, "CM:*:invalid")
	want(t, "tokens", fmt.Sprint(sorted(tokens)), fmt.Sprint(sorted([]string{
		"CM:class:github.com/cacheme/cacheme/internal/suite/scenarios.gathering:invalid",
		"CM:row:book:1:invalid", "CM:table:books:invalid", "CM:tag:price:1:invalid", "CM:tag:x:invalid",
	})))
	for _, i := range []cacheme.Invalid{BookChanged{ID: 1}, Price{Book: 1}, cacheme.Tag("x"), cacheme.Tag("price:1")} {
		get(p, gathering{ID: 1, sources: twice}, constant[gathering]("old"))
		p.invalidate(i)
		want(t, fmt.Sprintf("tier after %T", i), result(p, gathering{ID: 1, sources: twice}, constant[gathering]("new")).Tier, cacheme.TierSource)
	}
	want(t, "an entry without any", get(p, gathering{ID: 2}, constant[gathering]("alone")), "alone")

	for _, bad := range []cacheme.Invalid{nil, &BookChanged{ID: 1}, (*BookChanged)(nil), stranger{}} {
		_, err := resultIn(ctx, p, gathering{ID: 3, sources: []cacheme.Invalid{bad}}, constant[gathering]("?"))
		if _, ok := errors.AsType[*cacheme.UsageError](err); !ok {
			t.Errorf("Get with the invalid node %T = %v, want a *UsageError", bad, err)
		}
	}
}

// stranger is an invalid node that nobody registers.
type stranger struct{ cacheme.InvalidNode }

func (stranger) Meta() cacheme.Meta { return cacheme.Meta{Key: "stranger"} }

// fields: each is part of the key, and a field that is left out is its zero value, which is a value like any other.
func fields(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	for node, key := range map[cacheme.Declaration]string{
		Title{}:                      "title:0",
		Title{Book: -1}:              "title:-1",
		Owner{Book: 3}:               "book:3>owner",
		BookChanged{}:                "book:0",
		Price{Book: 2}:               "price:2",
		UserBooks{User: 12}:          "user:12:book:all",
		UserBooks{Book: 7}:           "user:all:book:7",
		UserBooks{User: 1, Book: 7}:  "user:1:book:7",
		UserBooks{}:                  "",
		Follows{From: 1}:             "from:1:to:all",
		pairPage{User: 1, Book: 2}:   "error",
		cacheme.Tag("detail"):        "detail",
		cacheme.Main(Owner{Book: 3}): "book:3",
	} {
		got, err := p.KeyOf(node)
		if err != nil {
			got = "error"
		}
		want(t, fmt.Sprintf("KeyOf(%T%+v)", node, node), got, key)
	}
}

// metaOfANode: what a node says of itself is its own, and is listed.
func metaOfANode(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	found := map[string]cacheme.NodeInfo{}
	for _, n := range p.Nodes() {
		found[n.Node] = n
	}
	want(t, "nodes", len(found), 13)
	want(t, "key of a part", found["scenarios.Owner"].Key, "book:<book>>owner")
	want(t, "TTL", found["scenarios.Short"].Meta.TTL, shortly)
	var declaration *cacheme.DeclarationError
	if err := p.Register(heir{}); !errors.As(err, &declaration) || declaration.Field != "Meta" {
		t.Errorf("Register of a node that inherits Meta = %v, want a *DeclarationError on Meta", err)
	}
}

// heir has no Meta of its own, and would share the keys of Title.
type heir struct{ Title }

// logLine: an operator finds each load at debug level, with node and time, and no value.
func logLine(t *testing.T, open suite.Open) {
	var mu sync.Mutex
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return text.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := start(t, open(t), cacheme.Options{Logger: log})
	get(p, Title{Book: 1}, constant[Title]("a secret"))
	get(p, Title{Book: 1}, constant[Title]("a secret"))
	mu.Lock()
	defer mu.Unlock()
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	want(t, "lines", len(lines), 1)
	for _, part := range []string{"level=DEBUG", `msg="cacheme load"`, "node=scenarios.Title", "took="} {
		if !strings.Contains(lines[0], part) {
			t.Errorf("log = %q, want %s in it", lines[0], part)
		}
	}
	if strings.Contains(text.String(), "secret") {
		t.Errorf("log = %q: it tells a value", text.String())
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
