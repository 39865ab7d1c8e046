package writes

import (
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// User reads, owns and follows. With a user go shelf places, follows, memberships and notes; books lose their owner.
type User struct {
	bun.BaseModel `bun:"table:users"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
}

// Author writes books, and cannot go while there are any.
type Author struct {
	bun.BaseModel `bun:"table:authors"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
}

// Book has one author, and may have an owner. With a book go its chapters and its places on shelves.
type Book struct {
	bun.BaseModel `bun:"table:books"`

	ID       int64 `bun:",pk,autoincrement"`
	Title    string
	Price    int64
	AuthorID int64
	Author   *Author `bun:"rel:belongs-to,join:author_id=id"`
	OwnerID  int64   `bun:",nullzero"`
	Owner    *User   `bun:"rel:belongs-to,join:owner_id=id,on_delete:SET NULL"`
	Readers  []User  `bun:"m2m:user_books,join:Book=User"`
}

// UserBook is a place on a shelf: a relation of many users with many books.
type UserBook struct {
	bun.BaseModel `bun:"table:user_books"`

	UserID int64 `bun:",pk"`
	User   *User `bun:"rel:belongs-to,join:user_id=id,on_delete:CASCADE"`
	BookID int64 `bun:",pk"`
	Book   *Book `bun:"rel:belongs-to,join:book_id=id,on_delete:CASCADE"`
}

// Follow relates users with users: its two sides are of one type.
type Follow struct {
	bun.BaseModel `bun:"table:follows"`

	FollowerID int64 `bun:",pk"`
	Follower   *User `bun:"rel:belongs-to,join:follower_id=id,on_delete:CASCADE"`
	FollowedID int64 `bun:",pk"`
	Followed   *User `bun:"rel:belongs-to,join:followed_id=id,on_delete:CASCADE"`
}

// Membership of a user in an author's club has an id and a role of its own.
type Membership struct {
	bun.BaseModel `bun:"table:memberships"`

	ID       int64   `bun:",pk,autoincrement"`
	UserID   int64   `bun:",unique:member"`
	User     *User   `bun:"rel:belongs-to,join:user_id=id,on_delete:CASCADE"`
	AuthorID int64   `bun:",unique:member"`
	Author   *Author `bun:"rel:belongs-to,join:author_id=id,on_delete:CASCADE"`
	Role     string
}

// Chapter has a key of two columns, one of which is a foreign key.
type Chapter struct {
	bun.BaseModel `bun:"table:chapters"`

	BookID int64 `bun:",pk"`
	Book   *Book `bun:"rel:belongs-to,join:book_id=id,on_delete:CASCADE"`
	Number int64 `bun:",pk"`
	Title  string
}

// Note is deleted softly.
type Note struct {
	bun.BaseModel `bun:"table:notes"`

	ID        int64 `bun:",pk,autoincrement"`
	UserID    int64
	User      *User `bun:"rel:belongs-to,join:user_id=id,on_delete:CASCADE"`
	Body      string
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}

// Shop has nothing to do with anything.
type Shop struct {
	bun.BaseModel `bun:"table:shops"`

	ID   int64  `bun:",pk,autoincrement"`
	Name string `bun:",notnull,default:'new'"`
}

// Coupon has a text as its key.
type Coupon struct {
	bun.BaseModel `bun:"table:coupons"`

	Code    string `bun:",pk,type:varchar(64)"`
	Percent int64
}

// Ticket has a UUID as its key, and follows the code of its coupon wherever that goes.
type Ticket struct {
	bun.BaseModel `bun:"table:tickets"`

	ID     uuid.UUID `bun:",pk,type:uuid"`
	Seat   string
	Code   string  `bun:",nullzero,type:varchar(64)"`
	Coupon *Coupon `bun:"rel:belongs-to,join:code=code,on_delete:SET NULL,on_update:CASCADE"`
}

// Till is a table that no node names, but its trigger writes the shops.
type Till struct {
	bun.BaseModel `bun:"table:tills"`

	ID    int64 `bun:",pk"`
	Total int64
}

// AuditLine is a table that no node names.
type AuditLine struct {
	bun.BaseModel `bun:"table:audit_lines"`

	ID   int64 `bun:",pk,autoincrement"`
	Line string
}
