package bunhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
)

// Models that say themselves which keys their rows make wrong.
type (
	User struct {
		bun.BaseModel `bun:"table:users"`

		ID    int64 `bun:",pk"`
		Name  string
		Books []Reading `bun:"m2m:user_books,join:User=Book"`
	}
	Reading struct {
		bun.BaseModel `bun:"table:readings"`

		ID int64 `bun:",pk"`
	}
	// UserBook tells both sides of the relation.
	UserBook struct {
		bun.BaseModel `bun:"table:user_books"`

		UserID int64    `bun:",pk"`
		User   *User    `bun:"rel:belongs-to,join:user_id=id"`
		BookID int64    `bun:",pk"`
		Book   *Reading `bun:"rel:belongs-to,join:book_id=id"`
	}
	// Explosive cannot be asked.
	Explosive struct {
		bun.BaseModel `bun:"table:explosives"`

		ID int64 `bun:",pk"`
	}
)

func (u *User) CacheKey() string { return "user:" + u.Name }

func (b *UserBook) CacheKeys() []string {
	return []string{fmt.Sprintf("user:%d:books", b.UserID), fmt.Sprintf("book:%d:users", b.BookID)}
}

func (*Explosive) CacheKey() string { panic("it explodes") }

type UserChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (UserChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*User)(nil)} }

const keyed = `
	CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
	CREATE TABLE user_books (user_id INTEGER, book_id INTEGER, PRIMARY KEY (user_id, book_id));
	CREATE TABLE explosives (id INTEGER PRIMARY KEY);
	INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
	INSERT INTO user_books VALUES (1, 7), (2, 8);
	INSERT INTO explosives VALUES (1), (2);`

// keyedWorld has a memo that is bound to the keys that models tell.
func keyedWorld(t *testing.T) (*world, func(model any, tag, query string, args ...any) entry) {
	t.Helper()
	w := newBareWorld(t, setup{tables: keyed})
	w.cache = suite.NewCache(t, suite.Embedded(t).Client(), suite.Patient(cacheme.Options{}))
	memo := func(model any) *cacheme.Bound[[2]string, string] {
		return cacheme.MustMemo(w.cache, cacheme.Memoized[[2]string, string]{
			Meta:          cacheme.Meta{Key: reflect.TypeOf(model).Elem().Name() + ":<tag>"},
			Values:        func(a [2]string) []any { return []any{a[0]} },
			InvalidNodes:  func(a [2]string) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag(a[0])} },
			InvalidModels: []any{model},
		}, func(ctx context.Context, a [2]string) (string, error) {
			w.loads.Add(1)
			return read(ctx, w.db.DB, a[1])
		})
	}
	memos := map[string]*cacheme.Bound[[2]string, string]{}
	for _, m := range []any{(*User)(nil), (*UserBook)(nil), (*Explosive)(nil)} {
		memos[fmt.Sprintf("%T", m)] = memo(m)
	}
	pool := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New())
	pool.RegisterModel((*UserBook)(nil))
	db, err := bunhooks.Install(pool, w.cache, w.log.option())
	w.must(err)
	w.db = db
	t.Cleanup(func() { _ = db.Close() })
	return w, func(model any, tag, query string, args ...any) entry {
		query = fmt.Sprintf(query, args...)
		return entry{tag, query, func(ctx context.Context, load func(context.Context) (string, error)) (string, error) {
			before := w.loads.Load()
			text, err := memos[fmt.Sprintf("%T", model)].Get(ctx, [2]string{tag, query})
			if w.loads.Load() > before {
				_, _ = load(ctx) // so that it counts as loaded
			}
			return text, err
		}}
	}
}

func TestCacheKeys_of_rows_written_make_their_tags_wrong(t *testing.T) {
	t.Parallel()
	w, of := keyedWorld(t)
	user := func(name string) entry {
		return of((*User)(nil), "user:"+name, "SELECT * FROM users WHERE name = '%s'", name)
	}
	books := func(user int) entry {
		return of((*UserBook)(nil), fmt.Sprintf("user:%d:books", user), "SELECT book_id FROM user_books WHERE user_id = %d", user)
	}
	users := func(book int) entry {
		return of((*UserBook)(nil), fmt.Sprintf("book:%d:users", book), "SELECT user_id FROM user_books WHERE book_id = %d", book)
	}
	all := []entry{user("ann"), user("bob"), user("cid"), books(1), books(2), books(3), users(7), users(8), users(9)}
	exec := func(q interface {
		Exec(ctx context.Context, dest ...any) (sql.Result, error)
	},
	) func() error {
		return func() error {
			_, err := q.Exec(background)
			return err
		}
	}
	w.makesWrong("a rename, by its condition alone", exec(w.db.NewUpdate().Model((*User)(nil)).Set("name = 'cid'").Where("name = ?", "ann")), all, user("ann"), user("cid"))
	w.makesWrong("a row inserted", exec(w.db.NewInsert().Model(&UserBook{UserID: 1, BookID: 9})), all, books(1), users(9))
	w.makesWrong("many rows inserted", exec(w.db.NewInsert().Model(&[]UserBook{{UserID: 3, BookID: 7}, {UserID: 3, BookID: 8}})), all, books(3), users(7), users(8))
	w.makesWrong("a row moved to the other side", exec(w.db.NewUpdate().Model((*UserBook)(nil)).Set("user_id = 2").Where("user_id = 1 AND book_id = 9")), all, books(1), books(2), users(9))
	w.makesWrong("rows deleted by one side", exec(w.db.NewDelete().Model((*UserBook)(nil)).Where("user_id = 3")), all, books(3), users(7), users(8))
	w.makesWrong("a rollback", func() error {
		tx, err := w.db.BeginTx(background, nil)
		if err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*UserBook)(nil)).Where("user_id = 1").Exec(background); err != nil {
			return err
		}
		return tx.Rollback()
	}, all)
}

func TestCacheKeys_that_panic_make_the_table_wrong_and_are_told_once(t *testing.T) {
	t.Parallel()
	w, of := keyedWorld(t)
	all := []entry{of((*Explosive)(nil), "any", "SELECT * FROM explosives"), of((*User)(nil), "user:ann", "SELECT * FROM users")}
	for range 2 {
		w.makesWrong("a row that explodes", w.exec("INSERT INTO explosives DEFAULT VALUES"), all, all[0])
	}
	if n := w.log.count("it explodes"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}
