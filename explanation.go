package cacheme

import (
	"strings"
	"time"
)

// State is what has become of an entry, in a word, as it stands in JSON.
type State string

// String is the state for a person, with blanks: "made wrong".
func (s State) String() string { return strings.ReplaceAll(string(s), "_", " ") }

// The states. StateFresh is the only one in which a Get is answered by the entry without being told that it is stale.
const (
	StateFresh       State = "fresh"
	StateExpired     State = "expired"      // past its TTL, and right otherwise
	StateMadeWrong   State = "made_wrong"   // a dependency has another token than the entry was loaded under
	StateHeld        State = "held"         // a writer's transaction is open on a dependency
	StateTokenGone   State = "token_gone"   // a dependency has no token: nobody knows whether it is right
	StateBornInvalid State = "born_invalid" // nobody could tell whether its result changed while it was loaded
	StateOtherRun    State = "other_run"    // of another run of Redis, which may have come back with old data
	StateForeign     State = "foreign"      // of another type, version, codec or list of dependencies of the node
	StateGarbage     State = "garbage"      // what is under its key is no entry
	StateAbsent      State = "absent"       // there is none; Reason says why the last load here was not stored
	StateUndelivered State = "undelivered"  // this process made it wrong and could not tell Redis yet
	StateBypassed    State = "bypassed"     // the context, or the node's Skip, has Gets go past the cache
	StateDisabled    State = "disabled"     // the cache is disabled or closed
	StateAway        State = "redis_away"   // Redis does not answer, so that every Get loads
)

// Explanation says why an entry is as it is. String makes a screenful of it; its JSON has durations in nanoseconds.
type Explanation struct {
	Node   string `json:"node"` // the Go type
	Key    string `json:"key"`
	State  State  `json:"state"`
	Reason string `json:"reason"`
	// Next is what a Get would do now, in words.
	Next string `json:"next"`
	// Now is Redis's time; the times below are by the same clock, but for RefusedAt.
	Now time.Time `json:"now,omitzero"`
	// Loaded is when the load of the entry began, and Age how long ago that is. Zero: there is no entry that can be read.
	Loaded time.Time     `json:"loaded,omitzero"`
	Age    time.Duration `json:"age,omitempty"`
	// Left is what is left of its TTL, negative once that is over; Kept is how long Redis still keeps it.
	Left time.Duration `json:"left,omitempty"`
	Kept time.Duration `json:"kept,omitempty"`
	Size int           `json:"size,omitempty"` // bytes stored, dependencies included
	Tier Tier          `json:"tier,omitempty"` // where the entry is
	// Near: this process serves it itself, without asking Redis, to those who are outside of loads and have no call options.
	Near bool `json:"near,omitempty"`
	// NotFound: the entry says that there is nothing.
	NotFound bool `json:"not_found,omitempty"`
	// Lease is who loads it now; nil: nobody.
	Lease *LeaseState `json:"lease,omitempty"`
	// Refused is why the last load in this process was not stored, as far as it remembers, and RefusedAt when that was, by
	// this process's clock and not by Redis's.
	Refused   string    `json:"refused,omitempty"`
	RefusedAt time.Time `json:"refused_at,omitzero"`
	// Dependencies are those of the entry; without one, those that the node declares.
	Dependencies []DependencyState `json:"dependencies"`

	process string // that explains, as records name it
}

// LeaseState is a load under way.
type LeaseState struct {
	Owner string        `json:"owner"` // a random name
	Here  bool          `json:"here"`  // this process loads it
	Left  time.Duration `json:"left"`  // until it lapses, unless it is renewed
}

// DependencyState is one thing that an entry depends on.
type DependencyState struct {
	Name  string `json:"name"` // kind:key
	Kind  string `json:"kind"` // row, side, table, rows, class, main, columns, having or tag
	Table string `json:"table,omitempty"`
	// FromResult: the loaded value named it, or an entry that it was made of; else the node declares it.
	FromResult bool `json:"from_result,omitempty"`
	// Loaded and Now are the token that the entry was loaded under, and the present one; empty: none.
	Loaded string `json:"loaded,omitempty"`
	Now    string `json:"now,omitempty"`
	// Equal is what freshness hangs on. Of an entry that cannot be read nothing is equal.
	Equal bool `json:"equal"`
	// Wrong: the token was replaced since, or is about to be. Held: a writer's transaction is open. Missing: there is none.
	Wrong   bool `json:"wrong,omitempty"`
	Held    bool `json:"held,omitempty"`
	Missing bool `json:"missing,omitempty"`
	// Probation is until when what is loaded now is kept at most, because the token may have been lost before; zero: none.
	Probation time.Time `json:"probation,omitzero"`
	// LastWrite is the write that made the present token, and so what depends on it, wrong. It is exact, or nil; then Note
	// says why, and where one of several statements of a transaction did it OneOf has them.
	LastWrite *Write  `json:"last_write,omitempty"`
	OneOf     []Write `json:"one_of,omitempty"`
	Note      string  `json:"note,omitempty"`
}
