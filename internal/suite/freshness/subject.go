package freshness

import (
	"context"
	"testing"

	"github.com/cacheme/cacheme"
)

type book struct {
	ID int64 `bun:"id,pk"`
}

type user struct {
	ID int64 `bun:"id,pk"`
}

type userBook struct {
	UserID int64 `bun:"user_id,pk"`
	User   *user `bun:"rel:belongs-to,join:user_id=id"`
	BookID int64 `bun:"book_id,pk"`
	Book   *book `bun:"rel:belongs-to,join:book_id=id"`
}

type bookChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (bookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*book)(nil)} }

type userBooks struct {
	cacheme.ModelInvalidNode
	User int64 `cacheme:"field"`
	Book int64 `cacheme:"field"`
}

func (userBooks) Meta() cacheme.Meta { return cacheme.Meta{Model: (*userBook)(nil), M2M: true} }

type prices struct {
	cacheme.InvalidNode
	Shop int64 `cacheme:"field"`
}

func (prices) Meta() cacheme.Meta { return cacheme.Meta{Key: "shop:<shop>:prices"} }

// The nodes hold the version that their loader found. Each depends on one kind of thing, besides its class.
type (
	byRow struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	byMain struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	byTag struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	bySide struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	byPair struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	byResult struct {
		cacheme.Node[int64]
		ID   int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	// staleByResult may stand in, so that a value that was born invalid is stored too.
	staleByResult struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
)

func (byRow) Meta() cacheme.Meta    { return cacheme.Meta{Key: "by:row:<id>"} }
func (byMain) Meta() cacheme.Meta   { return cacheme.Meta{Key: "by:main:<id>", Field: "part"} }
func (byTag) Meta() cacheme.Meta    { return cacheme.Meta{Key: "by:tag:<id>"} }
func (bySide) Meta() cacheme.Meta   { return cacheme.Meta{Key: "by:side:<id>"} }
func (byPair) Meta() cacheme.Meta   { return cacheme.Meta{Key: "by:pair:<id>"} }
func (byResult) Meta() cacheme.Meta { return cacheme.Meta{Key: "by:result:<id>:<book>"} }
func (staleByResult) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "stale:result:<id>", Stale: staleAge}
}

func (n byRow) InvalidNodes() []cacheme.Invalid  { return []cacheme.Invalid{bookChanged{ID: n.ID}} }
func (n byTag) InvalidNodes() []cacheme.Invalid  { return []cacheme.Invalid{prices{Shop: n.ID}} }
func (n bySide) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{userBooks{User: n.ID}} }
func (n byPair) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{userBooks{User: n.ID, Book: n.ID}}
}

func (n byResult) ResultInvalidNodes(int64) []cacheme.Invalid {
	return []cacheme.Invalid{bookChanged{ID: n.Book}}
}

func (n staleByResult) ResultInvalidNodes(int64) []cacheme.Invalid {
	return []cacheme.Invalid{bookChanged{ID: n.ID}}
}

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{
		bookChanged{},
		userBooks{},
		prices{},
		byRow{},
		byMain{},
		byTag{},
		bySide{},
		byPair{},
		byResult{},
		staleByResult{},
		outer{},
		middle{},
		inner{},
		hardyInner{},
		briefInner{},
		staleOuter{},
	}
}

// question is one Get.
type question struct {
	id     int64
	load   func(context.Context) (int64, error)
	missed func() // nothing usable was there when the call looked
	force  bool   // Refresh
}

// subject is something to read and a way to make it wrong.
type subject struct {
	name string
	bind func(testing.TB, *cacheme.Cache) func(context.Context, question) (int64, error)
	// wrong is what a write invalidates; nil where it removes the entry instead.
	wrong  func(id int64) cacheme.Invalid
	remove func(ctx context.Context, c *cacheme.Cache, id int64) error
	// refreshes: a question may be asked with force.
	refreshes bool
}

func (s subject) write(ctx context.Context, c *cacheme.Cache, id int64) error {
	if s.wrong == nil {
		return s.remove(ctx, c, id)
	}
	return c.Invalidate(ctx, s.wrong(id))
}

func subjectOf[N cacheme.NodeOf[int64]](name string, node func(id int64) N, wrong func(id int64) cacheme.Invalid) subject {
	return subject{
		name:      name,
		wrong:     wrong,
		refreshes: true,
		bind: func(_ testing.TB, c *cacheme.Cache) func(context.Context, question) (int64, error) {
			return func(ctx context.Context, q question) (int64, error) {
				b, err := cacheme.Bind(c, func(ctx context.Context, _ N) (int64, error) { return q.load(ctx) })
				if err != nil {
					return 0, err
				}
				missed := cacheme.OnMiss(func(context.Context, string) { q.missed() })
				if q.force {
					return b.Refresh(ctx, node(q.id), missed)
				}
				return b.Get(ctx, node(q.id), missed)
			}
		},
		remove: func(ctx context.Context, c *cacheme.Cache, id int64) error { return c.Remove(ctx, node(id)) },
	}
}

// memoByTag is a function whose entries have a tag.
func memoByTag(name string) subject {
	const tag = "prices of the day"
	return subject{
		name:  name,
		wrong: func(int64) cacheme.Invalid { return cacheme.Tag(tag) },
		bind: func(t testing.TB, c *cacheme.Cache) func(context.Context, question) (int64, error) {
			memo, err := cacheme.Memo(c, cacheme.Memoized[question, int64]{
				Meta:   cacheme.Meta{Key: "by:memo:<id>"},
				Values: func(q question) []any { return []any{q.id} },
				Tags:   []string{tag},
				Miss:   func(_ context.Context, _ string, q question) { q.missed() },
			}, func(ctx context.Context, q question) (int64, error) { return q.load(ctx) })
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, q question) (int64, error) {
				if q.force {
					return memo.Refresh(ctx, q)
				}
				return memo.Get(ctx, q)
			}
		},
	}
}

func rowNode(id int64) byRow          { return byRow{ID: id} }
func resultNode(id int64) byResult    { return byResult{ID: id, Book: id} }
func sideNode(id int64) bySide        { return bySide{ID: id} }
func pairNode(id int64) byPair        { return byPair{ID: id} }
func rowOf(id int64) cacheme.Invalid  { return bookChanged{ID: id} }
func sideOf(id int64) cacheme.Invalid { return userBooks{User: id} }
func pairOf(id int64) cacheme.Invalid { return userBooks{User: id, Book: id} }
func everyBook(int64) cacheme.Invalid { return cacheme.Table("books") }

func row() subject    { return subjectOf("row", rowNode, rowOf) }
func result() subject { return subjectOf("result dependency", resultNode, rowOf) }
func exact() subject  { return subjectOf("exact entry", rowNode, nil) }

// subjects are all the ways in which an entry becomes wrong.
func subjects() []subject {
	return []subject{
		row(),
		result(),
		exact(),
		subjectOf("class", rowNode, func(int64) cacheme.Invalid { return cacheme.Class[byRow]() }),
		subjectOf("main key", func(id int64) byMain { return byMain{ID: id} },
			func(id int64) cacheme.Invalid { return cacheme.Main(byMain{ID: id}) }),
		subjectOf("plain invalid node", func(id int64) byTag { return byTag{ID: id} },
			func(id int64) cacheme.Invalid { return prices{Shop: id} }),
		memoByTag("tag of a memo"),
		subjectOf("table", rowNode, everyBook),
		subjectOf("table of a result", resultNode, everyBook),
		subjectOf("m2m side", sideNode, sideOf),
		subjectOf("m2m side by a pair", sideNode, pairOf),
		subjectOf("m2m pair", pairNode, pairOf),
		subjectOf("m2m pair by a side", pairNode, sideOf),
	}
}
