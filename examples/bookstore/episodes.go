package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// cast is what the story is about, as the database has it when the story begins.
type cast struct {
	adas   Book    // on Ada's shelf, and nothing by its author on Bob's
	others []int64 // three books on neither, by other authors
	last   int64   // the greatest id of a book
	leaver int64   // a user who has nothing on the shelves of the two
	lent   int64   // a book that he has on his own, of another owner
}

// choose looks into the database, past the cache.
func choose(ctx context.Context, db bun.IDB) (c cast, err error) {
	const onShelf = "SELECT book_id FROM user_books WHERE user_id IN (?)"
	both := bun.List([]int64{ada, bob})
	err = db.NewSelect().Model(&c.adas).Order("id").Limit(1).
		Where("id IN ("+onShelf+")", ada).
		Where("author_id NOT IN (SELECT author_id FROM books WHERE id IN ("+onShelf+"))", bob).
		Where("owner_id <> ?", ada).Scan(ctx)
	if err != nil {
		return c, err
	}
	err = db.NewSelect().Model((*Book)(nil)).Column("id").Order("id").Limit(3).
		Where("id NOT IN ("+onShelf+")", both).Where("author_id <> ?", c.adas.AuthorID).
		Scan(ctx, &c.others)
	if err != nil {
		return c, err
	}
	err = db.NewSelect().Model((*UserBook)(nil)).Column("user_id", "book_id").Order("user_id", "book_id").Limit(1).
		Relation("Book", func(q *bun.SelectQuery) *bun.SelectQuery { return q.ExcludeColumn("*") }).
		Where("user_id > ? AND user_id <> ?", staff, c.adas.OwnerID).Where("book.owner_id <> user_id").
		Where("user_id NOT IN (SELECT owner_id FROM books WHERE id IN ("+onShelf+"))", both).
		Scan(ctx, &c.leaver, &c.lent)
	if err != nil {
		return c, err
	}
	return c, db.NewSelect().Model((*Book)(nil)).ColumnExpr("max(id)").Scan(ctx, &c.last)
}

// What a look shows of a value.

func theBooks(books []Book) string { return plural(len(books), "book") }

func theUsers(users []User) string { return plural(len(users), "user") }

func theName(u User) string { return u.Name }

func theChapters(c Chapters) string { return plural(len(c.Titles), "chapter") }

func theTitle(b Book) string { return b.Title }

func titleOf(book int64) func([]Book) string {
	return func(books []Book) string {
		for _, b := range books {
			if b.ID == book {
				return b.Title
			}
		}
		return "without it"
	}
}

func (s *story) shelf() {
	s.beginf("Ada looks at her shelf: loaded once, then cached for every process of the shop")
	look(s, s.one, s.one.shelf, Shelf{User: ada}, miss, theBooks)
	look(s, s.one, s.one.shelf, Shelf{User: ada}, hit, theBooks)
	look(s, s.two, s.two.shelf, Shelf{User: ada}, hit, theBooks)
}

func (s *story) addBooks() {
	first, second := s.cast.others[0], s.cast.others[1]
	s.beginf("She adds two books: both sides of the relation are wrong, other people's shelves are not")
	look(s, s.one, s.one.shelf, Shelf{User: bob}, miss, theBooks)
	look(s, s.one, s.one.readers, Readers{Book: first}, miss, theUsers)
	s.write(fmt.Sprintf("Ada takes books %d and %d", first, second), alone, addToShelf(ada, first, second))
	look(s, s.two, s.two.shelf, Shelf{User: ada}, miss, theBooks)
	look(s, s.two, s.two.readers, Readers{Book: first}, miss, theUsers)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) retitle() {
	b := s.cast.adas
	elsewhere := s.cast.others[2]
	s.beginf("A book gets another title: only lists that hold it are wrong, as their result says")
	s.write(fmt.Sprintf("book %d, which is on no shelf seen here", elsewhere), alone, retitle(elsewhere, "Another Book"))
	look(s, s.two, s.two.shelf, Shelf{User: ada}, hit, theBooks)
	s.write(fmt.Sprintf("book %d, which is on Ada's", b.ID), byHand, retitle(b.ID, b.Title+", 2nd edition"))
	look(s, s.two, s.two.shelf, Shelf{User: ada}, miss, titleOf(b.ID))
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) pageParts() {
	b := s.cast.adas
	s.beginf("The page of book %d has parts of its own: the owner is renamed, the chapters stay", b.ID)
	look(s, s.one, s.one.owner, BookOwner{ID: b.ID}, miss, theName)
	look(s, s.one, s.one.chapters, BookChapters{ID: b.ID}, miss, theChapters)
	s.write("the owner is now Countess Lovelace, in plain SQL", alone, rename(b.OwnerID, "Countess Lovelace"))
	look(s, s.two, s.two.owner, BookOwner{ID: b.ID}, miss, theName)
	look(s, s.two, s.two.chapters, BookChapters{ID: b.ID}, hit, theChapters)
}

func (s *story) move() {
	b := s.cast.adas
	var to int64 = 1
	if b.AuthorID == to {
		to = 2
	}
	s.beginf("Book %d turns out to be by another author: the old list and the new one are wrong", b.ID)
	look(s, s.one, s.one.authorBooks, AuthorBooks{Author: b.AuthorID}, miss, theBooks)
	look(s, s.one, s.one.authorBooks, AuthorBooks{Author: to}, miss, theBooks)
	s.write(fmt.Sprintf("from author %d to author %d", b.AuthorID, to), inTx, move(b.ID, to))
	look(s, s.two, s.two.authorBooks, AuthorBooks{Author: b.AuthorID}, miss, theBooks)
	look(s, s.two, s.two.authorBooks, AuthorBooks{Author: to}, miss, theBooks)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) negative() {
	id := s.cast.last + 1
	s.beginf("There is no book %d: that is cached as well, until it is written", id)
	look(s, s.one, s.one.book, BookByID{ID: id}, miss, theTitle)
	look(s, s.two, s.two.book, BookByID{ID: id}, hit, theTitle)
	s.write(fmt.Sprintf("book %d comes out", id), alone, publish(&Book{
		Title: "Sketch of the Analytical Engine", Price: 1843, Chapters: "Note A\nNote G",
		AuthorID: s.cast.adas.AuthorID, OwnerID: ada,
	}))
	look(s, s.two, s.two.book, BookByID{ID: id}, miss, theTitle)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) follow() {
	s.beginf("Ada follows Bob: his followers are wrong, hers are not; and who wrote it counts them for the next visitor")
	look(s, s.one, s.one.followers, Followers{User: ada}, miss, theUsers)
	look(s, s.one, s.one.followers, Followers{User: bob}, miss, theUsers)
	look(s, s.one, s.one.followerCount, FollowerCount{User: bob}, miss, theCount)
	s.write("Ada follows Bob, past bun", alone, follow(ada, bob))
	s.refilled(s.one.followerCount, FollowerCount{User: bob})
	look(s, s.two, s.two.followerCount, FollowerCount{User: bob}, hit, theCount)
	look(s, s.two, s.two.followers, Followers{User: bob}, miss, theUsers)
	look(s, s.two, s.two.followers, Followers{User: ada}, hit, theUsers)
}

// refilled waits until the writer has loaded an entry again.
func (s *story) refilled(bound *cacheme.Bound[FollowerCount, int64], node FollowerCount) {
	for began := time.Now(); s.err == nil && time.Since(began) < 5*time.Second; time.Sleep(time.Millisecond) {
		if there, err := bound.Peek(s.ctx, node); err == nil && !there.Stale {
			return
		}
	}
}

// rows is about what needs no node.
func (s *story) rows() {
	b := s.cast.adas
	page := func(in *shop) func() (cacheme.Result[Book], error) {
		return func() (cacheme.Result[Book], error) { return in.catalogue.page(s.ctx, b.ID) }
	}
	title := func(b Book) string { return b.Title + ", by " + b.Author.Name + ", sold by " + b.Owner.Name }
	s.beginf("The page of a book is three rows by their keys: no node, no loader, no SQL once they are cached")
	lookUp(s, s.one, fmt.Sprintf("book %d, its page", b.ID), page(s.one), miss, title)
	lookUp(s, s.two, fmt.Sprintf("book %d, its page", b.ID), page(s.two), hit, title)
	list := func(in *shop) func() (cacheme.Result[[]Book], error) {
		return func() (cacheme.Result[[]Book], error) { return in.catalogue.listed(s.ctx, b.AuthorID, 0) }
	}
	first := fmt.Sprintf("author %d, page 1", b.AuthorID)
	s.beginf("A page of a list is any query of bun's: what it depends on is read from its SQL")
	lookUp(s, s.one, first, list(s.one), miss, theBooks)
	lookUp(s, s.two, first, list(s.two), hit, theBooks)
	s.write("a book by another author gets cheaper", alone, setPrices([]Book{{ID: s.cast.others[2], Price: 500}}))
	lookUp(s, s.two, first, list(s.two), hit, theBooks)
	s.write("this author's get dearer", alone, reprice(b.AuthorID, 105))
	lookUp(s, s.two, first, list(s.two), miss, theBooks)
}

func theCount(n int64) string { return plural(int(n), "follower") }

func (s *story) role() {
	const club, other = 2, 3
	role := func(members []Membership) string {
		for _, m := range members {
			if m.UserID == ada {
				return "Ada is " + m.Role
			}
		}
		return "without Ada"
	}
	s.beginf("A relation with a column of its own: Ada's role in a fan club")
	s.write("Ada joins", alone, setRole(ada, club, "fan"))
	look(s, s.one, s.one.club, Club{Author: club}, miss, role)
	look(s, s.one, s.one.club, Club{Author: other}, miss, role)
	s.write("Ada is elected", inTx, setRole(ada, club, "president"))
	look(s, s.two, s.two.club, Club{Author: club}, miss, role)
	look(s, s.two, s.two.club, Club{Author: other}, hit, role)
}

func (s *story) rollback() {
	b := s.cast.adas
	s.beginf("What is rolled back has made nothing wrong")
	look(s, s.one, s.one.book, BookByID{ID: b.ID}, miss, theTitle)
	s.write("another title, taken back just before COMMIT", undone, retitle(b.ID, "Oops"))
	look(s, s.two, s.two.book, BookByID{ID: b.ID}, hit, theTitle)
	look(s, s.one, s.one.shelf, Shelf{User: ada}, miss, theBooks)
	s.write("Bob's shelf emptied, taken back; Ada takes one more", innerUndone, addToShelf(ada, s.cast.others[2]), clearShelf(bob))
	look(s, s.two, s.two.shelf, Shelf{User: ada}, miss, theBooks)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) sale() {
	author := s.cast.adas.AuthorID
	s.beginf("A sale: one statement, and only the database knows which books it changes")
	look(s, s.one, s.one.authorBooks, AuthorBooks{Author: author}, miss, theBooks)
	s.write(fmt.Sprintf("everything by author %d a tenth cheaper", author), alone, reprice(author, 90))
	look(s, s.two, s.two.authorBooks, AuthorBooks{Author: author}, miss, theBooks)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

func (s *story) leave() {
	user, book := s.cast.leaver, s.cast.lent
	s.beginf("User %d leaves: his places on shelves, his books and all that go with him, in the database itself", user)
	look(s, s.one, s.one.shelf, Shelf{User: user}, miss, theBooks)
	look(s, s.one, s.one.readers, Readers{Book: book}, miss, theUsers)
	s.write(fmt.Sprintf("one DELETE of user %d", user), alone, deleteUser(user))
	look(s, s.two, s.two.shelf, Shelf{User: user}, miss, theBooks)
	look(s, s.two, s.two.readers, Readers{Book: book}, miss, theUsers)
	look(s, s.two, s.two.shelf, Shelf{User: bob}, hit, theBooks)
}

// staleCopy has one visitor of process two reload the bargains, and holds him up while another one asks.
func (s *story) staleCopy() {
	s.beginf("The bargains may be a little old: while one visitor reloads them, the others need not wait")
	bargains := look(s, s.two, s.two.bargains, Bargains{}, miss, cheapest)
	if s.err != nil {
		return
	}
	s.write("the cheapest book gets dearer", alone, setPrices([]Book{{ID: bargains[0].ID, Price: bargains[0].Price + 5000}}))
	if s.err != nil {
		return
	}
	loading, goOn := make(chan struct{}), make(chan struct{})
	began := sync.OnceFunc(func() { close(loading) })
	slow, err := cacheme.Bind(s.two.cache, func(ctx context.Context, n Bargains) ([]Book, error) {
		began()
		select {
		case <-goOn:
		case <-time.After(2 * bargainsAge): // the other one waits, as he should not: what he gets shows it
		}
		return loaders{s.two.db}.bargains(ctx, n)
	})
	if err != nil {
		s.err = err
		return
	}
	left := make(chan struct{})
	var visitorErr error
	go func() {
		defer close(left)
		_, visitorErr = slow.Get(s.ctx, Bargains{})
	}()
	select {
	case <-loading:
	case <-left: // without a load: what follows shows it
	}
	s.out.linef("    %-17s a visitor of process two reloads them, slowly", "meanwhile")
	look(s, s.two, s.two.bargains, Bargains{}, stale, cheapest)
	close(goOn)
	if <-left; visitorErr != nil {
		s.err = visitorErr
		return
	}
	settle(s, s.two.bargains, Bargains{})
	look(s, s.two, s.two.bargains, Bargains{}, hit, cheapest)
}

func cheapest(books []Book) string {
	return fmt.Sprintf("book %d at %d.%02d", books[0].ID, books[0].Price/100, books[0].Price%100)
}

// crowd is how many visitors come at once.
const crowd = 200

func (s *story) herd() {
	author := s.cast.adas.AuthorID
	s.beginf("%d visitors of both processes come at once for a list that is wrong: one loads it", crowd)
	s.write("all prices of the author go up", alone, reprice(author, 110))
	if s.err != nil {
		return
	}
	before := s.queries()
	var visitors sync.WaitGroup
	errs := make([]error, crowd)
	for i := range errs {
		in := []*shop{s.one, s.two}[i%2]
		visitors.Go(func() { _, errs[i] = in.authorBooks.Get(s.ctx, AuthorBooks{Author: author}) })
	}
	visitors.Wait()
	s.err = firstError(errs)
	ran := s.queries() - before
	// One load at a time, that is: who looked before it and acts after it loads once more.
	s.saw(s.one, fmt.Sprintf("author:%d:books", author), miss, miss, ran, crowd/20, "", fmt.Sprintf("for all %d", crowd))
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
