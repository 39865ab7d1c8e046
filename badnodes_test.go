package cacheme_test

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/cacheme/cacheme"
)

// Declarations with a mistake each. Their names say which.
type (
	badTagWord struct {
		cacheme.Node[int]
		User int64 `cacheme:"filed"`
		Year int   `cacheme:"field,nmae=y"`
		Kind int   `cacheme:"field,name=a-b"`
	}
	badUntagged struct {
		cacheme.Node[int]
		User int64 `cacheme:"field"`
		Page int
	}
	badUnexported struct {
		cacheme.Node[int]
		user int64 `cacheme:"field"`
	}
	badTwins struct {
		cacheme.Node[int]
		UserID int64 `cacheme:"field"`
		Owner  int64 `cacheme:"field,name=user_id"`
	}
	badKinds struct {
		cacheme.Node[int]
		Any   any            `cacheme:"field"`
		Float float64        `cacheme:"field"`
		Slice []int64        `cacheme:"field"`
		Map   map[string]int `cacheme:"field"`
		Deep  **int64        `cacheme:"field"`
	}
	badHole struct {
		cacheme.Node[int]
		User int64 `cacheme:"field"`
	}
	badField struct {
		cacheme.Node[int]
		User int64 `cacheme:"field"`
		Page int   `cacheme:"field"`
	}
	badNoKey struct{ cacheme.Node[int] }
	badText  struct {
		cacheme.Node[int]
		ID int64 `cacheme:"field"`
	}
	badGlued struct {
		cacheme.Node[int]
		A string `cacheme:"field"`
		B string `cacheme:"field"`
	}
	badPart     struct{ cacheme.Node[int] }
	badTTL      struct{ cacheme.Node[int] }
	badModel    struct{ cacheme.Node[int] }
	badBase     struct{ cacheme.Node[int] }
	badHeir     struct{ badBase }
	badBare     struct{ X int }
	badInt      int
	badReceiver struct{ cacheme.Node[[]int] }
	badShape    struct{ cacheme.Node[[]int] }
	badValue    struct{ cacheme.Node[badStored] }
	badChan     struct{ cacheme.Node[chan int] }
	badRivalA   struct {
		cacheme.Node[int]
		ID int64 `cacheme:"field"`
	}
	badRivalB struct {
		cacheme.Node[int]
		Name string `cacheme:"field"`
	}
	badRivalC struct{ cacheme.Node[int] }
)

func (badTagWord) Meta() cacheme.Meta    { return cacheme.Meta{Key: "user:<user>"} }
func (badUntagged) Meta() cacheme.Meta   { return cacheme.Meta{Key: "user:<user>"} }
func (badUnexported) Meta() cacheme.Meta { return cacheme.Meta{Key: "user"} }
func (badTwins) Meta() cacheme.Meta      { return cacheme.Meta{Key: "user:<user_id>"} }
func (badKinds) Meta() cacheme.Meta      { return cacheme.Meta{Key: "kinds"} }
func (badHole) Meta() cacheme.Meta       { return cacheme.Meta{Key: "user:<user>:page:<page>"} }
func (badField) Meta() cacheme.Meta      { return cacheme.Meta{Key: "user:<user>"} }
func (badNoKey) Meta() cacheme.Meta      { return cacheme.Meta{} }
func (badText) Meta() cacheme.Meta       { return cacheme.Meta{Key: "a key:<id>"} }
func (badGlued) Meta() cacheme.Meta      { return cacheme.Meta{Key: "glued:<a><b>"} }
func (badPart) Meta() cacheme.Meta       { return cacheme.Meta{Key: "part", Field: "the owner"} }
func (badTTL) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "ttl", TTL: -time.Second, Negative: -time.Minute, MaxValue: -1}
}

func (badModel) Meta() cacheme.Meta  { return cacheme.Meta{Key: "model", Model: (*storedBook)(nil)} }
func (badBase) Meta() cacheme.Meta   { return cacheme.Meta{Key: "base"} }
func (badBare) Meta() cacheme.Meta   { return cacheme.Meta{Key: "bare"} }
func (badInt) Meta() cacheme.Meta    { return cacheme.Meta{Key: "int"} }
func (badValue) Meta() cacheme.Meta  { return cacheme.Meta{Key: "value"} }
func (badChan) Meta() cacheme.Meta   { return cacheme.Meta{Key: "chan"} }
func (badRivalA) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>"} }
func (badRivalB) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<name>"} }
func (badRivalC) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:best"} }

func (badReceiver) Meta() cacheme.Meta                          { return cacheme.Meta{Key: "receiver"} }
func (*badReceiver) InvalidNodes() []cacheme.Invalid            { return nil }
func (*badReceiver) ResultInvalidNodes([]int) []cacheme.Invalid { return nil }
func (*badReceiver) Skip(context.Context) bool                  { return false }
func (*badReceiver) Hit(context.Context, string, []int)         {}
func (*badReceiver) Miss(context.Context, string)               {}
func (badShape) Meta() cacheme.Meta                             { return cacheme.Meta{Key: "shape"} }
func (badShape) InvalidNodes(context.Context) []cacheme.Invalid { return nil }
func (badShape) ResultInvalidNodes([]*int) []cacheme.Invalid    { return nil }
func (badShape) Skip() bool                                     { return false }
func (badShape) Hit(context.Context, []int)                     {}
func (badShape) Miss(key string)                                { _ = key }

// badStored does not come back from its bytes as it was.
type badStored struct {
	Title string
	Hook  func()
	Extra map[string]any
}

// The models of the invalid nodes below.
type (
	storedBook struct {
		ID       int64 `bun:",pk"`
		Title    string
		AuthorID int64
		Author   *storedUser `bun:"rel:belongs-to,join:author_id=id"`
	}
	storedUser struct {
		ID int64 `bun:",pk"`
	}
	storedPlace struct {
		UserID int64       `bun:",pk"`
		User   *storedUser `bun:"rel:belongs-to,join:user_id=id"`
		BookID int64       `bun:",pk"`
		Book   *storedBook `bun:"rel:belongs-to,join:book_id=id"`
	}
	// unreadable is no model: its relation does not say by which columns.
	unreadable struct {
		ID   int64       `bun:",pk"`
		Book *storedBook `bun:"rel:belongs-to,join:nothing=id"`
	}
)

type (
	badPlainNoKey struct {
		cacheme.InvalidNode
		Shop int64 `cacheme:"field"`
	}
	badPlainModel struct{ cacheme.InvalidNode }
	badNoModel    struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	badModelValue  struct{ cacheme.ModelInvalidNode }
	badModelType   struct{ cacheme.ModelInvalidNode }
	badModelColumn struct {
		cacheme.ModelInvalidNode
		Titel string `cacheme:"field"`
	}
	badSides struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
	}
	badSideKind struct {
		cacheme.ModelInvalidNode
		User float64 `cacheme:"field"`
		Book int64   `cacheme:"field"`
	}
	badUnreadable struct{ cacheme.ModelInvalidNode }
)

func (badPlainNoKey) Meta() cacheme.Meta { return cacheme.Meta{} }
func (badPlainModel) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "plain", Model: (*storedBook)(nil)}
}
func (badNoModel) Meta() cacheme.Meta    { return cacheme.Meta{Key: "book:<id>"} }
func (badModelValue) Meta() cacheme.Meta { return cacheme.Meta{Model: storedBook{}} }
func (badModelType) Meta() cacheme.Meta  { return cacheme.Meta{Model: "storedBook"} }
func (badModelColumn) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*storedBook)(nil)}
}

func (badSides) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*storedPlace)(nil), M2M: true}
}

func (badSideKind) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*storedPlace)(nil), M2M: true}
}
func (badUnreadable) Meta() cacheme.Meta { return cacheme.Meta{Model: (*unreadable)(nil)} }

// What is right.
type (
	goodNode struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	goodChange struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	// pageOf is a node for each model.
	pageOf[T any] struct {
		cacheme.Node[[]T]
		N int `cacheme:"field"`
	}
)

func (goodNode) Meta() cacheme.Meta   { return cacheme.Meta{Key: "good:<id>", TTL: time.Minute} }
func (goodChange) Meta() cacheme.Meta { return cacheme.Meta{Model: (*storedBook)(nil)} }
func (pageOf[T]) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "page:" + strings.ToLower(reflect.TypeFor[T]().Name()) + ":<n>"}
}

func (g goodNode) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{goodChange{ID: g.ID}} }
