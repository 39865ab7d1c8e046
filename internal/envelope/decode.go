package envelope

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/s2"
)

// The reasons of a [CorruptError]. They are few and fixed, so that they can label a counter.
const (
	ReasonShort    = "too short"
	ReasonMagic    = "not an entry"
	ReasonVersion  = "foreign version"
	ReasonChecksum = "checksum differs"
	ReasonLayout   = "bad layout"
	ReasonTooLarge = "payload too large"
	ReasonPayload  = "payload does not decompress"
)

// CorruptError says that bytes are not an entry that this version can read. It names no key and holds no content.
type CorruptError struct {
	// Reason is one of the Reason constants.
	Reason string
}

func (e *CorruptError) Error() string { return "envelope: corrupt entry: " + e.Reason }

// Decode reads the stored form of an entry from b. It is [Entry.Decode] into a new Entry.
func Decode(b []byte, maxRaw int) (Entry, error) {
	var e Entry
	err := e.Decode(b, maxRaw)
	return e, err
}

// Decode reads the stored form of an entry from b into e and overwrites all of it, but takes e's Declared and Results
// for the new ones where they are large enough. For an entry that is not compressed and has no results it then
// allocates nothing.
//
// Payload is a part of b unless it was stored compressed: whoever keeps the one must not change the other. A compressed
// payload that says it is longer than maxRaw bytes is refused before anything is unpacked; one that is stored plain is
// as long as it is.
//
// The error is a [*CorruptError], and e is then empty. No input makes it panic, nor take more memory than maxRaw plus
// about twice the length of b.
func (e *Entry) Decode(b []byte, maxRaw int) error {
	if reason := e.decode(b, maxRaw); reason != "" {
		*e = Entry{Declared: e.Declared[:0], Results: e.Results[:0]}
		return &CorruptError{Reason: reason}
	}
	return nil
}

func (e *Entry) decode(b []byte, maxRaw int) (reason string) {
	switch {
	// Magic and version come before length and checksum: a later version may have another header.
	case len(b) < len(magic)+1:
		return ReasonShort
	case string(b[:len(magic)]) != magic:
		return ReasonMagic
	case b[len(magic)] != version:
		return ReasonVersion
	case len(b) < headerSize+2+crcSize:
		return ReasonShort
	}
	body := b[:len(b)-crcSize]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(b[len(body):]) {
		return ReasonChecksum
	}

	// A checksum is no signature: from here on the content is whole, but still nobody's word is taken.
	flags := body[flagsAt]
	if flags&^flagsKnown != 0 {
		return ReasonLayout
	}
	e.Kind = Value
	if flags&flagNotFound != 0 {
		e.Kind = NotFound
	}
	e.Born = flags&flagBorn != 0
	e.Codec = body[4]
	copy(e.Epoch[:], body[5:])
	e.Fingerprint = binary.LittleEndian.Uint64(body[11:])
	e.Loaded = binary.LittleEndian.Uint64(body[19:])
	e.TTL = binary.LittleEndian.Uint64(body[27:])

	rest, ok := e.decodeDeclared(body[headerSize:])
	if !ok {
		return ReasonLayout
	}
	if rest, ok = e.decodeResults(rest); !ok {
		return ReasonLayout
	}
	if e.Kind == NotFound {
		e.Payload = nil
		if len(rest) > 0 || flags&flagS2 != 0 {
			return ReasonLayout
		}
		return ""
	}
	if flags&flagS2 == 0 {
		// The capacity ends with the payload: an append to it must not write over the checksum in b.
		e.Payload = slices.Clip(rest)
		return ""
	}
	return e.unpack(rest, maxRaw)
}

func (e *Entry) decodeDeclared(b []byte) (rest []byte, ok bool) {
	n, b, ok := count(b, tokenSize)
	if !ok {
		return nil, false
	}
	e.Declared = slices.Grow(e.Declared[:0], n)[:n]
	for i := range e.Declared {
		e.Declared[i] = readToken(b[i*tokenSize:])
	}
	return b[n*tokenSize:], true
}

func (e *Entry) decodeResults(b []byte) (rest []byte, ok bool) {
	// A result takes at least its token and the length of an empty name.
	n, b, ok := count(b, tokenSize+1)
	if !ok {
		return nil, false
	}
	if n == 0 {
		e.Results = e.Results[:0]
		return b, true
	}
	tokens, b := b[:n*tokenSize], b[n*tokenSize:]
	rest = b
	for range n {
		size, k := binary.Uvarint(rest)
		if k <= 0 || size > uint64(len(rest)-k) {
			return nil, false
		}
		rest = rest[k+int(size):]
	}

	// All names were seen to lie within b: one string for them all, with the lengths in between, instead of one each.
	names := string(b[:len(b)-len(rest)])
	e.Results = slices.Grow(e.Results[:0], n)[:n]
	at := 0
	for i := range e.Results {
		size, k := binary.Uvarint(b[at:])
		at += k
		e.Results[i] = Named{Name: names[at : at+int(size)], Token: readToken(tokens[i*tokenSize:])}
		at += int(size)
	}
	return rest, true
}

// count reads a number of items of which each takes at least size bytes of what follows.
func count(b []byte, size int) (n int, rest []byte, ok bool) {
	c, k := binary.Uvarint(b)
	if k <= 0 || c > uint64((len(b)-k)/size) {
		return 0, nil, false
	}
	return int(c), b[k:], true
}

func readToken(b []byte) Token {
	return Token{Time: binary.LittleEndian.Uint64(b), Nonce: binary.LittleEndian.Uint64(b[8:])}
}

func (e *Entry) unpack(packed []byte, maxRaw int) (reason string) {
	size, err := s2.DecodedLen(packed)
	if err != nil {
		return ReasonPayload
	}
	if size > maxRaw {
		return ReasonTooLarge
	}
	// Never into the old Payload: that may be a part of the bytes of an earlier entry, which somebody else holds.
	raw, err := s2.Decode(make([]byte, size), packed)
	if err != nil {
		return ReasonPayload
	}
	e.Payload = raw
	return ""
}
