package queries

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// lineage tells what the ancestors did with rows and queries, and what went wrong with them, by the numbers that their
// behaviours have.
func lineage(t *testing.T, open writes.Open) {
	for _, s := range []struct {
		name string
		tell func(*testing.T, writes.Open)
	}{
		{"C1 any query is cached by its SQL", anyQuery},
		{"C2 with criteria that are named, and without", namedCriteria},
		{"C3 what is cached is the model's choice", policies},
		{"C4 joined rows count, at any distance", joinedRows},
		{"C5 range, IN and NOT", wideConditions},
		{"C6 m2m rows are seen by themselves", manyToMany},
		{"C7 a late load is never kept, and an empty list is", lateLoads},
		{"C8 reverse relations in few queries, flush hard and soft", reverseAndFlush},
		{"D33 writes make wrong what they change when they are committed", whenCommitted},
		{"D33 databases do not share answers", twoDatabases},
		{"D33 evicted tokens cost a load", evicted},
		{"scenario 38 a row by its keys", rowByItsKeys},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(t, open)
		})
	}
}

// expect asks, once the cache is warm or a write was made: the answer is the database's, and was loaded or not.
func (q *question) expect(t *testing.T, when string, loaded bool) {
	t.Helper()
	got, again, err := q.again(t.Context())
	check(t, err)
	want, err := q.plain(t.Context())
	check(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s: (-the database +the cache)\n%s", q.text, when, diff)
	}
	if again != loaded {
		t.Errorf("%s\n%s: loaded %v, want %v", q.text, when, again, loaded)
	}
}

// keep warms the cache.
func keep(t *testing.T, asked ...*question) {
	t.Helper()
	for _, q := range asked {
		_, err := q.warm(t.Context())
		check(t, err)
		q.expect(t, "when it was just asked for", false)
	}
}

// inWorld is a place with the rows of the grid.
func inWorld(t *testing.T, open writes.Open, s setup) *place {
	t.Helper()
	p := newPlace(t, open(t), s)
	check(t, p.plant(t.Context(), world(false)...))
	return p
}

// messagesWhere are all messages with a condition.
func messagesWhere(where string, args ...any) build {
	return func(db *bun.DB) *bun.SelectQuery {
		return db.NewSelect().Model((*Message)(nil)).Where(where, args...).Order("m.id")
	}
}

func (p *place) updates(t *testing.T, model any, change, where string, args ...any) {
	t.Helper()
	_, err := p.db.NewUpdate().Model(model).Set(change).Where(where, args...).Exec(t.Context())
	check(t, err)
}

func anyQuery(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	ids := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Column("m.id") }
	asked := []question{
		ask[Message](p, "", all, true, messagesWhere("m.sender_id = ?", 1)),
		ask[Message](p, "", all, true, messagesWhere("m.sender_id = ?", 2)), // other arguments
		ask[Message](p, "", one, true, messagesWhere("m.sender_id = ?", 1)),
		ask[Message](p, "", count, true, messagesWhere("m.sender_id = ?", 1)), // the ancestor did not keep counts
		ask[Message](p, "", exists, true, messagesWhere("m.sender_id = ?", 1)),
		ask[int64](p, "", all, true, messagesWhere("m.sender_id = ?", 1).then(ids)), // nor lists of values
		ask[part](p, "", all, true, messagesWhere("m.sender_id = ?", 1).then(func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Column("m.id", "m.sender_id", "m.sent")
		})),
	}
	for i := range asked {
		asked[i].expect(t, "at first", true)
	}
	for i := range asked {
		asked[i].expect(t, "then", false)
	}
}

func namedCriteria(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	// Nothing in these shows whose messages they are.
	hidden := messagesWhere("m.sender_id + 0 = 1")
	shown := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1"))
	unknown := ask[Message](p, "", all, true, hidden)
	keep(t, &shown, &unknown)
	for _, name := range []string{"sender_id", "SenderID", "sender", "Sender"} {
		named := ask[Message](p, "", all, true, hidden, on{name, 1})
		keep(t, &named)
		p.updates(t, (*Message)(nil), "note = 'x'", "id = ?", 5)
		named.expect(t, "after a write of another's message", false)
	}
	unknown.expect(t, "after a write of another's message", true)
	shown.expect(t, "after a write of another's message", false)

	keep(t, &unknown)
	p.updates(t, (*Message)(nil), "sender_id = 1", "id = ?", 5)
	shown.expect(t, "when a row came in", true)
	unknown.expect(t, "when a row came in", true)
	keep(t, &shown, &unknown)
	p.updates(t, (*Message)(nil), "sender_id = 2", "id = ?", 5)
	shown.expect(t, "when a row left", true)
	unknown.expect(t, "when a row left", true)

	joined := messagesWhere("s.name = 'Ann'").then(func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Join("JOIN users AS s ON s.id = m.sender_id")
	})
	related := ask[Message](p, "", all, true, joined, on{"sender__id", 1}, on{"sender_id", 1})
	keep(t, &related)
	p.updates(t, (*User)(nil), "age = 7", "id = ?", 2)
	p.updates(t, (*Message)(nil), "note = 'y'", "id = ?", 6)
	related.expect(t, "after writes of other users", false)
	p.updates(t, (*User)(nil), "age = 7", "id = ?", 1)
	related.expect(t, "after a write of the sender", true)

	var usage *cacheme.UsageError
	for _, wrong := range []on{{"note", "x"}, {"nothing", 1}, {"sender.nobody.id", 1}, {"sender_id", "one"}} {
		q := ask[Message](p, "", all, true, hidden, wrong)
		if _, err := q.cached(t.Context()); !errors.As(err, &usage) {
			t.Errorf("On(%q, %v) = %v, want a UsageError", wrong.column, wrong.value, err)
		}
	}
}

func policies(t *testing.T, open writes.Open) {
	selected := func(p *place, cache bool) *question {
		q := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1"))
		q.cached = answer(true, func(ctx context.Context) ([]Message, error) {
			s := p.messages.Select(messagesWhere("m.sender_id = 1")(p.db))
			if cache {
				s = s.Cache()
			}
			return s.All(ctx)
		})
		return &q
	}
	got := func(p *place) *question {
		q := ask[Message](p, "", one, true, messagesWhere("m.id = 1"))
		q.cached = answer(true, func(ctx context.Context) (Message, error) { return p.messages.Get(ctx, 1) })
		return &q
	}
	queried := func(p *place) *question {
		q := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1"))
		return &q
	}
	for _, c := range []struct {
		name                         string
		setup                        setup
		get, selected, cached, query bool // it is cached
	}{
		{"the rows alone, unless more is asked for", setup{}, true, false, true, true},
		{"everything", setup{options: rowcache.Options{Caches: rowcache.Everything}}, true, true, true, true},
		{"the model says everything", setup{model: rowcache.Model{Caches: rowcache.Everything}}, true, true, true, true},
		{"the model says otherwise than the rest", setup{options: rowcache.Options{Caches: rowcache.Everything}, model: rowcache.Model{Caches: rowcache.Gets}}, true, false, true, true},
		{"never", setup{model: rowcache.Model{Caches: rowcache.Never}}, false, false, false, false},
		{"the table is on the list", setup{options: rowcache.Options{Never: []string{"messages"}}, model: rowcache.Model{Caches: rowcache.Everything}}, false, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := inWorld(t, open, c.setup)
			for _, of := range []struct {
				what   string
				q      *question
				cached bool
			}{{"Get", got(p), c.get}, {"Select", selected(p, false), c.selected}, {"Select and Cache", selected(p, true), c.cached}, {"Query", queried(p), c.query}} {
				for range 2 {
					_, _, err := of.q.again(t.Context())
					check(t, err)
				}
				of.q.expect(t, of.what, !of.cached)
			}
		})
	}
}

func joinedRows(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	with := func(path string) build {
		return messagesWhere("m.sender_id = 1").then(func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation(path) })
	}
	sender := ask[Message](p, "", all, true, with("Sender"))
	team := ask[Message](p, "", all, true, with("Sender.Team"))
	reverse := ask[Team](p, "", all, true, func(db *bun.DB) *bun.SelectQuery {
		return db.NewSelect().Model((*Team)(nil)).Join("JOIN users AS x ON x.team_id = t.id").Join("JOIN messages AS y ON y.sender_id = x.id").
			Where("y.sent > 5").Order("t.id", "y.id")
	})
	or := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1 OR m.recipient_id = 3"))
	nested := ask[Message](p, "", all, true, messagesWhere("m.sender_id IN (SELECT id FROM users WHERE name = 'Ann')"))
	asked := []*question{&sender, &team, &reverse, &or, &nested}
	after := func(when string, loaded ...bool) {
		t.Helper()
		for i, q := range asked {
			q.expect(t, when, loaded[i])
		}
		keep(t, asked...)
	}
	keep(t, asked...)
	p.updates(t, (*Team)(nil), "city = 'Bern'", "id = ?", 1)
	after("after a write two joins away", false, true, true, false, false)
	p.updates(t, (*User)(nil), "name = 'Anna'", "id = ?", 1)
	after("after a write one join away", true, true, true, false, true)
	p.updates(t, (*User)(nil), "age = 1", "id = ?", 4)
	after("after a write of a user that nothing leads to", false, false, true, false, false)
	check(t, p.insert(t.Context(), p.db, &Message{ID: 30, SenderID: 1, Sent: 9}))
	after("after a new row with the same value", true, true, true, true, true)
}

func wideConditions(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	within := ask[Message](p, "", all, true, messagesWhere("m.sent BETWEEN ? AND ?", 20, 40))
	among := ask[Message](p, "", all, true, messagesWhere("m.sent IN (?)", bun.List([]int{20, 40})))
	except := ask[Message](p, "", all, true, messagesWhere("m.sent NOT IN (?)", bun.List([]int{20, 40})))
	keep(t, &within, &among, &except)
	p.updates(t, (*Message)(nil), "sent = 40", "id = ?", 7)
	for _, q := range []*question{&within, &among, &except} {
		q.expect(t, "when a row has crossed the border", true)
	}
	keep(t, &within, &among, &except)
	p.updates(t, (*Message)(nil), "note = 'z'", "sent = ?", 50)
	// The ancestor loaded all of these for any write of the table.
	within.expect(t, "after a write beyond", true)
	among.expect(t, "after a write beyond", false)
	except.expect(t, "after a write within", true)
}

func manyToMany(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	list := func(id int64) *question {
		return &question{
			text:   fmt.Sprint("the tags of message ", id),
			cached: answer(true, func(ctx context.Context) ([]Tag, error) { return p.tagged.Of(ctx, Message{ID: id}) }),
			plain: answer(true, func(ctx context.Context) (tags []Tag, err error) {
				err = p.admin.NewSelect().Model(&tags).Join("JOIN message_tags AS mt ON mt.tag_id = g.id").Where("mt.message_id = ?", id).Order("g.id").Scan(ctx)
				return tags, err
			}),
		}
	}
	// Beside the list, what the ancestor had invalidated by hand.
	reds := ask[Message](p, "", all, true, messagesWhere("mt.tag_id = 1").then(func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Join("JOIN message_tags AS mt ON mt.message_id = m.id")
	}))
	first, second := list(1), list(2)
	keep(t, first, second, &reds)
	check(t, tag(2, 1)(t.Context(), p.db, byID))
	second.expect(t, "after a tag was put on it", true)
	reds.expect(t, "after the tag was put on a message", true)
	first.expect(t, "after a tag was put on another message", false)
	keep(t, first, second, &reds)
	_, err := p.db.NewDelete().Model((*MessageTag)(nil)).Where("tag_id = ?", 1).Exec(t.Context())
	check(t, err)
	first.expect(t, "after a tag was taken from all", true)
	second.expect(t, "after a tag was taken from all", true)
	reds.expect(t, "after the tag was taken from all", true)
	keep(t, first)
	p.updates(t, (*Message)(nil), "note = 'by WHERE'", "sender_id = ?", 1)
	first.expect(t, "after a write of the message itself", false)
}

func reverseAndFlush(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	page := func(ctx context.Context) error {
		users, err := p.users.GetMany(ctx, 1, 2, 3, 4)
		if err != nil {
			return err
		}
		if err := rowcache.Preload(ctx, users, p.sent, p.team); err != nil {
			return err
		}
		var sent []int
		for i := range users {
			var all []Message
			for _, m := range users[i].Sent {
				all = append(all, *m)
			}
			if err := rowcache.Preload(ctx, all, p.tagged); err != nil {
				return err
			}
			sent = append(sent, len(all))
		}
		if diff := cmp.Diff([]int{3, 3, 1, 0}, sent); diff != "" {
			return fmt.Errorf("sent messages (-want +got)\n%s", diff)
		}
		return nil
	}
	n, err := selects(t.Context(), func(ctx context.Context) error {
		users, err := p.users.GetMany(ctx, 1, 2, 3, 4)
		if err != nil {
			return err
		}
		return rowcache.Preload(ctx, users, p.sent, p.team)
	})
	check(t, err)
	if n != 4 { // users; lists of messages; messages; teams
		t.Errorf("4 users with messages and teams are %d SELECTs, want 4", n)
	}
	spent := func(when string, want bool) {
		t.Helper()
		n, err := selects(t.Context(), page)
		check(t, err)
		if (n > 0) != want {
			t.Errorf("%s: the page sends %d SELECTs, want some: %v", when, n, want)
		}
	}
	spent("once", true)
	spent("warm", false)
	check(t, p.rc.FlushAll(t.Context()))
	spent("flushed softly", true)
	spent("warm again", false)
	removed, err := p.rc.RemoveAll(t.Context())
	check(t, err)
	if removed == 0 {
		t.Error("RemoveAll() = 0, want what the page had")
	}
	spent("flushed hard", true)
	if again, err := p.rc.RemoveAll(t.Context()); err != nil || again != removed {
		t.Errorf("RemoveAll() = %d, %v, want %d as before", again, err, removed)
	}
}
