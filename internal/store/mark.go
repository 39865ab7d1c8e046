package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Origin says what made a token. It is the first character of the token's nonce as Redis has it, so that a token tells
// its kind to whoever looks at it by hand.
type Origin byte

// The origins.
const (
	ByLoad    Origin = 'T' // a touch, where there was none: nothing was written since anybody knows
	ByWrite   Origin = 'W' // a write that left a record of itself
	BySilence Origin = 'N' // a write that left none
	ByLapse   Origin = 'L' // a hold whose writer never told how its transaction ended
	ofOwner   Origin = 'O'
)

// A nonce is 64 bits: its origin in the first 6, the slot of its record in the next 16, and 42 random ones. Beside a time
// in microseconds that keeps any two tokens of one key apart, which is all that equality asks of them: tokens of
// different keys may share a nonce, and those of one write do.
const (
	slotBits   = 16
	randomBits = 42
	slots      = 1 << slotBits
)

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func newNonce(o Origin, slot uint64) string {
	var raw [8]byte
	rand.Read(raw[:]) // never fails, see crypto/rand
	n := binary.BigEndian.Uint64(raw[:]) & (1<<randomBits - 1)
	n |= uint64(strings.IndexByte(base64url, byte(o)))<<(slotBits+randomBits) | slot%slots<<randomBits
	return NonceText(n)
}

// NonceText is a nonce as Redis has it.
func NonceText(n uint64) string {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], n)
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// randomNonce is newNonce for what leaves no record: its slot is random too.
func randomNonce(o Origin) string {
	var raw [2]byte
	rand.Read(raw[:])
	return newNonce(o, uint64(binary.BigEndian.Uint16(raw[:])))
}

// NewOwner returns a random name for the owner of a lease or a hold.
func NewOwner() string { return randomNonce(ofOwner) }

// OriginOf tells what made the token that has this nonce.
func OriginOf(nonce uint64) Origin { return Origin(base64url[nonce>>(slotBits+randomBits)]) }

// Mark is one write, as the tokens that it makes show it: they all have its nonce, by which its record is found. The zero
// Mark is a write that leaves no record.
type Mark struct {
	nonce  string
	record []byte
}

// NewMark returns a Mark whose record is kept with the tokens that are written first under it.
func (s *Store) NewMark(record []byte) Mark {
	// Slots are counted up, so that a process does not take the records of its own last writes away.
	return Mark{nonce: newNonce(ByWrite, s.slot.Add(1)), record: record}
}

// Told returns m without its record, for what is written after the first of several pipelines.
func (m Mark) Told() Mark { return Mark{nonce: m.nonce} }

func (m Mark) name() string {
	if m.nonce == "" {
		return randomNonce(BySilence)
	}
	return m.nonce
}

// recordLife is how long the record of a write is kept, unless another one takes its slot before.
const recordLife = 24 * time.Hour

func (s *Store) recordKey(nonce uint64) string {
	return fmt.Sprintf("%smeta:write:%04x", s.prefix, nonce>>randomBits&(slots-1))
}

// keep writes the record, ahead of the tokens: whoever sees one of them finds it. That Redis refuses it, being full,
// is no reason for the write to fail.
func (m Mark) keep(ctx context.Context, s *Store, pipe redis.Pipeliner) {
	if m.record == nil {
		return
	}
	n, _ := parseNonce(m.nonce)
	pipe.Set(ctx, s.recordKey(n), m.nonce+string(m.record), recordLife)
}

// Records returns the records of the writes that have these nonces, as far as they are still kept.
func (s *Store) Records(ctx context.Context, budget time.Duration, nonces []uint64) (map[uint64][]byte, error) {
	found := make(map[uint64][]byte, len(nonces))
	if len(nonces) == 0 {
		return found, nil
	}
	keys := make([]string, len(nonces))
	for i, n := range nonces {
		keys[i] = s.recordKey(n)
	}
	values, err := s.Read(ctx, budget, keys)
	if err != nil {
		return nil, err
	}
	for i, n := range nonces {
		text, _ := values.Text(i)
		// The slot may have been taken by another write since.
		if record, same := strings.CutPrefix(text, NonceText(n)); same {
			found[n] = []byte(record)
		}
	}
	return found, nil
}
