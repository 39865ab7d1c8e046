package writes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Scenarios are those of the acceptance list that write to a database, by their numbers.
func Scenarios(t *testing.T, open Open) {
	runAll(t, open, []chapter{
		{"01 owner part", ownerPart},
		{"02 shelf", shelf},
		{"03 clear", clearBothSides},
		{"06 moved book", movedBook},
		{"08 bulk", bulk},
		{"27 pairs and UUIDs", pairsAndUUIDs},
		{"31 saves while Redis is away", savesWhileAway},
		{"34 many dependents", manyDependents},
	})
}

// The parts of one book's page.
type (
	OwnerPart struct {
		cacheme.Node[User]
		Book int64 `cacheme:"field"`
	}
	ChaptersPart struct {
		cacheme.Node[[]string]
		Book int64 `cacheme:"field"`
	}
)

func (OwnerPart) Meta() cacheme.Meta    { return cacheme.Meta{Key: "part:<book>", Field: "owner"} }
func (ChaptersPart) Meta() cacheme.Meta { return cacheme.Meta{Key: "part:<book>", Field: "chapters"} }

func (p OwnerPart) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: p.Book}}
}

func (OwnerPart) ResultInvalidNodes(owner User) []cacheme.Invalid {
	return []cacheme.Invalid{UserChanged{ID: owner.ID}}
}

func (p ChaptersPart) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ChaptersOf{Book: p.Book}}
}

// page is what one visitor of a book's page sees, and what it cost.
type page struct {
	owner    string
	chapters int
	queries  string // of which parts
}

func (s *story) page(book int64) (p page) {
	s.t.Helper()
	owner, err := cacheme.GetFrom(s.ctx, s.cache, OwnerPart{Book: book}, func(ctx context.Context, n OwnerPart) (owner User, err error) {
		p.queries += "owner "
		return owner, s.db.NewSelect().Model(&owner).Where("id = (SELECT owner_id FROM books WHERE id = ?)", n.Book).Scan(ctx)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	chapters, err := cacheme.GetFrom(s.ctx, s.cache, ChaptersPart{Book: book}, func(ctx context.Context, n ChaptersPart) (titles []string, err error) {
		p.queries += "chapters "
		return titles, s.db.NewSelect().Model((*Chapter)(nil)).Column("title").Where("book_id = ?", n.Book).Scan(ctx, &titles)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p.owner, p.chapters = owner.Name, len(chapters)
	return p
}

func (s *story) sees(what string, want page) {
	s.t.Helper()
	if got := s.page(1); got != want {
		s.t.Errorf("%s: the page is %+v, want %+v", what, got, want)
	}
}

func ownerPart(t *testing.T, open Open) {
	s := tell(t, open, setup{more: []cacheme.Declaration{OwnerPart{}, ChaptersPart{}}})
	s.page(1)
	s.page(1) // what depends on its result may have to be loaded twice
	s.sees("the second view", page{owner: "Ann", chapters: 2})
	s.must(s.db.NewUpdate().Model(&User{ID: 1, Name: "Anna"}).WherePK().Exec(s.ctx))
	s.sees("the owner is renamed", page{owner: "Anna", chapters: 2, queries: "owner "})
	s.page(1)
	s.must(s.db.NewUpdate().Model((*User)(nil)).Set("name = 'Bobby'").Where("id = 2").Exec(s.ctx))
	s.sees("somebody else is renamed", page{owner: "Anna", chapters: 2})
	s.must(s.db.NewInsert().Model(&Chapter{BookID: 1, Number: 3, Title: "III"}).Exec(s.ctx))
	s.sees("a chapter is added", page{owner: "Anna", chapters: 3, queries: "chapters "})
	s.must(s.db.NewUpdate().Model((*Book)(nil)).Set("owner_id = 2").Where("id = 1").Exec(s.ctx))
	s.sees("the book is sold", page{owner: "Bobby", chapters: 3, queries: "owner "})
	s.page(1)
	s.must(s.db.NewUpdate().Model(&User{ID: 1, Name: "Annie"}).WherePK().Exec(s.ctx))
	s.sees("the former owner is renamed", page{owner: "Bobby", chapters: 3})
}

func (s *story) must(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func shelf(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	s.step("a user adds two books", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&[]UserBook{{UserID: 3, BookID: 1}, {UserID: 3, BookID: 2}}).Exec(ctx))
	}, shelfRow(3, 1), shelfRow(3, 2))
	s.step("a book is given to two users", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&[]UserBook{{UserID: 1, BookID: 3}, {UserID: 3, BookID: 3}}).Exec(ctx))
	}, shelfRow(1, 3), shelfRow(3, 3))
	s.step("a user gives one back", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model(&UserBook{UserID: 3, BookID: 1}).WherePK().Exec(ctx))
	}, shelfRow(3, 1))
	s.step("a book loses readers", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*UserBook)(nil)).Where("book_id = ?", 3).Where("user_id IN (?)", bun.List([]int{1, 3})).Exec(ctx))
	}, shelfRow(1, 3), shelfRow(3, 3))
	s.step("a shelf is set, in a transaction", func(ctx context.Context, db *bun.DB) error {
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewDelete().Model((*UserBook)(nil)).Where("user_id = 1").Exec(ctx); err != nil {
				return err
			}
			return exec(tx.NewInsert().Model(&[]UserBook{{UserID: 1, BookID: 2}, {UserID: 1, BookID: 4}}).Exec(ctx))
		})
	}, shelfRow(1, 1), shelfRow(1, 2), shelfRow(1, 4))
}

func clearBothSides(t *testing.T, open Open) { relationCleared(t, open) }

func movedBook(t *testing.T, open Open) { bookMoves(t, open) }

func bulk(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	s.step("all prices of an author go up", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Book)(nil)).Set("price = price + 10").Where("author_id = 2").Exec(ctx))
	}, bookRow(3, 2, 1), bookRow(4, 2, 3))
	books := make([]Book, aThousand())
	for i := range books {
		books[i] = Book{Title: fmt.Sprint("volume ", i), AuthorID: 3}
	}
	s.step("a thousand books come", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&books).Exec(ctx))
	}, bookRow(generated, 3, 0))
	s.step("and go", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*Book)(nil)).Where("author_id = 3").Exec(ctx))
	}, bookRow(generated, 3, 0))

	// What goes past the hook is told in one line.
	was, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.must(s.admin.ExecContext(s.ctx, "UPDATE books SET price = 1"))
	if err := s.cache.Invalidate(s.ctx, cacheme.Table("books")); err != nil {
		t.Fatal(err)
	}
	if err := s.holds(was, s.of("books")); err != nil {
		t.Errorf("a write of another program's: %v", err)
	}
}

func pairsAndUUIDs(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	s.step("a pair comes", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&UserBook{UserID: 3, BookID: 2}).Exec(ctx))
	}, []string{"user 3 with book 2", "shelf of user 3", "readers of book 2"})
	s.step("a pair goes", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model(&UserBook{UserID: 2, BookID: 3}).WherePK().Exec(ctx))
	}, []string{"user 2 with book 3", "shelf of user 2", "readers of book 3"})
	s.step("a UUID", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Ticket)(nil)).Set("seat = '7G'").Where("id = ?", ticketTwo).Exec(ctx))
	}, ticketRow(ticketTwo, "all"))
	s.step("a text that looks like the open side of a relation", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Coupon)(nil)).Set("percent = 30").Where("code = ?", "all").Exec(ctx))
	}, node("coupon all"))
	// What an instance says is what the hook says.
	for _, from := range []any{Ticket{ID: ticketOne}, &Ticket{ID: ticketOne}, ticketOne, ticketOne.String()} {
		i, err := cacheme.Of[TicketChanged](from)
		if err != nil {
			t.Fatalf("Of(%T) = %v", from, err)
		}
		was, err := s.dump(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.cache.Invalidate(s.ctx, i); err != nil {
			t.Fatal(err)
		}
		if err := s.holds(was, node("ticket "+ticketOne.String())); err != nil {
			t.Errorf("Of(%T): %v", from, err)
		}
	}
}

// savesWhileAway: every save succeeds, soon, and what it made wrong is wrong for everybody when Redis is back.
func savesWhileAway(t *testing.T, open Open) {
	away := new(outage)
	s := tell(t, open, setup{redis: away, options: cacheme.Options{Budget: 500 * time.Millisecond, WriteBudget: 500 * time.Millisecond}})
	other := suite.NewCache(t, s.Redis.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: s.prefix}), declarations()...)

	was, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	away.down.Store(true)
	saves := []func() error{
		func() error {
			return exec(s.db.NewUpdate().Model((*Book)(nil)).Set("title = 'away'").Where("id = 1").Exec(s.ctx))
		},
		func() error {
			return s.db.RunInTx(s.ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return exec(tx.NewInsert().Model(&UserBook{UserID: 3, BookID: 1}).Exec(ctx))
			})
		},
		func() error { return exec(s.db.NewDelete().Model(&Shop{ID: 2}).WherePK().Exec(s.ctx)) },
		func() error {
			return onPurpose(s.db.RunInTx(s.ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewDelete().Model((*Follow)(nil)).Where("follower_id = 1").Exec(ctx)
				return errors.Join(err, errOnPurpose)
			}))
		},
	}
	for i, save := range saves {
		began := time.Now()
		if err := save(); err != nil {
			t.Errorf("save %d: %v", i, err)
		}
		// The budgets allow a second; the rest is for a busy machine.
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("save %d took %v", i, took)
		}
	}
	// This process knows what it wrote, and pages keep working.
	now, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	truth := s.truth(now)
	values, _, err := s.look(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range truth {
		if values[name] != v {
			t.Errorf("%s is not what the database holds, while Redis is away", name)
		}
	}

	away.down.Store(false)
	if err := eventually(s.ctx, func() bool { stats := s.cache.Stats(); return !stats.Away && stats.Pending == 0 }); err != nil {
		t.Fatalf("Redis is back: %v: %+v", err, s.cache.Stats())
	}
	s.cache = other
	if err := s.holds(was, bookRow(1, 1, 1), shelfRow(3, 1), node("shop 2")); err != nil {
		t.Errorf("another process, when Redis is back: %v", err)
	}
}

// Dependent is one of the many things that show a user.
type Dependent struct {
	cacheme.Node[string]
	User   int64 `cacheme:"field"`
	Number int64 `cacheme:"field"`
}

func (Dependent) Meta() cacheme.Meta { return cacheme.Meta{Key: "dependent:<user>:<number>"} }

func (d Dependent) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{UserChanged{ID: d.User}}
}

func manyDependents(t *testing.T, open Open) {
	s := tell(t, open, setup{more: []cacheme.Declaration{Dependent{}}})
	load := func(_ context.Context, missing []Dependent) (map[Dependent]string, error) {
		found := make(map[Dependent]string, len(missing))
		for _, d := range missing {
			found[d] = "x"
		}
		return found, nil
	}
	var nodes []Dependent
	dependents := 1000
	if suite.Torture() {
		dependents = 100_000
	}
	for i := range dependents {
		nodes = append(nodes, Dependent{User: 1, Number: int64(i)})
	}
	for some := range slices.Chunk(append(nodes, Dependent{User: 2}), 1000) {
		if _, err := cacheme.GetManyFrom(s.ctx, s.cache, some, load); err != nil {
			t.Fatal(err)
		}
	}
	save := func(user int64, name string) time.Duration {
		began := time.Now()
		s.must(s.db.NewUpdate().Model(&User{ID: user, Name: name}).WherePK().Exec(s.ctx))
		return time.Since(began)
	}
	const saves = 15
	// Medians of saves that took turns: the scenario allows 5 ms, and a busy machine as much again as the save itself, which it
	// may also have to be asked for again.
	compare := func() (median, extra time.Duration) {
		var one, many []time.Duration
		for i := range saves {
			one = append(one, save(2, fmt.Sprint("Bob ", i)))
			many = append(many, save(1, fmt.Sprint("Ann ", i)))
		}
		slices.Sort(one)
		slices.Sort(many)
		return one[saves/2], many[saves/2] - one[saves/2]
	}
	median, extra := compare()
	for try := 0; try < 3 && extra > max(5*time.Millisecond, median); try++ {
		median, extra = compare()
	}
	if extra > max(5*time.Millisecond, median) {
		t.Errorf("saving a user with %d dependents takes %v more than the %v with one", len(nodes), extra, median)
	}
	loaded := 0
	if _, err := cacheme.GetManyFrom(s.ctx, s.cache, nodes[:10], func(ctx context.Context, missing []Dependent) (map[Dependent]string, error) {
		loaded += len(missing)
		return load(ctx, missing)
	}); err != nil {
		t.Fatal(err)
	}
	if loaded != 10 {
		t.Errorf("after the saves %d of 10 dependents were loaded again", loaded)
	}
}
