package bunhooks

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// QueryHook is the half of the hook that bun calls. Writes are seen on the wrapped connections below it; it marks the
// context of a transaction, whose Gets then leave the cache alone, and it notices queries that took another way.
type QueryHook struct {
	engine    *engine
	installed bool
	blind     blind
}

var _ bun.QueryHook = (*QueryHook)(nil)

// NewQueryHook returns the bare hook, to be given to db.WithQueryHook. Install does this and returns what is wrong, which
// is here only logged.
//
// On a database whose connections are not wrapped it makes do with what bun tells it: the tables of each statement that it
// sees become wrong as a whole, at once and again when a transaction is committed. It then sees neither prepared
// statements nor what other libraries do, and between a COMMIT and the invalidation others may read what was there before.
func NewQueryHook(cache *cacheme.Cache, opts ...Option) *QueryHook {
	o := newOptions(opts)
	return &QueryHook{engine: &engine{options: o, cache: cache, warn: warner{logger: o.logger}}}
}

// Init joins the hook with the database that it is added to. bun calls it.
func (h *QueryHook) Init(db *bun.DB) {
	if err := h.install(db); err != nil {
		h.engine.logger.Error("cacheme is not installed: nothing is invalidated", "err", err)
	}
}

// BeforeQuery is called by bun.
func (h *QueryHook) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if !h.installed {
		return ctx
	}
	h.answer(ctx, event)
	switch control(event) {
	case "BEGIN":
		if h.engine.rules.Off(guard.TransactionBypasses) {
			return ctx
		}
		return cacheme.Bypass(ctx)
	case "":
		if mayWrite(ctx, event) {
			ctx, witness := sqltx.Watch(ctx)
			return context.WithValue(ctx, witnessKey{}, witness)
		}
		if cacheme.InLoad(ctx) && !h.blind.on.Load() {
			return context.WithValue(ctx, passageKey{}, new(passage))
		}
	}
	return ctx
}

// mayWrite reports whether a query may write a table: what Touches says counts whatever the query is.
func mayWrite(ctx context.Context, event *bun.QueryEvent) bool {
	return touched(ctx) != nil || !sqltext.IsRead(event.Query)
}

// control is what bun does to a transaction of its own, which no statement's context shows to a connection.
func control(event *bun.QueryEvent) string {
	if event.IQuery == nil {
		switch event.Query {
		case "BEGIN", "COMMIT", "ROLLBACK":
			return event.Query
		}
	}
	return ""
}

type witnessKey struct{}

// AfterQuery is called by bun.
func (h *QueryHook) AfterQuery(ctx context.Context, event *bun.QueryEvent) {
	if !h.installed {
		return
	}
	switch control(event) {
	case "BEGIN":
		if event.Err == nil {
			h.blind.begin()
		}
	case "COMMIT", "ROLLBACK":
		// What fails may be the second end of one transaction, ROLLBACK behind COMMIT for one: it counts as none.
		h.blind.end(ctx, h, event.Err == nil)
	case "":
		witness, ok := ctx.Value(witnessKey{}).(*sqltx.Witness)
		if ok && !witness.Seen() && (event.Err == nil || h.blind.on.Load()) && mayWrite(ctx, event) {
			h.blind.wrote(ctx, h, event.Query)
		}
		if event.Err == nil || errors.Is(event.Err, sql.ErrNoRows) {
			h.engine.fromElsewhere(ctx, event.Query)
		}
	}
}

// unwrapped warns that connections are not wrapped.
func (h *QueryHook) unwrapped() {
	h.blind.on.Store(true)
	h.engine.warn.once("unwrapped", "cacheme sees this database's transactions only in part, because its connections are not wrapped: "+
		"tables become wrong as a whole, and a moment after the COMMIT. Open it with sql.OpenDB(bunhooks.WrapConnector(connector)) or bunhooks.Open")
}

// blind makes do without the connections: it knows of transactions only that there are some, and not which write is in
// which.
type blind struct {
	on atomic.Bool

	mu     sync.Mutex
	open   int      // no less than there are: one that nobody was told the end of stays, and with it the tables
	tables []*table // written while transactions were open
}

func (b *blind) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
}

// wrote makes the tables of a text wrong, and remembers them while a transaction may be open around it.
func (b *blind) wrote(ctx context.Context, h *QueryHook, query string) {
	e := h.engine
	w := e.watch()
	script := sqltext.Parse(e.dialect.text, query)
	v := w.judge(script, touched(ctx), false)
	e.unknown(w, touched(ctx))
	if v.nothing() {
		return
	}
	if !b.on.Load() {
		h.unwrapped()
	}
	tables := v.whole().whole
	b.mu.Lock()
	b.tables = union(b.tables, tables)
	b.mu.Unlock()
	by := e.cache.NewWrite(ctx, operationOf(query, script), v.target())
	by.Whole = true
	e.invalidate(context.WithoutCancel(ctx), append([]cacheme.Invalid{cacheme.By(by)}, invalidsOf(tables)...))
}

// end makes wrong whatever was written while this transaction was open, by whomever.
func (b *blind) end(ctx context.Context, h *QueryHook, sure bool) {
	b.mu.Lock()
	if sure {
		b.open = max(0, b.open-1)
	}
	tables := b.tables
	if b.open == 0 {
		b.tables = nil
	}
	b.mu.Unlock()
	if len(tables) > 0 {
		e := h.engine
		by := cacheme.By(e.cache.NewWrite(ctx, "COMMIT", ""))
		e.invalidate(context.WithoutCancel(ctx), append([]cacheme.Invalid{by}, invalidsOf(tables)...))
	}
}
