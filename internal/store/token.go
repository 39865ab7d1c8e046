package store

import (
	"encoding/base64"
	"strings"

	"github.com/cacheme/cacheme/internal/envelope"
)

// Token is one state of one dependency.
type Token = envelope.Token

// Epoch names one run of Redis. Entries and tokens of another run are not trusted: it may have come back with an old
// snapshot.
type Epoch [6]byte

func (e Epoch) String() string { return base64.RawURLEncoding.EncodeToString(e[:]) }

// epochText is an epoch as records have it.
type epochText [8]byte

func (e Epoch) text() (t epochText) {
	base64.RawURLEncoding.Encode(t[:], e[:])
	return t
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

// How a record begins, see lua/token.lua: state 1, epoch 8, time 16, nonce 11, seen 1, joined by '|'. What follows has no fixed places.
const (
	epochAt   = 2
	timeAt    = epochAt + 8 + 1
	nonceAt   = timeAt + 16 + 1
	seenAt    = nonceAt + 11 + 1
	shortSize = seenAt + 1
)

// parseRecord reads the record of a dependency. Anything that is not one, or is of another epoch, is missing. now is
// an estimate of Redis's time and only hints at a lapse; the script that settles asks Redis's own clock.
func parseRecord(text string, run epochText, now uint64) Dependency {
	if len(text) < shortSize || text[epochAt:timeAt-1] != string(run[:]) || !separated(text, epochAt, timeAt, nonceAt, seenAt) {
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
	case len(text) == shortSize || text[shortSize] != '|':
		return Dependency{}
	}
	first, rest, _ := strings.Cut(text[shortSize+1:], "|")
	base, rest, okPast := strings.Cut(rest, "|")
	until, rest, goesOn := strings.Cut(rest, "|")
	var okFirst, okBase, okUntil bool
	d.First, okFirst = pastMicros(first)
	d.Base, okBase = pastNonce(base)
	d.Until, okUntil = pastMicros(until)
	switch {
	case !okPast || !okFirst || !okBase || !okUntil || goesOn != d.Held:
		return Dependency{}
	case !d.Held:
		return d
	}
	writer, holders, found := strings.Cut(rest, "|")
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

// pastMicros reads a time of a record's past, which is empty where there is none.
func pastMicros(digits string) (uint64, bool) {
	if digits == "" {
		return 0, true
	}
	n, ok := parseMicros(digits)
	return n, ok && len(digits) == 16
}

// pastNonce reads the nonce of a record's past, which is empty where there is none.
func pastNonce(text string) (uint64, bool) {
	if text == "" {
		return 0, true
	}
	return parseNonce(text)
}

// LastWritten returns the token that the last write made, of the record of a dependency of any run: while a writer's transaction
// is open, with the nonce that it will have. Zero: no write made it wrong so far. Reads change other fields of a record.
func LastWritten(record string) Token {
	if len(record) < shortSize {
		return Token{}
	}
	var run epochText
	copy(run[:], record[epochAt:])
	d := parseRecord(record, run, 0)
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

// A nonce has eleven digits of six bits each, which are two bits more than it has.
const (
	nonceSize = 11
	noDigit   = 0xff
)

// digits are the values of the characters of base64url. Each hit reads a nonce for each of its tokens, and encoding/base64
// takes four times as long for so few.
var digits = func() (values [256]byte) {
	for i := range values {
		values[i] = noDigit
	}
	for i := range len(base64url) {
		values[base64url[i]] = byte(i)
	}
	return values
}()

func parseNonce(text string) (n uint64, ok bool) {
	if len(text) != nonceSize {
		return 0, false
	}
	for i := range nonceSize - 1 {
		digit := digits[text[i]]
		if digit == noDigit {
			return 0, false
		}
		n = n<<6 | uint64(digit)
	}
	last := digits[text[nonceSize-1]]
	return n<<4 | uint64(last>>2), last != noDigit
}

// IsRecord reports whether text is the record of a dependency of some run of Redis.
func IsRecord(text string) bool {
	if len(text) < shortSize {
		return false
	}
	var run epochText
	copy(run[:], text[epochAt:])
	return parseRecord(text, run, 0).Exists
}
