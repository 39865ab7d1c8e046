package cacheme

// Invalid is something that makes entries wrong: an invalid node, or what Class, Table, Main and Tag return; for
// Invalidate and Hold also what Row, Having, Named and By do.
type Invalid interface {
	Declaration
	invalid()
}

// InvalidNode is embedded by a struct that declares something that makes entries wrong and is not a row of a model: it
// is invalidated by hand. It has no size.
type InvalidNode struct{}

func (InvalidNode) invalid() {}

// ModelInvalidNode is embedded by a struct that declares which rows of a bun model make entries wrong. Its Meta names
// the model. It has no size.
//
// Its fields are columns of the model; the name of a relation stands for its foreign key. A node on the primary key
// is wrong when that row is written; one on other columns when a row that has, or had, those values is written. With
// M2M the two fields are the sides of the join model, and a side left at its zero value is open: the node then stands
// for all rows of the other side (by hand, Invalidate of such a node makes wrong the lists and pairs of that side, and not
// the lists of the other one, which nobody can name). A pointer field makes zero a value and nil the open side. With both sides open, or
// without fields, the node stands for the whole table.
type ModelInvalidNode struct{}

func (ModelInvalidNode) invalid() {} //nolint:unused // makes it an Invalid

func (ModelInvalidNode) ofModel() {}

// reference is an Invalid that is no declaration of the user's.
type reference struct {
	InvalidNode
	kind kind
	name string
	node any // a node whose key is meant
}

func (reference) Meta() Meta { return Meta{} }

// Class stands for all entries of node class N.
func Class[N Declaration]() Invalid {
	return reference{kind: classKind, name: className(typeOf[N]())}
}

// Table stands for everything that depends on any row of a table, by its SQL name, "schema.books" or "books".
func Table(name string) Invalid { return reference{kind: tableKind, name: name} }

// Tag stands for all entries that were given this tag; it is the invalid node whose key is the tag.
func Tag(name string) Invalid { return reference{kind: tagKind, name: name} }

// Main stands for all parts (Meta.Field) of the main key that node has.
func Main(node Declaration) Invalid { return reference{kind: mainKind, node: node} }
