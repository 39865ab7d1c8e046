package model

import "fmt"

// Scenario bounds a world: who takes part, and what may go wrong.
type Scenario struct {
	Name    string
	Rows    int
	Keys    int
	Covers  [maxRows]set // the tokens that a row's writer invalidates
	Result  bool         // the last token is known only after the load
	Cold    bool         // it begins with no entry and no tokens
	Writers []script
	Readers int
	Process [maxReaders]int
	Near    bool // the process of reader 0 has a near cache
	Inside  int  // reader 0 runs inside this writer's transaction, plus one; 0: in none
	Faults  [faultKinds]uint8
	AtMost  uint8 // of the faults in all; 0: all of them
	Lacks   []Rule
	Known   []Promise // broken, and said so aloud; anything else is news
	Size    Size
}

// Size says how long a scenario takes.
type Size uint8

// The sizes: below a quarter of a million worlds, below one million, and more.
const (
	Small Size = iota
	Medium
	Large
)

// script is what one writer is going to do.
type script struct {
	mode        mode
	rows        set
	mayRollBack bool
}

const (
	first  set = 1 << 0
	second set = 1 << 1
	both       = first | second
)

// Scenarios lists all bounds within which the protocol is explored.
func Scenarios() []Scenario {
	w := func(s ...script) []script { return s }
	oneRow, shared, apart, resultRow := [2]set{first}, [2]set{first, first}, [2]set{first, second}, [2]set{second}
	alone, apart3, together := [3]int{0, 1, 2}, [3]int{0, 1, 1}, [3]int{0, 0, 1}
	anything := [faultKinds]uint8{kill: 2, evict: 2, flush: 2, lateLease: 2, pause: 2, silence: 2, restart: 2, snapshot: 2, stepBack: 2, deadLink: 2}
	fencedFirst, fencedSecond := script{fenced, first, true}, script{fenced, second, true}

	return []Scenario{
		{
			Name: "commit", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst, script{autocommit, first, false}), Faults: [faultKinds]uint8{kill: 1, lateLease: 1},
		},
		{
			Name: "two tokens", Size: Medium, Rows: 2, Keys: 2, Covers: apart, Readers: 2, Process: alone,
			Writers: w(script{fenced, both, true}, fencedSecond), Faults: [faultKinds]uint8{kill: 1},
		},
		{Name: "overlap", Size: Medium, Rows: 2, Keys: 1, Covers: shared, Readers: 3, Process: together, Writers: w(fencedFirst, fencedSecond)},
		{
			Name: "mixed", Rows: 2, Keys: 1, Covers: shared, Readers: 2, Process: together,
			Writers: w(fencedFirst, script{announced, second, true}, script{announced, second, false}),
		},
		{
			Name: "flight", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: together,
			Writers: w(fencedFirst, script{autocommit, first, false}),
		},
		{
			Name: "eviction", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: apart3,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{evict: 1, kill: 1},
		},
		{
			Name: "flush", Size: Large, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst, script{autocommit, first, true}), Faults: [faultKinds]uint8{flush: 1, kill: 1},
		},
		{
			Name: "flush, two rows", Size: Large, Rows: 2, Keys: 1, Covers: shared, Readers: 2, Process: alone,
			Writers: w(fencedFirst, fencedSecond), Faults: [faultKinds]uint8{flush: 1, kill: 1},
		},
		{
			Name: "cold", Rows: 2, Keys: 2, Covers: apart, Cold: true, Readers: 2, Process: alone,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{evict: 1, kill: 1},
		},
		{
			Name: "cold, two tokens", Size: Large, Rows: 2, Keys: 2, Covers: apart, Cold: true, Readers: 2, Process: together,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{evict: 2, flush: 1, kill: 1}, AtMost: 2,
		},
		{
			Name: "removal", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: together,
			Writers: w(script{unhooked, first, false}, fencedFirst), Faults: [faultKinds]uint8{lateLease: 1},
		},
		{
			Name: "doubt", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst, script{autocommit, first, true}), Faults: [faultKinds]uint8{silence: 1},
		},
		{
			Name: "paused", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst, script{autocommit, first, true}), Faults: [faultKinds]uint8{pause: 1, kill: 1},
		},
		// A pause alone needs no fence: the release that finds its hold gone invalidates all the same.
		{
			Name: "paused, no fence", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst, fencedFirst), Faults: [faultKinds]uint8{pause: 2}, Lacks: []Rule{FenceOnTransaction},
		},
		{
			Name: "result", Rows: 2, Keys: 2, Covers: apart, Result: true, Readers: 2, Process: together,
			Writers: w(fencedSecond), Faults: [faultKinds]uint8{evict: 1, kill: 1},
		},
		{
			Name: "result x2", Size: Medium, Rows: 1, Keys: 2, Covers: resultRow, Result: true, Readers: 2, Process: together,
			Writers: w(fencedFirst, script{announced, first, true}), Faults: [faultKinds]uint8{silence: 1, flush: 1}, AtMost: 1,
		},
		{
			Name: "clock", Rows: 1, Keys: 2, Covers: resultRow, Result: true, Readers: 2, Process: together,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{stepBack: 1, evict: 1},
		},
		{
			Name: "in transaction", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone, Inside: 1,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{evict: 1},
		},
		{
			Name: "in transaction, shared", Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: together, Inside: 1,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{evict: 1},
		},
		{
			Name: "restart", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{restart: 1, snapshot: 1, kill: 1},
		},
		{
			Name: "near", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: together, Near: true,
			Writers: w(fencedFirst, script{unhooked, first, false}),
		},
		{
			Name: "near, dead link", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: together, Near: true,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{deadLink: 1, evict: 1},
		},
		{
			Name: "near, killed writer", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: together, Near: true,
			Writers: w(fencedFirst), Faults: [faultKinds]uint8{kill: 1},
		},
		{
			Name: "near, any two faults", Size: Large, Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: together, Near: true,
			Writers: w(fencedFirst), Faults: anything, AtMost: 2,
		},
		{
			Name: "after commit", Size: Medium, Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: together,
			Writers: w(script{announced, first, true}, script{announced, first, true}),
			Faults:  [faultKinds]uint8{evict: 1, silence: 1, lateLease: 1}, AtMost: 1,
		},
		{
			Name: "any fault", Size: Large, Rows: 2, Keys: 1, Covers: shared, Readers: 2, Process: together,
			Writers: w(fencedFirst, fencedSecond), Faults: anything, AtMost: 1,
		},
		{
			Name: "any two faults", Size: Large, Rows: 1, Keys: 1, Covers: oneRow, Readers: 3, Process: apart3,
			Writers: w(fencedFirst), Faults: anything, AtMost: 2,
		},
		{
			Name: "any two, autocommit", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: alone,
			Writers: w(script{autocommit, first, true}), Faults: anything, AtMost: 2,
		},
		{
			Name: "any two, result", Size: Large, Rows: 1, Keys: 2, Covers: resultRow, Result: true, Readers: 2, Process: together,
			Writers: w(fencedFirst), Faults: anything, AtMost: 2,
		},
		// A process that is killed between its COMMIT and its invalidation tells nobody. That is what the mode gives up.
		{
			Name: "any two, after commit", Rows: 1, Keys: 1, Covers: oneRow, Readers: 2, Process: together,
			Writers: w(script{announced, first, true}), Faults: anything, AtMost: 2, Known: []Promise{RestFresh},
		},
	}
}

// scenarioNamed panics for a name that is nobody's: it must not look like a rule that nobody needs.
func scenarioNamed(name string) Scenario {
	for _, sc := range Scenarios() {
		if sc.Name == name {
			return sc
		}
	}
	panic(fmt.Sprintf("model: no scenario %q", name))
}
