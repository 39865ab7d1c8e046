// Package crash holds the promise that nothing is lost against processes that are killed: by SIGKILL at every point
// around a COMMIT and in the middle of a load, so that no deferred call and no journal of theirs has a say. From the
// kill on every read of another process has to be fresh, and after the hold's deadline all has to be as if nobody had
// ever died.
//
// A test binary starts itself as the process that dies, which then obeys an [Order].
package crash

import (
	"database/sql/driver"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Point is where a process stands when it is killed.
type Point string

// The points. Stopped and StoppedLoading are for a process that goes on: it waits for a line, and tells how it ended.
const (
	BeforeHold     Point = "before the hold"
	InHold         Point = "in the middle of the hold"
	BeforeCommit   Point = "between hold and COMMIT"
	BeforeRelease  Point = "between COMMIT and release"
	InRelease      Point = "in the middle of the release"
	Loading        Point = "while loading"
	BeforeFill     Point = "between load and fill"
	AfterFill      Point = "before it hears of its fill"
	Stopped        Point = "stopped at the COMMIT"
	StoppedLoading Point = "stopped while loading"
)

// Points are those at which a process is killed.
func Points() []Point {
	return []Point{BeforeHold, InHold, BeforeCommit, BeforeRelease, InRelease, Loading, BeforeFill, AfterFill}
}

// holds reports whether a process at the point has a hold.
func (p Point) holds() bool {
	return p == InHold || p == BeforeCommit || p == BeforeRelease || p == InRelease
}

// loads reports whether a process at the point has read what it was asked for, and writes nothing.
func (p Point) loads() bool {
	return p == Loading || p == BeforeFill || p == AfterFill || p == StoppedLoading
}

// goesOn reports whether a process at the point waits for a line.
func (p Point) goesOn() bool { return p == Stopped || p == StoppedLoading }

// commits reports whether a process at the point has committed.
func (p Point) commits() bool { return p == BeforeRelease || p == InRelease }

// Deed is what one goroutine of a process does until it stands at its point.
type Deed struct {
	Point Point
	First int64 // the first of RowsOfDeed rows
	Alone bool  // with a statement that has no transaction
}

// RowsOfDeed is how many rows a deed writes or loads: a release is some commands, so that it has a middle.
const RowsOfDeed = 4

// The versions of a row: as it was planted, and as a deed leaves it.
const (
	planted = 1
	written = 2
)

// Order is what a process is to do.
type Order struct {
	Dialect writes.Dialect
	DSN     string // of the database
	Addr    string // of the Redis
	Prefix  string
	Hold    time.Duration
	Lease   time.Duration
	Deeds   []Deed // at once
	// AfterCommit: without holds, which is what a process that is killed between COMMIT and invalidation gives up.
	AfterCommit bool
}

// Drivers open what an Order names.
type Drivers struct {
	Connector func(dsn string) (driver.Connector, error)
	Bun       func() schema.Dialect
}

// The lines that a process writes: At and the number of a deed, for each that stands at its point; End and an error, for
// one that was stopped there.
const (
	At  = "at"
	End = "end"
)
