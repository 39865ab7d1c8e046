package bunhooks

import (
	"context"
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
	switch control(event) {
	case "BEGIN":
		h.blind.begin()
		if h.engine.rules.Off(guard.TransactionBypasses) {
			return ctx
		}
		return cacheme.Bypass(ctx)
	case "":
		if !sqltext.IsRead(event.Query) {
			ctx, witness := sqltx.Watch(ctx)
			return context.WithValue(ctx, witnessKey{}, witness)
		}
	}
	return ctx
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
	case "COMMIT", "ROLLBACK":
		h.blind.end(ctx, h)
	case "":
		witness, ok := ctx.Value(witnessKey{}).(*sqltx.Witness)
		if ok && !witness.Seen() && (event.Err == nil || h.blind.on.Load()) && !sqltext.IsRead(event.Query) {
			h.blind.wrote(ctx, h, event.Query)
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
	open   int
	tables []*table // written while transactions were open
}

func (b *blind) begin() {
	if !b.on.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
}

// wrote makes the tables of a text wrong, and remembers them while a transaction may be open around it.
func (b *blind) wrote(ctx context.Context, h *QueryHook, query string) {
	e := h.engine
	v := e.watch().judge(sqltext.Parse(e.dialect.text, query), touched(ctx))
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
	e.invalidate(context.WithoutCancel(ctx), invalidsOf(tables))
}

// end makes wrong whatever was written while this transaction was open, by whomever.
func (b *blind) end(ctx context.Context, h *QueryHook) {
	if !b.on.Load() {
		return
	}
	b.mu.Lock()
	b.open = max(0, b.open-1)
	tables := b.tables
	if b.open == 0 {
		b.tables = nil
	}
	b.mu.Unlock()
	if len(tables) > 0 {
		e := h.engine
		e.invalidate(context.WithoutCancel(ctx), invalidsOf(tables))
	}
}
