package scenarios

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/cacheme/cacheme"
)

// The models. Follow relates users with users, Membership is a join model with more than its two keys.
type (
	User struct {
		ID   int64 `bun:",pk"`
		Name string
	}
	Author struct {
		ID   int64 `bun:",pk"`
		Name string
	}
	Book struct {
		ID       int64 `bun:",pk"`
		Title    string
		AuthorID int64
		Author   *Author `bun:"rel:belongs-to,join:author_id=id"`
	}
	UserBook struct {
		UserID int64 `bun:",pk"`
		User   *User `bun:"rel:belongs-to,join:user_id=id"`
		BookID int64 `bun:",pk"`
		Book   *Book `bun:"rel:belongs-to,join:book_id=id"`
	}
	Follow struct {
		FromID int64 `bun:",pk"`
		From   *User `bun:"rel:belongs-to,join:from_id=id"`
		ToID   int64 `bun:",pk"`
		To     *User `bun:"rel:belongs-to,join:to_id=id"`
	}
	Membership struct {
		ID     [16]byte `bun:",pk,type:uuid"`
		UserID int64
		Role   string
	}
)

// bookstore is the database: a few maps that count how often they are asked.
type bookstore struct {
	mu      sync.Mutex
	books   map[int64]Book
	pages   map[int64][]int64 // which books a list page shows
	shelves map[int64][]int64 // which books a user has
	queries int
}

func newBookstore(titles ...string) *bookstore {
	s := &bookstore{books: map[int64]Book{}, pages: map[int64][]int64{}, shelves: map[int64][]int64{}}
	for i, title := range titles {
		id := int64(i + 1)
		s.books[id] = Book{ID: id, Title: title, AuthorID: 1}
	}
	return s
}

// asked returns how many queries there were since it was asked last.
func (s *bookstore) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.queries
	s.queries = 0
	return n
}

func (s *bookstore) rename(book int64, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[book]
	b.ID, b.Title = book, title
	s.books[book] = b
}

func (s *bookstore) list(page int64, books ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[page] = books
}

func (s *bookstore) some(ids []int64) []Book {
	books := make([]Book, len(ids))
	for i, id := range ids {
		books[i] = s.books[id]
	}
	return books
}

func (s *bookstore) loadList(_ context.Context, l List) ([]Book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	return s.some(s.pages[l.Page]), nil
}

func (s *bookstore) loadShelf(_ context.Context, n Shelf) ([]Book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	return s.some(s.shelves[n.User]), nil
}

func (s *bookstore) loadTitle(_ context.Context, n Title) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	return s.books[n.Book].Title, nil
}

func (s *bookstore) loadDetail(_ context.Context, n Detail) (Book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries++
	b, ok := s.books[n.Book]
	if !ok {
		return b, fmt.Errorf("book %d: %w", n.Book, cacheme.ErrNotFound)
	}
	return b, nil
}

func titles(books []Book) string {
	var names []string
	for _, b := range books {
		names = append(names, b.Title)
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}
