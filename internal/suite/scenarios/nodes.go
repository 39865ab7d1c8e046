package scenarios

import (
	"context"
	"sync"
	"time"

	"github.com/cacheme/cacheme"
)

// everything lists the declarations of the bookstore.
func everything() []cacheme.Declaration {
	return []cacheme.Declaration{
		BookChanged{},
		UserBooks{},
		Follows{},
		MembershipChanged{},
		Price{},
		Shelf{},
		List{},
		Title{},
		Standing{},
		Never{},
		Detail{},
		Owner{},
		Chapters{},
		Visitor{},
		Told{},
		Short{},
		Kept{},
		Part{},
	}
}

// What makes entries wrong.
type (
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	UserBooks struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	Follows struct {
		cacheme.ModelInvalidNode
		From int64 `cacheme:"field"`
		To   int64 `cacheme:"field"`
	}
	MembershipChanged struct {
		cacheme.ModelInvalidNode
		ID [16]byte `cacheme:"field"`
	}
	// Price is no row of a model.
	Price struct {
		cacheme.InvalidNode
		Book int64 `cacheme:"field"`
	}
)

func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }
func (UserBooks) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*UserBook)(nil), M2M: true} }
func (Follows) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Follow)(nil), M2M: true} }
func (MembershipChanged) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*Membership)(nil)}
}
func (Price) Meta() cacheme.Meta { return cacheme.Meta{Key: "price:<book>"} }

// Shelf is what a user reads.
type Shelf struct {
	cacheme.Node[[]Book]
	User int64 `cacheme:"field"`
}

func (Shelf) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:shelf"} }

func (s Shelf) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserBooks{User: s.User}} }

// List is a page of books, and wrong when one of them is.
type List struct {
	cacheme.Node[[]Book]
	Page int64 `cacheme:"field"`
}

func (List) Meta() cacheme.Meta { return cacheme.Meta{Key: "list:<page>"} }

func (List) ResultInvalidNodes(books []Book) (out []cacheme.Invalid) {
	for _, b := range books {
		out = append(out, BookChanged{ID: b.ID})
	}
	return out
}

// Title is a plain part of a book; Standing the same with an old value that may stand in, and Never one for which it
// may not, whatever the option says.
type (
	Title struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	Standing struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	Never struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
)

func (Title) Meta() cacheme.Meta    { return cacheme.Meta{Key: "title:<book>"} }
func (Standing) Meta() cacheme.Meta { return cacheme.Meta{Key: "standing:<book>", Stale: time.Hour} }
func (Never) Meta() cacheme.Meta    { return cacheme.Meta{Key: "never:<book>", Stale: -1} }

func (t Title) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: t.Book}, cacheme.Tag("titles")}
}

func (s Standing) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: s.Book}, cacheme.Tag("titles")}
}

func (n Never) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: n.Book}}
}

// Detail is a page that knows of books that do not exist.
type Detail struct {
	cacheme.Node[Book]
	Book int64 `cacheme:"field"`
}

func (Detail) Meta() cacheme.Meta { return cacheme.Meta{Key: "detail:<book>", Negative: time.Minute} }

func (d Detail) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: d.Book}} }

// Owner and Chapters are parts of one book.
type (
	Owner struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	Chapters struct {
		cacheme.Node[[]string]
		Book int64 `cacheme:"field"`
	}
)

func (Owner) Meta() cacheme.Meta    { return cacheme.Meta{Key: "book:<book>", Field: "owner"} }
func (Chapters) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<book>", Field: "chapters"} }

func (o Owner) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Tag("owners"), cacheme.Table("users")}
}

// Visitor is a page that is cached for those who signed in.
type Visitor struct {
	cacheme.Node[string]
	User int64 `cacheme:"field"`
}

func (Visitor) Meta() cacheme.Meta { return cacheme.Meta{Key: "visitor:<user>"} }

func (v Visitor) Skip(context.Context) bool { return v.User == 0 }

// Told writes down what it is told. The journal is no key field.
type Told struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`

	journal *journal
}

func (Told) Meta() cacheme.Meta { return cacheme.Meta{Key: "told:<id>", Stale: time.Hour} }

func (t Told) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: t.ID}} }

func (t Told) Hit(_ context.Context, key string, value string) {
	t.journal.note("hit " + key + " " + value)
}

func (t Told) Miss(_ context.Context, key string) { t.journal.note("miss " + key) }

// journal counts lines.
type journal struct {
	mu    sync.Mutex
	lines map[string]int
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lines == nil {
		j.lines = map[string]int{}
	}
	j.lines[line]++
}

// taken returns the lines since it was asked last.
func (j *journal) taken() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

func (j *journal) count(line string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines[line]
}

// Short lives shortly; Kept lives as shortly, and may stand in for a while; Part is a part of the same thing as Owner
// with a life of its own.
type (
	Short struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	Kept struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
	Part struct {
		cacheme.Node[string]
		Book int64 `cacheme:"field"`
	}
)

const (
	shortly   = 400 * time.Millisecond
	aLittle   = 600 * time.Millisecond
	twoSecond = 2 * time.Second
)

func (Short) Meta() cacheme.Meta { return cacheme.Meta{Key: "short:<book>", TTL: shortly} }
func (Kept) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "kept:<book>", TTL: shortly, Stale: aLittle}
}

func (Part) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "book:<book>", Field: "part", TTL: twoSecond}
}
