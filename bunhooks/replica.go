package bunhooks

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/caller"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// roleAge is for how long a server is taken for what it was when a connection last asked it, where that can change under
// the connection. Asking is a round trip, for a load's statement only.
const roleAge = time.Second

// role is what a connection knows of its server.
type role struct {
	replica bool
	until   time.Time // zero: for ever
}

// fromReplica tells the load whose context a statement has that it reads a replica. What a transaction reads is not stored
// anyhow.
func (e *engine) fromReplica(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) {
	if c.Tx() == nil && cacheme.InLoad(ctx) && e.isReplica(ctx, c) {
		cacheme.FromReplica(ctx, caller.Line(), tablesRead(e.dialect.text, s.Text)...)
	}
}

// isReplica asks the connection's server, unless it is known.
func (e *engine) isReplica(ctx context.Context, c *sqltx.Conn) bool {
	query, lasts := e.dialect.replica()
	if query == "" {
		return false
	}
	if known, ok := c.Kept().(role); ok && (known.until.IsZero() || time.Now().Before(known.until)) {
		return known.replica
	}
	rows, err := askConn(c)(ctx, query)
	if err != nil || len(rows) != 1 || len(rows[0]) != 1 {
		if err == nil || !unanswered(err) { // else the load's own statement is about to tell
			e.warn.once("role", "cacheme cannot ask the database whether it is a replica: what a load reads of one would be stored, and be old", "err", err)
		}
		return false
	}
	now := role{replica: rows[0][0] != "0"}
	if now.replica || !lasts {
		now.until = time.Now().Add(roleAge)
	}
	c.Keep(now)
	return now.replica
}

// tablesRead are the tables that a query reads, none where that cannot be told.
func tablesRead(d sqltext.Dialect, query string) (names []string) {
	reading, err := sqltext.Reads(d, query, nil)
	if err != nil {
		return nil
	}
	for i := range reading.Sources {
		names = append(names, reading.Sources[i].Table.Table)
	}
	return names
}

type passageKey struct{}

// passage is whether a query of bun's came by an engine, which looks by itself whom it asks.
type passage struct{ seen atomic.Bool }

func passed(ctx context.Context) {
	if p, ok := ctx.Value(passageKey{}).(*passage); ok {
		p.seen.Store(true)
	}
}

// fromElsewhere takes a query that was answered on another database than the one of the hook for one of a replica: that is
// what a bun.ConnResolver is for.
func (e *engine) fromElsewhere(ctx context.Context, query string) {
	if p, ok := ctx.Value(passageKey{}).(*passage); ok && !p.seen.Load() {
		cacheme.FromReplica(ctx, caller.Line(), tablesRead(e.dialect.text, query)...)
	}
}
