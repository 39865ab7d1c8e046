package envelope

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/s2"
)

const (
	magic      = "CM"
	version    = 1
	headerSize = len(magic) + 3 + 6 + 3*8
	tokenSize  = 16
	flagsAt    = len(magic) + 1
	crcSize    = crc32.Size
)

const (
	flagNotFound byte = 1 << iota
	flagBorn
	flagS2
	flagsKnown = flagNotFound | flagBorn | flagS2
)

// Append appends the stored form of e to dst and returns the extended slice; nothing of e is kept or changed.
//
// A payload of at least compressOver bytes is compressed with s2, and stored so only if that makes it shorter. A
// compressOver of zero or less means never.
func (e *Entry) Append(dst []byte, compressOver int) []byte {
	start := len(dst)
	dst = slices.Grow(dst, e.sizeBound())

	var flags byte
	if e.Kind == NotFound {
		flags |= flagNotFound
	}
	if e.Born {
		flags |= flagBorn
	}
	dst = append(dst, magic...)
	dst = append(dst, version, flags, e.Codec)
	dst = append(dst, e.Epoch[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, e.Fingerprint)
	dst = binary.LittleEndian.AppendUint64(dst, e.Loaded)
	dst = binary.LittleEndian.AppendUint64(dst, e.TTL)

	dst = binary.AppendUvarint(dst, uint64(len(e.Declared)))
	for _, t := range e.Declared {
		dst = appendToken(dst, t)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Results)))
	for _, r := range e.Results {
		dst = appendToken(dst, r.Token)
	}
	// The names follow one another so that a reader can take all of them with one allocation.
	for _, r := range e.Results {
		dst = binary.AppendUvarint(dst, uint64(len(r.Name)))
		dst = append(dst, r.Name...)
	}

	if e.Kind != NotFound {
		var compressed bool
		dst, compressed = appendPayload(dst, e.Payload, compressOver)
		if compressed {
			dst[start+len(magic)+1] |= flagS2
		}
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli()))
}

// sizeBound is the size of the stored form without compression, rounded up by the spare bytes of its uvarints.
func (e *Entry) sizeBound() int {
	n := headerSize + 2*binary.MaxVarintLen64 + len(e.Declared)*tokenSize + len(e.Payload) + crcSize
	for _, r := range e.Results {
		n += tokenSize + binary.MaxVarintLen64 + len(r.Name)
	}
	return n
}

func appendToken(dst []byte, t Token) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, t.Time)
	return binary.LittleEndian.AppendUint64(dst, t.Nonce)
}

func appendPayload(dst, payload []byte, compressOver int) (_ []byte, compressed bool) {
	if compressOver > 0 && len(payload) >= compressOver {
		// Negative for what s2 cannot take in one block (4 GiB): stored as it is.
		if room := s2.MaxEncodedLen(len(payload)); room > 0 {
			dst = slices.Grow(dst, room+crcSize)
			if packed := s2.Encode(dst[len(dst):len(dst)+room], payload); len(packed) < len(payload) {
				return dst[:len(dst)+len(packed)], true
			}
		}
	}
	return append(dst, payload...), false
}

// castagnoli is the polynomial that amd64 and arm64 have an instruction for; MakeTable returns the one shared table.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
