package cacheme

import (
	"context"
	"log/slog"
	"time"
)

// EventKind says what happened.
type EventKind string

// Every Get ends in one of EventHit, EventStale, EventMiss, EventBypass and EventError.
const (
	EventHit    EventKind = "hit"    // a fresh value came from the cache
	EventStale  EventKind = "stale"  // an old value stood in
	EventMiss   EventKind = "miss"   // the value came from a load, one's own or somebody else's
	EventBypass EventKind = "bypass" // disabled, skipped, or a context of Bypass
	EventError  EventKind = "error"  // the call failed

	EventLoad           EventKind = "load"            // a loader ran; Duration and Err are its own
	EventNotStored      EventKind = "not_stored"      // a loaded value was not stored; Reason says why
	EventBornInvalid    EventKind = "born_invalid"    // a loaded value was stored as invalid: nobody could tell whether its result changed meanwhile
	EventGarbage        EventKind = "garbage"         // Redis held something under an entry's key that is no entry; Err says what
	EventForeign        EventKind = "foreign"         // an entry of another type or version of the node was met; Reason says which
	EventInvalidated    EventKind = "invalidated"     // Count dependencies were made wrong
	EventRemoved        EventKind = "removed"         // Count entries were removed
	EventKept           EventKind = "kept"            // Count invalidations could not be delivered and are kept
	EventDelivered      EventKind = "delivered"       // Count kept invalidations were delivered
	EventAway           EventKind = "redis_away"      // Redis does not answer; it is not asked until a probe succeeds
	EventBack           EventKind = "redis_back"      // Redis answers again
	EventRedisError     EventKind = "redis_error"     // one round trip failed
	EventRefilled       EventKind = "refilled"        // Count nodes were loaded again because of a write
	EventRefillDropped  EventKind = "refill_dropped"  // Count nodes were not; Reason says why
	EventRefreshed      EventKind = "refreshed"       // Count entries were loaded again before their time was over, see Meta.Refresh
	EventRefreshDropped EventKind = "refresh_dropped" // Count entries that were due were not; Reason says why
	EventVerified       EventKind = "verified"        // a hit was what its loader gives
	EventViolation      EventKind = "violation"       // a hit was wrong: Reason says where it differs, Duration how old the entry is, Explanation what it depends on
	EventUnverified     EventKind = "unverified"      // Count sampled hits could not be judged; Reason and Err say why
	EventIncomparable   EventKind = "incomparable"    // a node's loader gives what it likes; told once, Reason says what to do
	EventUndeclared     EventKind = "undeclared"      // a node reads what it does not depend on: Table, Columns, Line; Reason says what to declare. Once for each
	EventUnseen         EventKind = "unseen"          // values of a node with Observe: Auto are not stored; Reason says why. Once for each reason
	EventReplica        EventKind = "replica"         // a load of a node read a replica, and its values are not stored: Table, Line. Once for each table
	EventNear           EventKind = "near"            // values are served by this process itself from now on
	EventNearAway       EventKind = "near_away"       // nobody can show that word of all invalidations arrives: Gets of near nodes go to Redis. Err says why
	EventChanged        EventKind = "changed"         // with Near.Watch: a caller changed a value that others get too; Reason says where it differs
	EventBlind          EventKind = "blind"           // the server tells no run id: entries are shared by no other process
)

// Event is something that happened. Node is the Go type of the node, where there is one; it is safe as a label. Key is
// not: keep it out of metrics and logs, it may name a person.
type Event struct {
	Kind     EventKind
	Node     string
	Key      string
	Keys     []string // of EventLoad: the keys of a load of several nodes, Key among them; nil where it was for Key alone
	Reason   string
	Count    int
	Duration time.Duration
	Err      error
	Tier     Tier // of EventHit and EventStale

	// Of EventViolation: what Explain says of the entry.
	Explanation *Explanation

	// Of EventUndeclared: the table, the columns by which its rows were chosen, "author_id, kind", and the line of the
	// query, "shop/books.go:42". EventReplica has the table and the line, as far as they are known.
	Table, Columns, Line string
}

// tell reports an event to the observer and, where an operator should know, to the log.
func (c *Cache) tell(ctx context.Context, e Event) {
	if c.options.Observer != nil {
		c.observe(ctx, e)
	}
	level := slog.LevelDebug
	switch e.Kind {
	case EventHit, EventStale, EventMiss, EventBypass:
		return
	case EventAway, EventBack, EventKept, EventDelivered, EventBlind, EventGarbage, EventIncomparable, EventUndeclared, EventUnseen, EventReplica, EventNearAway, EventChanged:
		level = slog.LevelWarn
	case EventViolation:
		level = slog.LevelError
	default:
	}
	if !c.options.Logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("node", e.Node)}
	if e.Reason != "" {
		attrs = append(attrs, slog.String("reason", e.Reason))
	}
	if e.Table != "" || e.Line != "" {
		attrs = append(attrs, slog.String("table", e.Table), slog.String("columns", e.Columns), slog.String("line", e.Line))
	}
	if e.Count != 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	if e.Duration != 0 {
		name := "took"
		if e.Kind == EventViolation {
			name = "age"
		}
		attrs = append(attrs, slog.Duration(name, e.Duration))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("err", e.Err))
	}
	c.log(ctx, level, "cacheme "+string(e.Kind), attrs...)
}

// log is for goroutines of the cache's own too: a logger that panics must not end the process.
func (c *Cache) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	defer func() { _ = recover() }()
	c.options.Logger.LogAttrs(ctx, level, message, attrs...)
}

// observe calls the observer. Nobody's read or write fails because somebody counts it badly.
func (c *Cache) observe(ctx context.Context, e Event) {
	defer func() {
		if p := recover(); p != nil {
			c.log(ctx, slog.LevelError, "cacheme observer panicked", slog.Any("err", p))
		}
	}()
	c.options.Observer(ctx, e)
}
