package torture

import (
	"time"

	"github.com/cacheme/cacheme"
)

// What is cached: nodes of every kind. All have one type of value, which names what it shows.

// Seen is the value of every node.
type Seen struct {
	Loads  []Load
	Claims []Claim
	Whole  []Group
}

func (s *Seen) says(a Aspect, of, item, stamp int64) {
	s.Claims = append(s.Claims, Claim{Fact{Group{a, of}, item}, stamp})
}

func (s *Seen) tellsAll(a Aspect, of int64) { s.Whole = append(s.Whole, Group{a, of}) }

// add takes over what a value inside this one shows.
func (s *Seen) add(in Seen) {
	s.Loads = append(s.Loads, in.Loads...)
	s.Claims = append(s.Claims, in.Claims...)
	s.Whole = append(s.Whole, in.Whole...)
}

// changed are the things that a value shows.
func changed(s Seen) (all []cacheme.Invalid) {
	for _, c := range s.Claims {
		if c.Fact.Aspect == thingIs {
			all = append(all, ThingChanged{ID: c.Fact.Of})
		}
	}
	return all
}

// The bounds that a run's values have of their own. They are short, so that they are met often.
const (
	life     = 15 * time.Second // TTL: after that also what nobody could be told of is gone
	staleAge = time.Second
	nearLag  = time.Second
)

// One is a thing by its declared row.
type One struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (One) Meta() cacheme.Meta { return cacheme.Meta{Key: "one:<id>"} }

// InvalidNodes has the row.
func (n One) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ThingChanged{ID: n.ID}} }

// Lazy is a thing that may stand in for a while.
type Lazy struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Lazy) Meta() cacheme.Meta { return cacheme.Meta{Key: "lazy:<id>", Stale: staleAge} }

// InvalidNodes has the row.
func (n Lazy) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ThingChanged{ID: n.ID}} }

// Close is a thing that stays in the process.
type Close struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Close) Meta() cacheme.Meta { return cacheme.Meta{Key: "close:<id>", Near: cacheme.On} }

// InvalidNodes has the row.
func (n Close) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ThingChanged{ID: n.ID}} }

// Labelled are the things with a label.
type Labelled struct {
	cacheme.Node[Seen]

	Label int64 `cacheme:"field"`
}

// Meta names the entry.
func (Labelled) Meta() cacheme.Meta { return cacheme.Meta{Key: "label:<label>"} }

// InvalidNodes depends on a column.
func (n Labelled) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ThingsOf{Label: n.Label}}
}

// Shelf are the things that a user has: a side of a relation, and what the result holds.
type Shelf struct {
	cacheme.Node[Seen]

	User int64 `cacheme:"field"`
}

// Meta names the entry.
func (Shelf) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:shelf"} }

// InvalidNodes leaves the thing open.
func (n Shelf) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{Places{User: n.User}} }

// ResultInvalidNodes are the things on it.
func (Shelf) ResultInvalidNodes(s Seen) []cacheme.Invalid { return changed(s) }

// Holders are the users who have a thing: the other side.
type Holders struct {
	cacheme.Node[Seen]

	Thing int64 `cacheme:"field"`
}

// Meta names the entry.
func (Holders) Meta() cacheme.Meta { return cacheme.Meta{Key: "thing:<thing>:holders"} }

// InvalidNodes leaves the user open.
func (n Holders) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{Places{Thing: n.Thing}} }

// Everything is all things: it depends on the table.
type Everything struct {
	cacheme.Node[Seen]
}

// Meta names the only entry.
func (Everything) Meta() cacheme.Meta { return cacheme.Meta{Key: "everything"} }

// InvalidNodes has the table as a whole.
func (Everything) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{AnyThing{}} }

// Page is made of other nodes, in loads of their own: a thing, a shelf, and one that is near.
type Page struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>"} }

// Noted is a note that may not be there.
type Noted struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Noted) Meta() cacheme.Meta { return cacheme.Meta{Key: "noted:<id>", Negative: life} }

// InvalidNodes has the row.
func (n Noted) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{NoteChanged{ID: n.ID}} }

// Exact is a bare row whose entry is removed by hand.
type Exact struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Exact) Meta() cacheme.Meta { return cacheme.Meta{Key: "exact:<id>", Observe: cacheme.Off} }

// Classed is a bare row that is wrong with its whole class.
type Classed struct {
	cacheme.Node[Seen]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (Classed) Meta() cacheme.Meta { return cacheme.Meta{Key: "classed:<id>", Observe: cacheme.Off} }

// ThingChanged is one thing.
type ThingChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta names the model.
func (ThingChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// ThingsOf are the things with a label.
type ThingsOf struct {
	cacheme.ModelInvalidNode

	Label int64 `cacheme:"field"`
}

// Meta names the model.
func (ThingsOf) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// AnyThing is the table.
type AnyThing struct{ cacheme.ModelInvalidNode }

// Meta names the model.
func (AnyThing) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Places are those on shelves.
type Places struct {
	cacheme.ModelInvalidNode

	User  int64 `cacheme:"field"`
	Thing int64 `cacheme:"field"`
}

// Meta names the join model.
func (Places) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Place)(nil), M2M: true} }

// NoteChanged is one note.
type NoteChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta names the model.
func (NoteChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Note)(nil)} }

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{
		One{},
		Lazy{},
		Close{},
		Labelled{},
		Shelf{},
		Holders{},
		Everything{},
		Page{},
		Noted{},
		Exact{},
		Classed{},
		ThingChanged{},
		ThingsOf{},
		AnyThing{},
		Places{},
		NoteChanged{},
	}
}
