package codec_test

import (
	"database/sql"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/uptrace/bun"
)

// The models of the tests are those that a bun user has, with all that their json tags would do to them.

type Author struct {
	bun.BaseModel `bun:"table:authors"`

	ID       int64     `bun:",pk,autoincrement"              json:"id"`
	Name     string    `json:"name,omitempty"`
	Password []byte    `json:"-"`
	Books    []*Book   `bun:"rel:has-many,join:id=author_id" json:"books,omitempty"`
	Born     time.Time `json:"born,omitzero"`
}

type Book struct {
	bun.BaseModel `bun:"table:books"`

	ID        int64  `bun:",pk"       json:"id,string"`
	Title     string `json:"Subtitle"`
	Subtitle  string
	Price     float64           `json:"price,omitempty"`
	AuthorID  int64             `cbor:"1,keyasint"      json:"-"`
	Author    *Author           `bun:"rel:belongs-to"   json:"author,omitempty"`
	Tags      []string          `json:"tags"`
	Cover     []byte            `json:",omitempty"`
	UUID      [16]byte          `json:"uuid"`
	Deleted   bun.NullTime      `json:"-"`
	Shelf     sql.NullString    `json:"shelf"`
	Rating    sql.Null[float32] `json:"rating"`
	Sold      *int              `cbor:"-"`
	Meta      map[string]string `json:"meta,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
}

type Color uint8

func (c Color) MarshalText() ([]byte, error) { return []byte("some color"), nil }
func (c *Color) UnmarshalText([]byte) error  { *c = 99; return nil }

type Day string

type Stamp time.Time

type base struct{ CreatedBy, UpdatedBy string }

type Audited struct {
	base
	Author
	*Page
	Note string
}

type Page struct{ Number int }

type List struct {
	Value int
	Next  *List
}

type Tree map[string]Tree

type Nest []Nest

type Chain *Chain

type Everything struct {
	Bool    bool
	Int     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	F32     float32
	F64     float64
	C64     complex64
	C128    complex128
	String  string
	Day     Day
	Color   Color
	Colors  []Color
	Palette [3]Color
	Bytes   []byte
	Strings []string
	Nested  [][]int
	Grid    [2][3]int16
	Numbers map[int]string
	Sets    map[string]map[uint8]bool
	ByColor map[Color][]int
	ByPair  map[[2]string]Page
	ByAddr  map[netip.Addr]string
	Ptr     *int
	PtrPtr  **string
	ToSlice *[]int
	ToMap   *map[string]int
	ToTime  *time.Time
	Page    Page
	Pages   []Page
	PagePtr *Page
	Time    time.Time
	Times   []time.Time
	Took    time.Duration
	Null    sql.NullInt64
	NullT   sql.NullTime
	Empty   struct{}
	Anon    struct {
		A, B int
		C    []struct{ D string }
	}
	_    int
	List *List
	Tree Tree
}

type Foreign struct {
	Addr   netip.Addr
	Prefix *netip.Prefix
	URL    url.URL
	URLs   []*url.URL
	Int    big.Int
	Rat    *big.Rat
	Float  *big.Float
	IP     net.IP
	Secret secret
}

// secret hides what it has, and brings the pair.
type secret struct{ text string }

func (s secret) MarshalBinary() ([]byte, error) { return []byte("s:" + s.text), nil }

func (s *secret) UnmarshalBinary(b []byte) error {
	s.text = string(b[2:]) // panics on what is too short, as real ones do
	return nil
}

// Shouted has its own CBOR, which goes before its fields.
type Shouted struct{ Text string }

func (s Shouted) MarshalCBOR() ([]byte, error) { return append([]byte{0x61}, s.Text[0]|0x20), nil }

func (s *Shouted) UnmarshalCBOR(b []byte) error { s.Text = string(b[1:]) + "!"; return nil }

// Dated would, with the methods it has from time.Time, lose its note.
type Dated struct {
	time.Time
	Note string
}
