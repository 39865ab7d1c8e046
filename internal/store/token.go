package store

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/cacheme/cacheme/internal/envelope"
)

// Token is one state of one dependency.
type Token = envelope.Token

// Epoch names one run of Redis. Entries and tokens of another run are not trusted: it may have come back with an old
// snapshot.
type Epoch [6]byte

func (e Epoch) String() string { return base64.RawURLEncoding.EncodeToString(e[:]) }

// Dependency is what Redis knew of a dependency when it was read.
type Dependency struct {
	Exists bool   // there is a record, of this run of Redis
	Held   bool   // a writer's outcome is open: Token is the one before, and equals nothing
	Dirty  bool   // while held: something was written already
	Lapsed bool   // while held: a deadline may have passed, a touch would settle it
	Token  Token  // zero while held on a dependency that had none
	First  uint64 // when what was loaded under Base became wrong; 0: never
	Base   uint64 // nonce of the last token that a load adopted before First
	Until  uint64 // end of probation; 0: none
}

// Record layout, see lua/token.lua: state 1, epoch 8, time 16, nonce 11, seen 1, joined by '|'.
const (
	epochAt   = 2
	timeAt    = epochAt + 8 + 1
	nonceAt   = timeAt + 16 + 1
	seenAt    = nonceAt + 11 + 1
	pastAt    = seenAt + 1
	firstAt   = pastAt + 1
	baseAt    = firstAt + 16 + 1
	untilAt   = baseAt + 11 + 1
	shortSize = pastAt
	longSize  = untilAt + 16
)

// parseRecord reads the record of a dependency. Anything that is not one, or is of another epoch, is missing. now is
// an estimate of Redis's time and only hints at a lapse; the script that settles asks Redis's own clock.
func parseRecord(text string, epoch Epoch, now uint64) Dependency {
	if len(text) < shortSize || text[1] != '|' || text[epochAt:timeAt-1] != epoch.String() {
		return Dependency{}
	}
	at, okTime := parseMicros(text[timeAt : timeAt+16])
	nonce, okNonce := parseNonce(text[nonceAt : nonceAt+11])
	d := Dependency{Exists: okTime && okNonce, Held: text[0] == 'h', Token: Token{Time: at, Nonce: nonce}}
	if !d.Exists || len(text) == shortSize {
		return d
	}
	if len(text) < longSize {
		return Dependency{}
	}
	d.First, _ = parseMicros(text[firstAt : firstAt+16])
	d.Base, _ = parseNonce(text[baseAt : baseAt+11])
	d.Until, _ = parseMicros(text[untilAt : untilAt+16])
	if d.Held && len(text) > longSize+2 {
		d.Dirty = text[longSize+1] == '1'
		d.Lapsed = anyDeadlineBefore(text[longSize+3:], now)
	}
	return d
}

// anyDeadlineBefore looks for a passed deadline in "<owner>:<deadline>,...".
func anyDeadlineBefore(holders string, now uint64) bool {
	const size = 11 + 1 + 16
	for len(holders) >= size {
		deadline, ok := parseMicros(holders[12:size])
		if ok && deadline <= now {
			return true
		}
		if len(holders) == size {
			break
		}
		holders = holders[size+1:]
	}
	return false
}

func parseMicros(digits string) (uint64, bool) {
	var n uint64
	for i := range len(digits) {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

func parseNonce(text string) (uint64, bool) {
	var src [11]byte
	var raw [8]byte
	copy(src[:], text)
	if n, err := base64.RawURLEncoding.Decode(raw[:], src[:]); err != nil || n != len(raw) {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw[:]), true
}
