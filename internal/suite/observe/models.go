package observe

import (
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Author writes books.
type Author struct {
	bun.BaseModel `bun:"table:authors,alias:author"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
}

// Book has one author, or none that is known, and reviews.
type Book struct {
	bun.BaseModel `bun:"table:books,alias:book"`

	ID       int64 `bun:",pk,autoincrement"`
	Title    string
	Price    int64
	AuthorID int64     `bun:",nullzero"`
	Author   *Author   `bun:"rel:belongs-to,join:author_id=id"`
	Reviews  []*Review `bun:"rel:has-many,join:id=book_id"`
}

// User reads and reviews.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
	Nick string `bun:",unique,type:varchar(40)"`
}

// UserBook is a place on a shelf.
type UserBook struct {
	bun.BaseModel `bun:"table:user_books,alias:ub"`

	UserID int64 `bun:",pk"`
	User   *User `bun:"rel:belongs-to,join:user_id=id"`
	BookID int64 `bun:",pk"`
	Book   *Book `bun:"rel:belongs-to,join:book_id=id"`
}

// Review is of one book, by one user.
type Review struct {
	bun.BaseModel `bun:"table:reviews,alias:review"`

	ID     int64 `bun:",pk,autoincrement"`
	BookID int64
	Book   *Book `bun:"rel:belongs-to,join:book_id=id"`
	UserID int64
	User   *User `bun:"rel:belongs-to,join:user_id=id"`
	Stars  int64
}

// tables are the models with the foreign keys that the database holds.
var tables = []struct {
	model any
	keys  []string
}{
	{(*Author)(nil), nil},
	{(*User)(nil), nil},
	{(*Book)(nil), []string{"(author_id) REFERENCES authors (id) ON DELETE SET NULL"}},
	{(*UserBook)(nil), []string{"(user_id) REFERENCES users (id) ON DELETE CASCADE", "(book_id) REFERENCES books (id) ON DELETE CASCADE"}},
	{(*Review)(nil), []string{"(book_id) REFERENCES books (id) ON DELETE CASCADE", "(user_id) REFERENCES users (id)"}},
}

// What makes entries wrong, where it is declared.
type (
	bookChanged struct {
		cacheme.ModelInvalidNode

		ID int64 `cacheme:"field"`
	}
	booksOf struct {
		cacheme.ModelInvalidNode

		Author int64 `cacheme:"field"`
	}
	anyBook       struct{ cacheme.ModelInvalidNode }
	authorChanged struct {
		cacheme.ModelInvalidNode

		ID int64 `cacheme:"field"`
	}
	userChanged struct {
		cacheme.ModelInvalidNode

		ID int64 `cacheme:"field"`
	}
	anyUser   struct{ cacheme.ModelInvalidNode }
	userBooks struct {
		cacheme.ModelInvalidNode

		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	reviewChanged struct {
		cacheme.ModelInvalidNode

		ID int64 `cacheme:"field"`
	}
	reviewsOf struct {
		cacheme.ModelInvalidNode

		Book int64 `cacheme:"field"`
	}
	reviewsBy struct {
		cacheme.ModelInvalidNode

		User int64 `cacheme:"field"`
	}
	anyReview struct{ cacheme.ModelInvalidNode }
)

func (bookChanged) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*Book)(nil)} }
func (booksOf) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Book)(nil)} }
func (anyBook) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Book)(nil)} }
func (authorChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Author)(nil)} }
func (userChanged) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*User)(nil)} }
func (anyUser) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*User)(nil)} }
func (userBooks) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*UserBook)(nil), M2M: true} }
func (reviewChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Review)(nil)} }
func (reviewsOf) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Review)(nil)} }
func (reviewsBy) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Review)(nil)} }
func (anyReview) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Review)(nil)} }

func invalidNodes() []cacheme.Declaration {
	return []cacheme.Declaration{
		bookChanged{}, booksOf{}, anyBook{}, authorChanged{}, userChanged{}, anyUser{}, userBooks{}, reviewChanged{}, reviewsOf{}, reviewsBy{}, anyReview{},
	}
}
