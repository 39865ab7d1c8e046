package cacheme

import (
	"reflect"
	"time"
)

// Node is embedded by a struct that declares something to cache; V is the type that is cached. It has no size.
//
//	type Shelf struct {
//		cacheme.Node[[]Book]
//		User int64 `cacheme:"field"`
//	}
//
// The other fields, tagged `cacheme:"field"`, make the key: nodes whose fields mean the same share an entry. A time is an
// instant there, whatever its zone, and a pointer is what it points to. A node has a Meta method, and may have these, all with value
// receivers:
//
//	InvalidNodes() []Invalid               what makes an entry wrong, in the same order each time
//	ResultInvalidNodes(V) []Invalid        what in the loaded value makes it wrong
//	Skip(context.Context) bool             true: load, do not cache
//	Hit(context.Context, string, V)        told the key and the value that came from the cache, stale or not
//	Miss(context.Context, string)          told the key for which nothing usable was there when the call looked
//
// Exactly one of Hit and Miss is called for each Get, also for those who wait for somebody else's load; a Get that finds
// "not found" in the cache has no value to tell and calls neither, nor does one that goes past the cache.
type Node[V any] struct{}

// NodeOf is implemented by the nodes whose cached type is V: by embedding Node[V] and having a Meta method.
type NodeOf[V any] interface {
	Meta() Meta
	carries(V)
}

func (Node[V]) carries(V) {} //nolint:unused // lets a call infer V

func (Node[V]) valueType() reflect.Type { return reflect.TypeFor[V]() }

func (Node[V]) decode(c Codec, b []byte) (any, error) {
	var v V
	err := c.Unmarshal(b, &v)
	return v, err
}

// carrier is what every node has by embedding Node[V].
type carrier interface {
	valueType() reflect.Type
	decode(Codec, []byte) (any, error)
}

// Declaration is implemented by every node and invalid node.
type Declaration interface{ Meta() Meta }

// Meta is what a node or invalid node says of itself. It is asked once, at registration, on the zero value: it must
// not depend on the fields. Zero fields take the option of the same name, where there is one.
type Meta struct {
	// Key is the template, such as "user:<user>:shelf"; a hole names a field. A node needs one. An invalid node on a
	// model may leave it out: it is derived from the model and the fields.
	Key string
	// Field makes the node a part of a main thing: with Key "book:<id>" and Field "owner" the key is book:100>owner.
	// Parts are cached and made wrong apart, and dropped together by Main. Letters, digits, '_', '-' and '.'.
	Field string
	// TTL is how long an entry lives at most. It is shortened by a random part of up to a tenth, as Negative is, so that
	// what was loaded together does not expire together. See Refresh for entries that never expire under their readers.
	TTL time.Duration
	// Stale is how long past invalidation or expiry an old value may stand in while one caller reloads it.
	// Zero means the option's value, which is off unless set; negative means never.
	Stale time.Duration
	// StaleIfError is how long past invalidation or expiry an old value may stand in when its load fails.
	// Zero means the option's value, which is off unless set; negative means never.
	StaleIfError time.Duration
	// Refresh is the part of an entry's life after which a hit has it loaded again, in the background and once in the
	// fleet, while everybody goes on being served the one that is there, which is still fresh: 0.8 is from 80 % of it on. An
	// entry that is asked for at least once in the rest never expires under its readers, if its loads succeed. Zero: no.
	// Its life is the TTL as jitter shortened it, or Negative, or that of a value inside it which ends first.
	//
	// The load runs with the context values of the hit and without its deadline, after its Get has returned: the loader, and
	// what it refers to, must allow that. If it fails the entry stays as it is, and each process tries again
	// after an eighth of the rest, at the earliest after a second. Options.Refresh bounds what all this costs.
	Refresh float64
	// Negative is how long "not found" (a loader's sql.ErrNoRows or ErrNotFound) is cached. Zero: it is not. Whatever
	// makes an entry of the node wrong ends it.
	Negative time.Duration
	// Version is changed by hand when the meaning of the cached value changes and its Go type does not. Entries of
	// another version, or another type, are misses.
	Version int
	// Codec turns values into bytes and back. Nil: the option's.
	Codec Codec
	// Compress compresses values of at least Options.CompressOver bytes where that makes them smaller.
	Compress Switch
	// MaxValue is the largest encoded value, in bytes, that is stored; a larger one is returned and not stored.
	MaxValue int
	// Copy gives every caller a value of his own, decoded anew. Without it those who wait for the same load share its
	// value and must not change it.
	Copy bool
	// Near keeps decoded values in the process too: On. A Get is then answered without asking Redis, by a value that may be
	// Options.Near.Lag behind; see NearOptions. The value is shared by all who get it, who must not change it, unless Copy is
	// set.
	Near Switch
	// Verify is Off for a node whose hits are never verified, whatever Options.Verify says (On says nothing more than Default): its loader's result depends on more than
	// what can make it wrong.
	Verify Switch

	// Observe says what becomes of what loaders are seen to read: On compares it with what the node declares and tells what
	// is missing, by EventUndeclared; Off does not; Default is the option's. Auto makes it what entries depend on, besides
	// what is declared: see docs/observe.md for what has to be seen for that, and what it costs.
	Observe Switch

	// Model, for an invalid node, is a nil pointer to the bun model whose rows make entries wrong: (*Book)(nil).
	Model any
	// M2M, for an invalid node, says that Model is the join model of a many-to-many relation, and the node's two
	// fields are its sides.
	M2M bool
}

// Switch is a setting that may be left to the next wider one.
type Switch int8

// The values of a Switch. Default leaves it to the option.
const (
	Default Switch = iota
	On
	Off
	Auto // for Meta.Observe alone
)

func (s Switch) or(option bool) bool {
	if s == Default {
		return option
	}
	return s == On
}

// Codec turns a cached value into bytes and back. A value has to come back as it was, and Unmarshal has to survive any
// bytes: they come from a shared server. It must not keep b as a part of the value: with Meta.Copy it is given the same bytes
// again for the next caller. Name is part of what an entry is recognised by.
type Codec interface {
	Name() string
	Marshal(v any) ([]byte, error)
	Unmarshal(b []byte, v any) error // v is a pointer to the cached type
}
