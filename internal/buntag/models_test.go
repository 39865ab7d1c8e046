package buntag_test

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Fields that reflection must skip are used by nothing else; this tells the linters.
var _ = []any{
	ColumnNames{}.skipped, Overriding{}.id, hidden{}.silent, Address{}.geo, Customer{}.private,
}

// Names.

type (
	Book        struct{ ID int64 }
	BookChapter struct{ ID int64 }
	Person      struct{ ID int64 }
	Child       struct{ ID int64 }
	Category    struct{ ID int64 }
	Bus         struct{ ID int64 }
	News        struct{ ID int64 }
	Status      struct{ ID int64 }
	Mouse       struct{ ID int64 }
	Books       struct{ ID int64 }
	HTTPLog     struct{ ID int64 }
	UserID      struct{ ID int64 }
	PlanB       struct{ ID int64 }
	OAuth2Token struct{ ID int64 }
	Snake_Case  struct{ ID int64 }
	ÄrgerLog    struct{ ID int64 }
	lowercase   struct{ ID int64 }
	Empty       struct{}
)

type ColumnNames struct {
	ID        int64
	UserID    int64
	HTTPCode  int
	APIKey    string
	MyURL     string
	X         int
	XY        int
	PlanB     string
	Top10     int
	A1B2      int
	Ünicode   string
	WithScore float64 `bun:"score"`
	Other     string  `bun:"column:elsewhere"`
	Both      string  `bun:"first,column:second"`
	Mistaken  string  `bun:"pk"`
	Spaced    string  `bun:" spaced , notnull"`
	skipped   string
	Dash      string `bun:"-"`
	DashComma string `bun:"-,"`
	Twice     string `bun:"dup"`
	TwiceToo  string `bun:"dup"`
}

// Tables.

type Named struct {
	bun.BaseModel `bun:"table:library_books,alias:b"`
	ID            int64 `bun:",pk"`
}

type NamedShort struct {
	bun.BaseModel `bun:"short_name,alias:sn"`
	ID            int64 `bun:",pk"`
}

type NamedTwice struct {
	bun.BaseModel `bun:"first,table:second"`
	ID            int64 `bun:",pk"`
}

type InSchema struct {
	bun.BaseModel `bun:"table:shop.books,alias:b"`
	ID            int64 `bun:",pk"`
}

type InSchemaShort struct {
	bun.BaseModel `bun:"shop.orders"`
	ID            int64 `bun:",pk"`
}

type ThreeParts struct {
	bun.BaseModel `bun:"table:a.b.c"`
	ID            int64 `bun:",pk"`
}

type SelectsView struct {
	bun.BaseModel `bun:"table:books,select:books_view,alias:v,mystery:1"`
	ID            int64 `bun:",pk"`
}

type OnlyAlias struct {
	bun.BaseModel `bun:"alias:oa"`
	ID            int64 `bun:",pk"`
}

type IgnoredBase struct {
	bun.BaseModel `bun:"-"`
	ID            int64 `bun:",pk"`
}

type PointerBase struct {
	*bun.BaseModel `bun:"table:ignored"`
	ID             int64 `bun:",pk"`
}

// Primary keys.

type (
	KeyByName     struct{ ID int64 }
	KeyById       struct{ Id int64 }
	KeyByUUID     struct{ UUID uuid.UUID }
	KeyByModel    struct{ PkKeyByModel int64 }
	KeyComposite  struct{ A, B int64 }
	KeyAutoinc    struct{ ID int64 }
	KeyUUIDTagged struct {
		Name string
		Key  uuid.UUID `bun:"type:uuid,pk,default:gen_random_uuid()"`
	}
	KeySeveral struct {
		Shop  int64  `bun:",pk"`
		Title string `bun:"title"`
		Num   string `bun:"number,pk,nullzero"`
	}
	KeyAutoincrement struct {
		Num int64 `bun:",autoincrement"`
		Old int64 `bun:",pk,autoincrement"`
	}
	KeyScanOnly struct {
		ID  int64 `bun:",pk,scanonly"`
		Two int64 `bun:",pk"`
	}
)

// Options that say nothing about names.

type Optioned struct {
	bun.BaseModel `bun:"table:optioned"`
	ID            int64           `bun:"id,pk,autoincrement,identity"`
	Price         string          `bun:"type:decimal(10,2),default:'a,b',nullzero"`
	Tags          []string        `bun:",array"`
	Tree          map[string]any  `bun:"type:jsonb,json_use_number"`
	Raw           json.RawMessage `bun:"raw_json,nullzero,notnull"`
	Packed        any             `bun:",msgpack"`
	Grouped       string          `bun:"unique:group1,unique:group2"`
	Alone         string          `bun:",unique,skipupdate"`
	Quoted        string          `bun:"default:\"x,y\",alt:unquoted"`
	Unknown       string          `bun:"unknown:1,whatever"`
	JoinAlone     string          `bun:"join:a=b"`
	Counted       int             `bun:",scanonly"`
	AltCounted    int             `bun:"n,scanonly,alt:m"`
	At            time.Time       `bun:",nullzero,notnull,default:current_timestamp"`
	Nullable      sql.NullString
	PtrTime       *time.Time
	Blob          []byte
	Inner         Address
	InnerPtr      *Address `bun:"inner_json,type:json"`
}

// Embedding.

type Base struct {
	ID        int64     `bun:",pk,autoincrement"`
	CreatedAt time.Time `bun:",notnull"`
}

type Timestamps struct {
	CreatedAt time.Time
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}

type WithBase struct {
	Base
	Title string
}

type WithBasePtr struct {
	Title string
	*Base
	Tail string
}

type WithAmbiguous struct {
	Timestamps
	Base
	Title string
}

type TaggedA struct {
	Code string `bun:"code,notnull"`
	Same string `bun:"same,notnull"`
}

type UntaggedB struct {
	Code string
	Same string `bun:"same,unique"`
}

type WithOneTagged struct {
	UntaggedB
	TaggedA
	ID int64 `bun:",pk"`
}

type Overriding struct {
	Base
	Created time.Time `bun:"created_at,scanonly"`
	id      int64     `bun:"-"`
}

type hidden struct {
	Secret string `bun:",pk"`
	silent string
}

type WithHidden struct {
	hidden
	*Timestamps
	Name string
}

type IgnoredEmbed struct {
	Base `bun:"-"`
	Key  string `bun:",pk"`
}

type Number int64

type EmbedsScalar struct {
	Number
	json.Marshaler
	sql.NullString
	ID int64 `bun:",pk"`
}

type Deep struct {
	Head string
	WithBase
	Tail string
}

type Address struct {
	Street string
	City   string `bun:"town,alt:city"`
	geo    string
	Geo    Geo `bun:"embed:geo_"`
}

type Geo struct {
	Lat, Lon float64
}

type Customer struct {
	ID       int64    `bun:",pk"`
	Home     Address  `bun:"embed:home_"`
	Work     *Address `bun:"embed:work_"`
	Name     string
	Plain    Geo    `bun:"embed:"`
	HomeTown string `bun:"home_town"`
	private  Geo    `bun:"embed:private_"`
}

type PrefixedKey struct {
	Name string
	Key  Base `bun:"embed:key_"`
}

type Inherits struct {
	Named `bun:",extend"`
	Extra string
}

type InheritsToo struct {
	Book  `bun:",inherit"`
	Extra string
}

type InheritIsNoName struct {
	Book  `bun:"inherit"`
	Extra string
}

type InheritsRenamed struct {
	Named         `bun:",inherit"`
	bun.BaseModel `bun:"table:renamed"`
}

type EmbedsSelf struct {
	ID     int64 `bun:",pk"`
	Early  string
	Parent *EmbedsSelf `bun:"embed:parent_"`
	Late   string
}

type EmbedsSelfAnonymously struct {
	ID int64 `bun:",pk"`
	*EmbedsSelfAnonymously
}

type CycleA struct {
	X int
	*CycleB
	XX int
}

type CycleB struct {
	Y int
	*CycleA
	YY int
}

// Soft delete.

type SoftDeleted struct {
	ID        int64     `bun:",pk"`
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}

type SoftDeletedPtr struct {
	ID        int64      `bun:",pk"`
	DeletedAt *time.Time `bun:"gone,soft_delete"`
}

type SoftDeletedNot struct {
	ID        int64     `bun:",pk"`
	DeletedAt time.Time `bun:",soft_delete,scanonly"`
}

type SoftDeletedByBase struct {
	ID int64 `bun:",pk"`
	Timestamps
}
