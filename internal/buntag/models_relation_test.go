package buntag_test

import "github.com/uptrace/bun"

// Relations.

type Author struct {
	ID    int64    `bun:",pk"`
	Name  string   `bun:"name,alt:author_name"`
	Novel []*Novel `bun:"rel:has-many,join:id=author_id"`
}

type Novel struct {
	ID       int64 `bun:",pk"`
	AuthorID int64
	Author   *Author `bun:"rel:belongs-to"`
	EditorID *int64
	Editor   Author  `bun:"rel:belongs-to,join:editor_id=id"`
	Blurb    *Blurb  `bun:"rel:has-one,join:id=novel_id"`
	ByName   *Author `bun:"rel:belongs-to,join:writer=author_name,on_delete:CASCADE,on_update:cascade"`
	Pen      string  `bun:"pen_name,alt:writer"`
}

type Blurb struct {
	ID      int64 `bun:",pk"`
	NovelID int64
	Novel   *Novel `bun:"rel:belongs-to,join:novel_id=id,join_on:novel.pen_name <> ''"`
}

type SharesKey struct {
	ID     int64   `bun:",pk"`
	Author *Author `bun:"rel:belongs-to"`
}

type Edition struct {
	Book int64 `bun:"book_id,pk"`
	Year int   `bun:"year,pk"`
	Text string
}

type Copy struct {
	ID            int64 `bun:",pk"`
	EditionBookID int64
	EditionYear   int
	Edition       *Edition `bun:"rel:belongs-to"`
	B, Y          int
	ByJoins       *Edition `bun:"rel:belongs-to,join:b=book_id,join:y=year"`
	ByOneJoin     *Edition `bun:"rel:belongs-to,join:\"y=year, b=book_id\""`
	Year          int      `bun:",scanonly"`
	BookID        int
	Mixed         *Edition `bun:"rel:belongs-to"`
}

type Employee struct {
	ID        int64 `bun:",pk"`
	ManagerID int64
	Manager   *Employee   `bun:"rel:belongs-to,join:manager_id=id"`
	Reports   []*Employee `bun:"rel:has-many,join:id=manager_id"`
}

type Chicken struct {
	ID    int64 `bun:",pk"`
	EggID int64
	Egg   *Egg `bun:"rel:belongs-to"`
}

type Egg struct {
	ID        int64 `bun:",pk"`
	ChickenID int64
	Chicken   *Chicken `bun:"rel:belongs-to,join:chicken_id=id"`
}

type User struct {
	ID      int64     `bun:",pk"`
	Shelf   []Book2   `bun:"m2m:user_books,join:User=Book"`
	Follows []*User   `bun:"m2m:follows,join:From=To"`
	Comment []Comment `bun:"rel:has-many,join:id=owner_id,join:type=owner_type,polymorphic"`
}

type Book2 struct {
	ID int64 `bun:",pk"`
}

type UserBook struct {
	bun.BaseModel `bun:"table:user_books,alias:ub"`
	UserID        int64  `bun:",pk"`
	User          *User  `bun:"rel:belongs-to,join:user_id=id"`
	BookID        int64  `bun:",pk"`
	Book          *Book2 `bun:"rel:belongs-to,join:book_id=id"`
}

type Follow struct {
	FromID int64 `bun:",pk"`
	From   *User `bun:"rel:belongs-to,join:from_id=id"`
	ToID   int64 `bun:",pk"`
	To     *User `bun:"rel:belongs-to,join:to_id=id"`
}

type Comment struct {
	ID        int64 `bun:",pk"`
	OwnerID   int64
	OwnerType string
}

type Owned struct {
	OwnerID int64
	Owner   *User `bun:"rel:belongs-to"`
}

type Ticket struct {
	ID int64 `bun:",pk"`
	Owned
}

type TicketPtr struct {
	*Owned
	Base
}

type PrefixedRelation struct {
	ID      int64 `bun:",pk"`
	Buyer   Owned `bun:"embed:buyer_"`
	OwnerID int64
}

type BelongsToBase struct {
	ID         int64 `bun:",pk"`
	WithBaseID int64
	WithBase   *WithBase `bun:"rel:belongs-to"`
}

type RelationTaggedPK struct {
	ID       int64 `bun:",pk"`
	AuthorID int64
	Author   *Author `bun:",pk,rel:belongs-to"`
}

// Auditable and Account refer to each other through an embedded struct.

type Auditable struct {
	ID        int64    `bun:",pk"`
	CreatedBy *Account `bun:"rel:belongs-to,join:creator=id"`
	Creator   int64
}

type Account struct {
	Auditable
	Email string
}

// Generic types.

type Box[T any] struct {
	ID    int64 `bun:",pk"`
	Value T     `bun:"value"`
}

type Versioned[K comparable, T any] struct {
	bun.BaseModel `bun:"table:versions"`
	Key           K `bun:",pk"`
	Of            T `bun:"embed:of_"`
	Box[T]
}

type Ref[T any] struct {
	ID       int64 `bun:",pk"`
	TargetID int64
	Target   *T `bun:"rel:belongs-to"`
}
