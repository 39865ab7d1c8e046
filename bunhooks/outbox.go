package bunhooks

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// OutboxOptions say how an Outbox works. The zero value is ready.
type OutboxOptions struct {
	// Table is the outbox's table: "cacheme_outbox" unless set, with its schema if it is not in the usual one. One table may
	// serve several caches; triggers (see Outbox.CreateTriggers) are made for one cache each, and so is a table that has some.
	Table string
	// Interval is the time between two looks for rows that nobody has told Redis of: 1 s unless set, and somewhat less at
	// random, so that processes do not look together. Negative: this process leaves that to others, or to Outbox.Relay.
	Interval time.Duration
	// Grace is how old a row is before anybody but its writer tells Redis: 5 s unless set. A writer that lives has told
	// Redis within milliseconds, and telling twice costs a load. What triggers write is told without it.
	Grace time.Duration
}

// Outbox keeps what each transaction makes wrong in a table of the database itself, written in that very transaction, until
// Redis has been told. A process that is killed while it holds invalidations that Redis has not got, because Redis is away
// for one, so loses nothing: any process with the same outbox finds the row and tells Redis. Rows are told at least once,
// the oldest first, and deleted then.
//
//	outbox := bunhooks.NewOutbox(bunhooks.OutboxOptions{})
//	err := outbox.Create(ctx, db) // once: a migration
//	db, err = bunhooks.Install(db, cache, bunhooks.WithOutbox(outbox))
//	defer outbox.Close(ctx)
//
// While it is installed it has one goroutine, which uses one connection of the pool at a time, for some statements, never
// inside of a transaction of the program's. It ends at Close, and by itself once it finds the database or the cache closed.
// See docs/outbox.md.
type Outbox struct {
	options OutboxOptions
	claimed atomic.Bool // an Install has it
	engine  atomic.Pointer[engine]
	table   string // quoted, with its schema

	mu   sync.Mutex
	done []string // ids of rows that Redis has been told of

	counts outboxCounts
	hurry  chan struct{} // there is much to delete
	stop   context.CancelFunc
	ended  chan struct{}
}

// NewOutbox returns an Outbox for one database. It does nothing before it is given to Install by WithOutbox; Create, Drop
// and the triggers need no Install.
func NewOutbox(o OutboxOptions) *Outbox {
	if o.Table == "" {
		o.Table = "cacheme_outbox"
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	return &Outbox{options: o, hurry: make(chan struct{}, 1)}
}

// WithOutbox has each transaction keep what it makes wrong in the outbox's table, in one statement more before its COMMIT,
// and rows that nobody has told Redis of told by this process. Install fails where the table is not there. It needs
// connections that are wrapped.
//
// A row that the database refuses does not fail the program's transaction, where the database can go on: it is committed
// without, and warned of. With RefuseOnOutage it is refused.
func WithOutbox(b *Outbox) Option { return func(o *options) { o.outbox = b } }

// OutboxStats are counts since the process began, and what is left now.
type OutboxStats struct {
	Written    uint64 // rows of this process's transactions
	Refused    uint64 // transactions whose row the database refused
	Relayed    uint64 // rows, of whomever, that this process told Redis of
	Unreadable uint64 // of these, rows that were not understood: their tables became wrong as wholes
	Failed     uint64 // looks for rows, and deletions, that failed: they are tried again
	Deletable  int    // rows that Redis has been told of and that are not deleted yet
}

type outboxCounts struct{ written, refused, relayed, unreadable, failed atomic.Uint64 }

// Stats returns what the Outbox counted in this process. For what is in the table there is Depth.
func (o *Outbox) Stats() OutboxStats {
	o.mu.Lock()
	deletable := len(o.done)
	o.mu.Unlock()
	return OutboxStats{
		Written: o.counts.written.Load(), Refused: o.counts.refused.Load(), Relayed: o.counts.relayed.Load(),
		Unreadable: o.counts.unreadable.Load(), Failed: o.counts.failed.Load(), Deletable: deletable,
	}
}

// Bounds of what waits to be deleted. What is forgotten beyond the second is told again, which costs loads and nothing else.
const (
	outboxBatch  = 200
	maxDeletable = 100_000
)

// told notes that Redis has been told of a row.
func (o *Outbox) told(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.done) < maxDeletable {
		o.done = append(o.done, id)
	}
	if len(o.done) >= outboxBatch {
		select {
		case o.hurry <- struct{}{}:
		default:
		}
	}
}

// start begins the work in the background.
func (o *Outbox) start(e *engine) {
	var ctx context.Context
	ctx, o.stop = context.WithCancel(context.Background())
	o.ended = make(chan struct{})
	o.engine.Store(e)
	go o.work(ctx, o.ended)
}

// work looks for rows until ctx ends, or the database or the cache is closed.
func (o *Outbox) work(ctx context.Context, ended chan<- struct{}) {
	defer close(ended)
	pause := max(o.options.Interval, minInterval)
	if o.options.Interval < 0 {
		pause = time.Second // of deletions
	}
	between := func() time.Duration { return pause - rand.N(pause/4+1) }
	timer := time.NewTimer(between())
	defer timer.Stop()
	for {
		due := false // deletions in a hurry put no look off, however many there are
		select {
		case <-ctx.Done():
			return
		case <-o.hurry:
		case <-timer.C:
			due = true
		}
		err := o.delete(ctx)
		if err == nil && due && o.options.Interval >= 0 {
			_, err = o.relay(ctx)
		}
		if err != nil && o.failed(ctx, err) {
			return
		}
		if due {
			timer.Reset(between())
		}
	}
}

// minInterval keeps an Interval of nanoseconds from being a busy loop.
const minInterval = time.Millisecond

// failed tells of an error in the background, and reports whether nothing can be done from now on.
func (o *Outbox) failed(ctx context.Context, err error) (over bool) {
	if ctx.Err() != nil || isOver(err) {
		return true
	}
	o.counts.failed.Add(1)
	o.engine.Load().warn.once("outbox", "cacheme cannot work off its outbox; it is tried again, and what is in it is not lost", "err", err)
	return false
}

// Close ends the work in the background, waits for it, and deletes the rows that Redis has been told of, up to the end of
// ctx. Call it before the database and the cache are closed. What is left is for other processes, or for the next one. An
// Outbox that is not installed has nothing to end. A second Close is harmless.
func (o *Outbox) Close(ctx context.Context) error {
	if o.engine.Load() == nil {
		return nil
	}
	o.stop()
	select {
	case <-o.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := o.delete(ctx); err != nil && !isOver(err) {
		return err
	}
	return nil
}

var errNotInstalled = errors.New("bunhooks: the outbox is in no database; give it to Install by WithOutbox")
