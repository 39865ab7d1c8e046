package writes

import (
	"time"

	"github.com/google/uuid"

	"github.com/cacheme/cacheme"
)

// What becomes wrong: rows by their key, lists by a column, the sides of relations, tables as a whole.
type (
	UserChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	AuthorChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	BooksOf struct {
		cacheme.ModelInvalidNode
		Author int64 `cacheme:"field"`
	}
	BooksOwned struct {
		cacheme.ModelInvalidNode
		Owner int64 `cacheme:"field"`
	}
	AnyBook   struct{ cacheme.ModelInvalidNode }
	UserBooks struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	Follows struct {
		cacheme.ModelInvalidNode
		Follower int64 `cacheme:"field"`
		Followed int64 `cacheme:"field"`
	}
	MembershipChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	Memberships struct {
		cacheme.ModelInvalidNode
		User   int64 `cacheme:"field,name=member"`
		Author int64 `cacheme:"field"`
	}
	MembersAs struct {
		cacheme.ModelInvalidNode
		Role string `cacheme:"field"`
	}
	ChapterChanged struct {
		cacheme.ModelInvalidNode
		Book   int64 `cacheme:"field"`
		Number int64 `cacheme:"field"`
	}
	ChaptersOf struct {
		cacheme.ModelInvalidNode
		Book int64 `cacheme:"field"`
	}
	NoteChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	NotesOf struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
	}
	ShopChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	AnyShop       struct{ cacheme.ModelInvalidNode }
	CouponChanged struct {
		cacheme.ModelInvalidNode
		Code string `cacheme:"field"`
	}
	TicketChanged struct {
		cacheme.ModelInvalidNode
		ID uuid.UUID `cacheme:"field"`
	}
	TicketsBy struct {
		cacheme.ModelInvalidNode
		Code string `cacheme:"field"`
	}
)

func (UserChanged) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*User)(nil)} }
func (AuthorChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Author)(nil)} }
func (BookChanged) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*Book)(nil)} }
func (BooksOf) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Book)(nil)} }
func (BooksOwned) Meta() cacheme.Meta    { return cacheme.Meta{Model: (*Book)(nil)} }
func (AnyBook) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Book)(nil)} }
func (UserBooks) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*UserBook)(nil), M2M: true} }

func (Follows) Meta() cacheme.Meta           { return cacheme.Meta{Model: (*Follow)(nil), M2M: true} }
func (MembershipChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Membership)(nil)} }
func (Memberships) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Membership)(nil), M2M: true} }
func (MembersAs) Meta() cacheme.Meta         { return cacheme.Meta{Model: (*Membership)(nil)} }
func (ChapterChanged) Meta() cacheme.Meta    { return cacheme.Meta{Model: (*Chapter)(nil)} }
func (ChaptersOf) Meta() cacheme.Meta        { return cacheme.Meta{Model: (*Chapter)(nil)} }
func (NoteChanged) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Note)(nil)} }
func (NotesOf) Meta() cacheme.Meta           { return cacheme.Meta{Model: (*Note)(nil)} }
func (ShopChanged) Meta() cacheme.Meta       { return cacheme.Meta{Model: (*Shop)(nil)} }
func (AnyShop) Meta() cacheme.Meta           { return cacheme.Meta{Model: (*Shop)(nil)} }
func (CouponChanged) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Coupon)(nil)} }
func (TicketChanged) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Ticket)(nil)} }
func (TicketsBy) Meta() cacheme.Meta         { return cacheme.Meta{Model: (*Ticket)(nil)} }

// What is cached: each is the rows that its field names, as text.
type (
	UserPage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	AuthorPage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	BookPage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	BooksBy struct {
		cacheme.Node[string]
		Author int64 `cacheme:"field"`
	}
	OwnedBy struct {
		cacheme.Node[string]
		Owner int64 `cacheme:"field"`
	}
	Catalogue struct{ cacheme.Node[string] }
	Shelf     struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
	}
	Readers struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	OnShelf struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	Shelves   struct{ cacheme.Node[string] }
	Following struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
	}
	Followers struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
	}
	MembershipPage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	Clubs struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
	}
	Fans struct {
		cacheme.Node[string]
		Author int64 `cacheme:"field"`
	}
	RoleList struct {
		cacheme.Node[string]
		Role string `cacheme:"field"`
	}
	ChapterPage struct {
		cacheme.Node[string]
		Book   int64 `cacheme:"field"`
		Number int64 `cacheme:"field"`
	}
	Contents struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	NotePage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	Notebook struct {
		cacheme.Node[string]
		User int64 `cacheme:"field"`
	}
	ShopPage struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	ShopList   struct{ cacheme.Node[string] }
	CouponPage struct {
		cacheme.Node[string]
		Code string `cacheme:"field"`
	}
	TicketPage struct {
		cacheme.Node[string]
		ID uuid.UUID `cacheme:"field"`
	}
	TicketList struct {
		cacheme.Node[string]
		Code string `cacheme:"field"`
	}
)

// meta caches what does not exist, too: a row that comes into being has to end that.
func meta(key string) cacheme.Meta {
	return cacheme.Meta{Key: key, Negative: 10 * time.Minute, TTL: 10 * time.Minute}
}

func (UserPage) Meta() cacheme.Meta       { return meta("page:user:<id>") }
func (AuthorPage) Meta() cacheme.Meta     { return meta("page:author:<id>") }
func (BookPage) Meta() cacheme.Meta       { return meta("page:book:<id>") }
func (BooksBy) Meta() cacheme.Meta        { return meta("list:author:<author>") }
func (OwnedBy) Meta() cacheme.Meta        { return meta("list:owner:<owner>") }
func (Catalogue) Meta() cacheme.Meta      { return meta("catalogue") }
func (Shelf) Meta() cacheme.Meta          { return meta("shelf:<user>") }
func (Readers) Meta() cacheme.Meta        { return meta("readers:<book>") }
func (OnShelf) Meta() cacheme.Meta        { return meta("onshelf:<user>:<book>") }
func (Shelves) Meta() cacheme.Meta        { return meta("shelves") }
func (Following) Meta() cacheme.Meta      { return meta("following:<user>") }
func (Followers) Meta() cacheme.Meta      { return meta("followers:<user>") }
func (MembershipPage) Meta() cacheme.Meta { return meta("page:membership:<id>") }
func (Clubs) Meta() cacheme.Meta          { return meta("clubs:<user>") }
func (Fans) Meta() cacheme.Meta           { return meta("fans:<author>") }
func (RoleList) Meta() cacheme.Meta       { return meta("role:<role>") }
func (ChapterPage) Meta() cacheme.Meta    { return meta("page:chapter:<book>:<number>") }
func (Contents) Meta() cacheme.Meta       { return meta("contents:<book>") }
func (NotePage) Meta() cacheme.Meta       { return meta("page:note:<id>") }
func (Notebook) Meta() cacheme.Meta       { return meta("notebook:<user>") }
func (ShopPage) Meta() cacheme.Meta       { return meta("page:shop:<id>") }
func (ShopList) Meta() cacheme.Meta       { return meta("shops") }
func (CouponPage) Meta() cacheme.Meta     { return meta("page:coupon:<code>") }
func (TicketPage) Meta() cacheme.Meta     { return meta("page:ticket:<id>") }
func (TicketList) Meta() cacheme.Meta     { return meta("list:ticket:<code>") }

func (n UserPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserChanged{ID: n.ID}} }

func (n AuthorPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{AuthorChanged{ID: n.ID}}
}

func (n BookPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: n.ID}} }

func (n BooksBy) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BooksOf{Author: n.Author}}
}

func (n OwnedBy) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BooksOwned{Owner: n.Owner}}
}
func (Catalogue) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{AnyBook{}} }
func (n Shelf) InvalidNodes() []cacheme.Invalid   { return []cacheme.Invalid{UserBooks{User: n.User}} }

func (n Readers) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserBooks{Book: n.Book}} }

func (n OnShelf) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{UserBooks{User: n.User, Book: n.Book}}
}
func (Shelves) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserBooks{}} }
func (n Following) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Follows{Follower: n.User}}
}

func (n Followers) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Follows{Followed: n.User}}
}

func (n MembershipPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{MembershipChanged{ID: n.ID}}
}

func (n Clubs) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{Memberships{User: n.User}} }

func (n Fans) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Memberships{Author: n.Author}}
}

func (n RoleList) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{MembersAs{Role: n.Role}} }

func (n ChapterPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ChapterChanged{Book: n.Book, Number: n.Number}}
}

func (n Contents) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ChaptersOf{Book: n.Book}}
}

func (n NotePage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{NoteChanged{ID: n.ID}} }

func (n Notebook) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{NotesOf{User: n.User}} }

func (n ShopPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ShopChanged{ID: n.ID}} }
func (ShopList) InvalidNodes() []cacheme.Invalid   { return []cacheme.Invalid{AnyShop{}} }
func (n CouponPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{CouponChanged{Code: n.Code}}
}

func (n TicketPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{TicketChanged{ID: n.ID}}
}

func (n TicketList) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{TicketsBy{Code: n.Code}}
}
