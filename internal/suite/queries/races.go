package queries

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// pausing stops a load after its SELECT has been answered, where its context says so.
type pausing struct{}

type pauseKey struct{}

// pause is where a load stops.
type pause struct{ read, goOn chan struct{} }

func (pausing) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (pausing) AfterQuery(ctx context.Context, _ *bun.QueryEvent) {
	if p, ok := ctx.Value(pauseKey{}).(*pause); ok {
		p.read <- struct{}{}
		<-p.goOn
	}
}

// during runs something between a load's SELECT and its end, and returns what the load's caller got.
func during(t *testing.T, q *question, do func()) string {
	t.Helper()
	p := &pause{make(chan struct{}), make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), pauseKey{}, p), soon)
	defer cancel()
	var got string
	done := make(chan error, 1)
	go func() {
		var err error
		got, err = q.cached(ctx)
		done <- err
	}()
	select {
	case <-p.read:
	case err := <-done:
		t.Fatalf("%s sends no SELECT: %v", q.text, err)
	}
	do()
	close(p.goOn)
	check(t, <-done)
	return got
}

func lateLoads(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	p.db = p.db.WithQueryHook(pausing{})
	q := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1"))
	related := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 2").then(func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation("Recipient") }))
	empty := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 4"))
	during(t, &q, func() { p.updates(t, (*Message)(nil), "note = 'late'", "id = ?", 1) })
	q.expect(t, "after a load that was older than a write", true)
	keep(t, &q)
	during(t, &related, func() { p.updates(t, (*User)(nil), "name = 'late'", "id = ?", 1) })
	related.expect(t, "after a load that was older than a write of a joined row", true)
	keep(t, &related, &empty)
	check(t, p.insert(t.Context(), p.db, &Message{ID: 31, SenderID: 4}))
	empty.expect(t, "when a row has come into an empty list", true)
}

// whenCommitted writes in a transaction, and looks at what others get meanwhile and afterwards.
func whenCommitted(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	q := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1"))
	keep(t, &q)
	for _, commit := range []bool{false, true} {
		err := p.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewUpdate().Model((*Message)(nil)).Set("note = 'in a transaction'").Where("id = ?", 1).Exec(ctx); err != nil {
				return err
			}
			q.expect(t, "before the COMMIT", false)
			mine, err := rowcache.Query[Message](p.rc, messagesWhere("m.sender_id = 1")(p.db).Conn(tx)).All(ctx)
			if err != nil {
				return err
			}
			if mine[0].Note == nil {
				t.Error("the transaction does not see its own write")
			}
			if commit {
				return nil
			}
			return errUndo
		})
		if !commit && !errors.Is(err, errUndo) || commit && err != nil {
			t.Fatal(err)
		}
		q.expect(t, fmt.Sprint("after the end, committed ", commit), commit)
	}
}

// twoDatabases have the same tables, and one cache.
func twoDatabases(t *testing.T, open writes.Open) {
	first, second := open(t), open(t)
	p := newPlace(t, first, setup{options: rowcache.Options{Database: "first"}})
	other := &place{Database: second, admin: openBun(t, second, second.Connector())}
	check(t, other.create(t.Context(), false))
	db, err := bunhooks.Install(openBun(t, second, bunhooks.WrapConnector(second.Connector())), p.cache)
	check(t, err)
	other.db = db.WithQueryHook(counting{})
	other.rc, err = rowcache.New(p.cache, other.db, rowcache.Options{Database: "second"})
	check(t, err)
	other.cached, err = cacheAll(other.rc, rowcache.Model{})
	check(t, err)
	for i, p := range []*place{p, other} {
		check(t, p.plant(t.Context(), &[]Message{{ID: 1, SenderID: 1, Subject: fmt.Sprint("database ", i)}}))
	}
	asked := []question{
		ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1")),
		ask[Message](other, "", all, true, messagesWhere("m.sender_id = 1")),
		ask[Message](p, "", one, true, messagesWhere("m.id = 1")),
		ask[Message](other, "", one, true, messagesWhere("m.id = 1")),
	}
	for i, p := range []*place{p, other} {
		asked[2+i].cached = answer(true, func(ctx context.Context) (Message, error) { return p.messages.Get(ctx, 1) })
	}
	for i := range asked {
		keep(t, &asked[i])
	}
	other.updates(t, (*Message)(nil), "note = 'second'", "id = ?", 1)
	asked[1].expect(t, "after a write", true)
	asked[3].expect(t, "after a write", true)
	_, _, err = asked[0].again(t.Context())
	check(t, err)
	asked[0].expect(t, "after a write to the other database", false)
}

// evicted takes every kind of key from Redis, which costs a load and never an old answer.
func evicted(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	q := ask[Message](p, "", all, true, messagesWhere("m.sender_id = 1").then(func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation("Sender") }))
	for round := range 6 {
		keep(t, &q)
		keys, err := p.rdb.Keys(t.Context(), "*").Result()
		check(t, err)
		var gone int64
		for i, key := range keys {
			if round == 5 || i%5 == round {
				n, err := p.rdb.Del(t.Context(), key).Result()
				check(t, err)
				gone += n
			}
		}
		if round == 5 && gone == 0 {
			t.Fatal("there was nothing to evict")
		}
		p.updates(t, (*User)(nil), fmt.Sprintf("age = %d", round), "id = ?", 1)
		q.expect(t, "after keys were evicted and a joined row written", true)
	}
}

func rowByItsKeys(t *testing.T, open writes.Open) {
	p := inWorld(t, open, setup{})
	ctx := t.Context()
	one := func(how string, get func(context.Context) (User, error)) func(when, want string, loaded bool) {
		return func(when, want string, loaded bool) {
			t.Helper()
			var u User
			n, err := selects(ctx, func(ctx context.Context) (err error) {
				u, err = get(ctx)
				return err
			})
			if want == "" && errors.Is(err, cacheme.ErrNotFound) {
				err = nil
			}
			check(t, err)
			if u.Name != want || n > 0 != loaded {
				t.Errorf("%s, %s = %q, loaded %v, want %q, %v", how, when, u.Name, n > 0, want, loaded)
			}
		}
	}
	byKey := one("Get(5)", func(ctx context.Context) (User, error) { return p.users.Get(ctx, 5) })
	byWidth := one("GetBy(width, 50)", func(ctx context.Context) (User, error) { return p.users.GetBy(ctx, "width", 50) })
	both := func(when, want string) {
		t.Helper()
		byKey(when, want, true)
		byWidth(when, want, true)
		byKey("and again", want, false)
		byWidth("and again", want, false)
	}
	both("while there is none", "")
	check(t, p.insert(ctx, p.db, &User{ID: 5, Name: "Ed", Width: 50, TeamID: 1}))
	both("when it was created", "Ed")
	p.updates(t, (*User)(nil), "name = 'Edd'", "id = ?", 5)
	both("when it has changed", "Edd")
	p.updates(t, (*User)(nil), "width = 51", "id = ?", 5)
	byKey("when its width has changed", "Edd", true)
	byWidth("when its width has changed", "", true)
	p.updates(t, (*User)(nil), "width = 50", "id = ?", 5)
	both("when it has its width again", "Edd")
	_, err := p.db.NewDelete().Model(&User{ID: 5}).WherePK().Exec(ctx)
	check(t, err)
	both("when it is deleted softly", "")
	_, err = p.db.NewUpdate().Model((*User)(nil)).Set("deleted = NULL").WhereAllWithDeleted().Where("id = 5").Exec(ctx)
	check(t, err)
	both("when it is there again", "Edd")
	_, err = p.db.NewDelete().Model((*User)(nil)).Where("width = 50").ForceDelete().Exec(ctx)
	check(t, err)
	both("when it is gone", "")

	ann, err := p.users.Get(ctx, 1)
	check(t, err)
	if _, err := p.team.Of(ctx, ann); err != nil {
		t.Fatal(err)
	}
	var sql atomic.Int64
	_, err = p.team.Of(context.WithValue(ctx, countKey{}, &sql), ann)
	check(t, err)
	if sql.Load() != 0 {
		t.Errorf("a foreign key is %d SELECTs, want none", sql.Load())
	}
}
