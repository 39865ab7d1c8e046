package store

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/cacheme/cacheme/internal/envelope"
)

// Token is one state of one dependency.
type Token = envelope.Token

// Epoch names one run of Redis. Entries and tokens of another run are not trusted: it may have come back with an old
// snapshot.
type Epoch [6]byte

func (e Epoch) String() string { return base64.RawURLEncoding.EncodeToString(e[:]) }

// is reports whether text names the epoch, without making a string of it.
func (e Epoch) is(text string) bool {
	var own [8]byte
	base64.RawURLEncoding.Encode(own[:], e[:])
	return text == string(own[:])
}

// Dependency is what Redis knew of a dependency when it was read.
type Dependency struct {
	Exists bool   // there is a record, of this run of Redis
	Held   bool   // a writer's outcome is open: Token is the one before, and equals nothing
	Dirty  bool   // while held: something was written already
	Writer uint64 // while dirty: nonce of the last write that made it so, which the next token will have; 0: none
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
	dirtyAt   = longSize + 1
)

// parseRecord reads the record of a dependency. Anything that is not one, or is of another epoch, is missing. now is
// an estimate of Redis's time and only hints at a lapse; the script that settles asks Redis's own clock.
func parseRecord(text string, epoch Epoch, now uint64) Dependency {
	if len(text) < shortSize || !epoch.is(text[epochAt:timeAt-1]) || !separated(text, epochAt, timeAt, nonceAt, seenAt) {
		return Dependency{}
	}
	at, okTime := parseMicros(text[timeAt : timeAt+16])
	nonce, okNonce := parseNonce(text[nonceAt : nonceAt+11])
	d := Dependency{Exists: true, Held: text[0] == 'h', Token: Token{Time: at, Nonce: nonce}}
	switch {
	case !okTime || !okNonce || text[0] != 'h' && text[0] != 't':
		return Dependency{}
	case len(text) == shortSize && !d.Held:
		return d
	case len(text) < longSize || !separated(text, firstAt, baseAt, untilAt):
		return Dependency{}
	}
	var okFirst, okBase, okUntil bool
	d.First, okFirst = parseMicros(text[firstAt : firstAt+16])
	d.Base, okBase = parseNonce(text[baseAt : baseAt+11])
	d.Until, okUntil = parseMicros(text[untilAt : untilAt+16])
	switch {
	case !okFirst || !okBase || !okUntil:
		return Dependency{}
	case !d.Held && len(text) == longSize:
		return d
	case !d.Held || len(text) < dirtyAt || !separated(text, dirtyAt):
		return Dependency{}
	}
	writer, holders, found := strings.Cut(text[dirtyAt:], "|")
	if d.Dirty = writer != clean; d.Dirty {
		d.Writer, found = parseNonce(writer)
	}
	earliest, ok := earliestDeadline(holders)
	if !ok || !found {
		return Dependency{}
	}
	d.Lapsed = earliest <= now
	return d
}

// LastWritten returns the token that the last write made, of the record of a dependency of any run: while a writer's transaction
// is open, with the nonce that it will have. Zero: no write made it wrong so far. Reads change other fields of a record.
func LastWritten(record string) Token {
	var epoch Epoch
	if len(record) < shortSize {
		return Token{}
	}
	if _, err := base64.RawURLEncoding.Decode(epoch[:], []byte(record[epochAt:timeAt-1])); err != nil {
		return Token{}
	}
	d := parseRecord(record, epoch, 0)
	switch {
	case d.First == 0:
		return Token{}
	case d.Dirty:
		return Token{Time: d.Token.Time, Nonce: d.Writer}
	}
	return d.Token
}

// separated reports whether a separator stands in front of each field.
func separated(text string, fields ...int) bool {
	for _, at := range fields {
		if text[at-1] != '|' {
			return false
		}
	}
	return true
}

// earliestDeadline reads "<owner>:<deadline>,...". A hold without holders would never end, so it is none.
func earliestDeadline(holders string) (earliest uint64, ok bool) {
	for list := range strings.SplitSeq(holders, ",") {
		owner, digits, found := strings.Cut(list, ":")
		deadline, isTime := parseMicros(digits)
		if !found || owner == "" || len(digits) != 16 || !isTime {
			return 0, false
		}
		if earliest == 0 || deadline < earliest {
			earliest = deadline
		}
	}
	return earliest, true
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

// clean is what a hold has in place of the nonce of a write.
const clean = "0"

func parseNonce(text string) (uint64, bool) {
	var src [11]byte
	if len(text) != len(src) {
		return 0, false
	}
	var raw [8]byte
	copy(src[:], text)
	if n, err := base64.RawURLEncoding.Decode(raw[:], src[:]); err != nil || n != len(raw) {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw[:]), true
}
