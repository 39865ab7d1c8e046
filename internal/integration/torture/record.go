package torture

import (
	"github.com/cacheme/cacheme"
)

// Time is a moment by a clock that all processes of the machine share, in nanoseconds.
type Time int64

// Record is something that a process tells the judge. One of its parts is set.
type Record struct {
	Process int
	Read    *Read
	Write   *Write
	Held    *Held
	End     *End
	State   *State
}

// Read is a Get that has returned.
type Read struct {
	Kind       string // as kinds has it
	ID         int64
	Start, End Time
	Claims     []Claim
	Whole      []Group // of which the value tells every fact: what it leaves out, it says is not there
	Tier       cacheme.Tier
	Stale      bool
	Failed     string // the error of a Get that had none to return
	Away       bool   // the process did without Redis at some time between Start and End
	Process    int
	// Loads are those that the value came from, its own first; none where the node does not tell.
	Loads []Load
	// Joined: the value came from a load of the same process that may have begun before the read. A value that is not from
	// Redis is, since loads that are over are shared with nobody; of GetMany, which does not tell where a value is from, one
	// whose loader was at work not long before: storing is a part of a load.
	Joined bool
}

// Load is one run of a loader.
type Load struct {
	Process int
	Number  int64
	Began   Time
}

// Claim is what a value says of a fact.
type Claim struct {
	Fact  Fact
	Stamp int64
}

// Write is a write that begins. It is told before it does anything, so that a process that is killed has told of it.
type Write struct {
	Stamp  int64
	Kind   string
	Things []int64 // whose stamp it means to set
	Start  Time
}

// Held tells that a write has placed its hold.
type Held struct {
	Stamp int64
	At    Time
}

// Outcome is what a write came to.
type Outcome string

// The outcomes.
const (
	Committed Outcome = "committed"
	Undone    Outcome = "rolled back"
	Failed    Outcome = "failed" // whether it was committed its error does not tell
)

// End is a write that has returned.
type End struct {
	Stamp   int64
	At      Time
	Outcome Outcome
	Kept    bool   // its invalidation was kept for later
	Error   string // of Failed
}

// State is how far a process has come.
type State struct {
	At      Time
	Drained bool // at At there was nothing kept of writes that had ended by Upto
	Upto    Time
	Ended   bool   // it has ended in good order
	Loads   uint64 // that it has run so far
	Lost    int    // of Ended: invalidations that it could not deliver
}
