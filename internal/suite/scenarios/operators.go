package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// tags uses what the ancestors' tags became: the class of a node, and a tag by name that several nodes share.
func tags(t *testing.T, open suite.Open) {
	ctx := context.Background()
	p := start(t, open(t), cacheme.Options{})
	const books = 30
	p.invalidate(cacheme.Class[Owner]()) // brings the scripts along, on a cluster to the master that has the class
	var all []string
	for id := range int64(books) {
		get(p, Title{Book: id}, constant[Title]("old"))
		get(p, Standing{Book: id}, constant[Standing]("old"))
		get(p, Owner{Book: id}, constant[Owner]("old"))
		all = append(all, fmt.Sprint("book:", id, ">owner"))
	}
	want(t, "owners", keys(p, Owner{}), fmt.Sprint(sorted(all)))
	if n, err := p.Count(ctx, Title{}); n != books || err != nil {
		t.Errorf("Count(Title) = %d, %v, want %d", n, err, books)
	}

	var mu sync.Mutex
	var commands []string
	p.rdb.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		mu.Lock()
		for _, cmd := range trip.Cmds {
			if !tap.Aside(cmd) {
				commands = append(commands, cmd.String())
			}
		}
		mu.Unlock()
		return send(trip.Cmds...)
	}})
	p.invalidate(cacheme.Class[Owner]())
	mu.Lock()
	if len(commands) > 2 {
		t.Errorf("invalidating %d entries takes %d commands, want 1 or 2: %q", books, len(commands), commands)
	}
	mu.Unlock()
	tiers := func() (out string) {
		for id := range int64(books) {
			out += fmt.Sprintf("%s %s %s,",
				result(p, Owner{Book: id}, constant[Owner]("new")).Value,
				result(p, Title{Book: id}, constant[Title]("new")).Value,
				result(p, Standing{Book: id}, constant[Standing]("new")).Value)
		}
		return out
	}
	repeat := func(row string) (out string) {
		for range books {
			out += row
		}
		return out
	}
	want(t, "after the class Owner", tiers(), repeat("new old old,"))
	p.invalidate(cacheme.Tag("titles"))
	want(t, "after the tag that Title and Standing share", tiers(), repeat("new new new,"))
}

func keys(p *process, node cacheme.Declaration) string {
	p.t.Helper()
	var all []string
	for key, err := range p.Keys(context.Background(), node) {
		if err != nil {
			p.t.Fatalf("Keys(%T) = %v", node, err)
		}
		all = append(all, key)
	}
	return fmt.Sprint(slices.Compact(sorted(all)))
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return keys
}

func patterns(t *testing.T, open suite.Open) {
	ctx := context.Background()
	server := open(t)
	p := start(t, server, cacheme.Options{Prefix: "shop[1]:"})
	neighbour := start(t, server, cacheme.Options{Prefix: "shop1:"})
	// What a pattern that is not confined, or a prefix that is taken for a pattern, would reach.
	foreign := []string{"session:abc", "shop1:else", "title:1", "{title:1}"}
	for _, key := range foreign {
		p.rdb.Set(ctx, key, "mine", time.Hour)
	}
	for id := range int64(12) {
		get(p, Title{Book: id}, constant[Title]("Emma"))
	}
	get(p, Owner{Book: 1}, constant[Owner]("Ann"))
	get(p, Part{Book: 1}, constant[Part]("one"))
	get(neighbour, Title{Book: 1}, constant[Title]("Emma"))
	before := p.rdb.DBSize(ctx).Val()

	for _, c := range []struct {
		pattern string
		removed int
	}{
		{"*ess*", 0},
		{"session:abc", 0},
		{"shop*", 0}, // the prefix is no part of a key
		{"*invalid*", 0},
		{"title:1?", 2},
		{"title:[2-4]", 3},
		{"title:[^1]", 6},
		{`title:\1`, 1},
		{"book:1>o*", 1},
		{"book:1", 0}, // a main key without a part is another entry
		{"*", 1},
		{"*", 0},
	} {
		if n, err := p.RemovePattern(ctx, c.pattern); n != c.removed || err != nil {
			t.Errorf("RemovePattern(%q) = %d, %v, want %d", c.pattern, n, err, c.removed)
		}
	}
	want(t, "keys that are gone", before-p.rdb.DBSize(ctx).Val(), 14)
	for _, key := range foreign {
		want(t, key, p.rdb.Get(ctx, key).Val(), "mine")
	}
	want(t, "the neighbour's entry", result(neighbour, Title{Book: 1}, constant[Title]("?")).Tier, cacheme.TierRedis)

	for _, bad := range []string{"", "title:[", "title:[]", `title:\`, "a\nb", "\xff"} {
		var usage *cacheme.UsageError
		if n, err := p.RemovePattern(ctx, bad); n != 0 || !errors.As(err, &usage) {
			t.Errorf("RemovePattern(%q) = %d, %v, want a *UsageError", bad, n, err)
		}
	}
}

func tenants(t *testing.T, open suite.Open) {
	ctx := context.Background()
	server := open(t)
	a, b := start(t, server, cacheme.Options{Prefix: "a:"}), start(t, server, cacheme.Options{Prefix: "b:"})
	prime := func() {
		t.Helper()
		for _, p := range []*process{a, b} {
			get(p, Title{Book: 1}, constant[Title]("old"))
			get(p, Owner{Book: 1}, constant[Owner]("old"))
		}
	}
	served := func(p *process) string {
		t.Helper()
		return get(p, Title{Book: 1}, constant[Title]("new")) + " " + get(p, Owner{Book: 1}, constant[Owner]("new"))
	}
	for name, do := range map[string]func() error{
		"invalid node": func() error { return a.Invalidate(ctx, BookChanged{ID: 1}, cacheme.Main(Owner{Book: 1})) },
		"tag":          func() error { return a.Invalidate(ctx, cacheme.Tag("titles"), cacheme.Tag("owners")) },
		"class":        func() error { return a.Invalidate(ctx, cacheme.Class[Title](), cacheme.Class[Owner]()) },
		"table":        func() error { return a.Invalidate(ctx, cacheme.Table("books"), cacheme.Table("users")) },
		"key":          func() error { return a.Remove(ctx, Title{Book: 1}, Owner{Book: 1}) },
		"pattern":      func() error { _, err := a.RemovePattern(ctx, "*"); return err },
	} {
		if _, err := a.RemovePattern(ctx, "*"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.RemovePattern(ctx, "*"); err != nil {
			t.Fatal(err)
		}
		prime()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want(t, "b after a's "+name, served(b), "old old")
		want(t, "a after its own "+name, served(a), "new new")
	}

	// What b made wrong stays so when a throws all its keys away, as an operator might by hand.
	b.invalidate(BookChanged{ID: 1})
	for _, key := range stored(a, "a:*") {
		a.rdb.Del(ctx, key)
	}
	want(t, "b's page after a's flush", get(b, Title{Book: 1}, constant[Title]("newest")), "newest")

	// Off for one prefix, at run time.
	a.Disable()
	want(t, "a is on", a.Enabled(), false)
	loads := 0
	load := func(context.Context, Title) (string, error) { loads++; return fmt.Sprint(loads), nil }
	get(a, Title{Book: 5}, load)
	want(t, "a's second read while it is off", get(a, Title{Book: 5}, load), "2")
	want(t, "entries of a while it is off", a.rdb.Exists(ctx, "a:{title:5}").Val(), 0)
	want(t, "b meanwhile", result(b, Title{Book: 1}, load).Tier, cacheme.TierRedis)
	a.Enable()
	get(a, Title{Book: 5}, load)
	want(t, "a's read when it is on again", result(a, Title{Book: 5}, load).Tier, cacheme.TierRedis)
	a.Disable()
	a.invalidate(BookChanged{ID: 5})
	a.Enable()
	want(t, "what was made wrong while off", result(a, Title{Book: 5}, load).Tier, cacheme.TierSource)
}

func removing(t *testing.T, open suite.Open) {
	ctx := context.Background()
	p := start(t, open(t), cacheme.Options{})
	if err := p.Remove(ctx, Title{Book: 404}); err != nil {
		t.Errorf("Remove of what was never cached = %v", err)
	}
	if err := p.Remove(ctx); err != nil {
		t.Errorf("Remove of nothing = %v", err)
	}
	p.invalidate()
	p.invalidate(BookChanged{ID: 404})
	get(p, Title{Book: 1}, constant[Title]("old"))
	get(p, Title{Book: 2}, constant[Title]("old"))
	if err := p.Remove(ctx, Title{Book: 1}); err != nil {
		t.Errorf("Remove = %v", err)
	}
	want(t, "removed", get(p, Title{Book: 1}, constant[Title]("new")), "new")
	want(t, "not removed", get(p, Title{Book: 2}, constant[Title]("new")), "old")

	for what, err := range map[string]error{
		"a pointer":                p.Remove(ctx, &Title{Book: 1}),
		"an invalid node":          p.Remove(ctx, BookChanged{ID: 1}),
		"nil":                      p.Remove(ctx, nil),
		"a pointer to invalidate":  p.Invalidate(ctx, &BookChanged{ID: 1}),
		"nil to invalidate":        p.Invalidate(ctx, nil),
		"parts of an unknown node": p.Invalidate(ctx, cacheme.Main(unknown{})),
	} {
		if _, ok := errors.AsType[*cacheme.UsageError](err); !ok {
			t.Errorf("%s: %v, want a *UsageError", what, err)
		}
	}
}

// unknown is a node that nobody registers.
type unknown struct{ cacheme.Node[string] }

func (unknown) Meta() cacheme.Meta { return cacheme.Meta{Key: "unknown"} }

func invalidatingAClass(t *testing.T, open suite.Open) {
	ctx := context.Background()
	server := open(t)
	p, other := start(t, server, cacheme.Options{}), start(t, server, cacheme.Options{})
	get(p, Title{Book: 1}, constant[Title]("old"))
	get(p, Owner{Book: 1}, constant[Owner]("old"))
	get(p, Part{Book: 1}, constant[Part]("old"))

	p.invalidate(cacheme.Main(Owner{Book: 1}))
	want(t, "one part after its main key", get(other, Owner{Book: 1}, constant[Owner]("new")), "new")
	want(t, "the other part after their main key", get(other, Part{Book: 1}, constant[Part]("new")), "new")
	want(t, "something else", get(other, Title{Book: 1}, constant[Title]("new")), "old")

	p.invalidate(cacheme.Class[Owner]())
	want(t, "the class", get(other, Owner{Book: 1}, constant[Owner]("newer")), "newer")
	want(t, "another class of the same main key", get(other, Part{Book: 1}, constant[Part]("newer")), "new")

	// A pointer names the same class.
	p.invalidate(cacheme.Class[*Owner]())
	want(t, "the class by its pointer", get(other, Owner{Book: 1}, constant[Owner]("newest")), "newest")

	p.invalidate(cacheme.Table("users"))
	want(t, "the table", get(other, Owner{Book: 1}, constant[Owner]("last")), "last")
	if n, err := p.Count(ctx, Owner{}); n != 1 || err != nil {
		t.Errorf("Count(Owner) = %d, %v, want 1", n, err)
	}
}
