// Package envelope is the stored form of a cache entry: what one Redis string holds, as a struct and as bytes.
//
// An entry is more than its value. It carries what is needed to decide, without asking anybody else, whether the
// value may still be called fresh: the run of Redis it was written in, the shape of the type it was encoded from,
// when its load began, how long it may live, and the tokens of everything it depends on as they were before the
// load. The policy that reads these fields lives elsewhere; this package only writes and reads them.
//
// The bytes come from a shared server, so reading trusts nothing: a checksum covers every byte, each count is
// checked against the bytes that are there before memory is taken for it, and a compressed payload says its size
// before it is unpacked. Whatever is wrong is a [*CorruptError], which callers treat as a miss.
//
// # Layout
//
// All integers are little-endian; counts and lengths are uvarints.
//
//	magic "CM" | version 1 | flags 1 | codec 1 | epoch 6 | fingerprint 8 | loaded 8 | TTL 8
//	number of declared tokens | each: time 8, nonce 8
//	number of results | each: time 8, nonce 8 | each: length and bytes of its name
//	payload, up to the checksum
//	CRC-32C of all that precedes, 4
//
// An entry with five declared tokens is 121 bytes longer than its payload.
package envelope

// Token names one state of one dependency: the microseconds of Redis's clock when it came to be, and a nonce.
// The zero Token is none: it equals nothing, not even itself, so compare with [Token.Matches].
type Token struct {
	Time  uint64
	Nonce uint64
}

// IsZero reports whether t is no token at all.
func (t Token) IsZero() bool { return t == Token{} }

// Matches reports whether t and u name the same state. It is false if either is zero, so it is no equality and not
// called one: go-cmp and the like would take an Equal for their own.
func (t Token) Matches(u Token) bool { return t == u && !t.IsZero() }

// Named is a result dependency. It is kept with its name, "<kind>:<key>", because a name that was learned from the
// loaded value cannot be derived from the node again.
type Named struct {
	Name  string
	Token Token
}

// Kind tells a stored value from a stored absence.
type Kind uint8

const (
	// Value is an entry that holds an encoded value.
	Value Kind = iota
	// NotFound is a negative entry: the loader said that there is nothing. It has no payload.
	NotFound
)

// Entry is one cache entry.
type Entry struct {
	// Epoch is the run of Redis that the entry was written in.
	Epoch [6]byte
	// Fingerprint stands for type, version and codec of the value; bytes of another one must not be decoded.
	Fingerprint uint64
	// Loaded is when the load began, in microseconds of Redis's clock.
	Loaded uint64
	// TTL is how long after Loaded the entry expires, in microseconds; zero is never. Redis may keep the entry for
	// longer so that it can stand in as stale.
	TTL uint64
	// Kind is Value or NotFound.
	Kind Kind
	// Born marks an entry that was invalid when it was stored, only to stand in as stale: its tokens equal nothing.
	Born bool
	// Declared holds the tokens of the dependencies that the node declares, in the order it declares them.
	Declared []Token
	// Results holds the dependencies that were found in the loaded value.
	Results []Named
	// Codec is the id of the codec that made Payload; it means nothing here.
	Codec uint8
	// Payload is the encoded value, not compressed. It is not stored for NotFound.
	Payload []byte
}

// HeadSize is how many of the first bytes of an entry tell it from any other of its key: the load's time is among them.
const HeadSize = headerSize
