package provenance

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// process is a service with a database and a cache of its own. It has at most one transaction, or one hold, open.
type process struct {
	db      *bun.DB
	cache   *cacheme.Cache
	dialect writes.Dialect
	shelves map[int64]int64 // what the checker knows to be committed: item to shelf

	open *transaction
	hold *cacheme.Hold
	held []made
	// commit is a COMMIT that has been held and not sent; at the tap it waits for what is to become of it.
	commit *commit
}

// transaction is what the checker knows of one: what each savepoint and the transaction itself has made, and found.
type transaction struct {
	tx     bun.Tx
	levels []level
}

type level struct {
	tx      bun.Tx
	made    []made
	shelves map[int64]int64
}

// commit is a COMMIT on its way.
type commit struct {
	made    []made
	shelves map[int64]int64
	reached chan struct{}
	fate    chan error // nil: let it through
	done    chan error
	alone   bool // of a statement without a transaction
}

// errRefused is a COMMIT that the database refuses.
var errRefused = errors.New("refused by the test")

const (
	items   = 6
	shelves = 3
	many    = time.Minute // for what has to happen, on however busy a machine
)

func newProcess(t *testing.T, d writes.Database, rdb redis.UniversalClient, prefix string, rewrite func(name, source string) string) *process {
	t.Helper()
	p := &process{dialect: d.Dialect, shelves: map[int64]int64{}}
	client := rdb
	if rewrite != nil {
		client = &guard.Client{UniversalClient: rdb, Rewrite: rewrite}
	}
	// A token that nobody loads lives for two hold times.
	options := suite.Patient(cacheme.Options{Prefix: prefix, Hold: 10 * time.Minute})
	p.cache = suite.NewCache(t, client, options, declarations()...)
	connector := &tap.Connector{Connector: d.Connector(), Around: func(_ context.Context, c tap.Call, do func() error) error {
		if w := p.commit; w != nil && c.Commits() {
			close(w.reached)
			if err := <-w.fate; err != nil {
				return err
			}
		}
		return do()
	}}
	sqldb := sql.OpenDB(bunhooks.WrapConnector(connector))
	sqldb.SetMaxOpenConns(1) // what a transaction has not committed is nobody else's
	db := bun.NewDB(sqldb, d.Bun())
	t.Cleanup(func() { must(t, db.Close()) })
	_, err := db.NewDropTable().Model((*Item)(nil)).IfExists().Exec(t.Context())
	must(t, err)
	_, err = db.NewCreateTable().Model((*Item)(nil)).Exec(t.Context())
	must(t, err)
	for id := range int64(items) {
		p.shelves[id+1] = id%shelves + 1
		_, err := db.NewInsert().Model(&Item{ID: id + 1, Shelf: id%shelves + 1}).Exec(t.Context())
		must(t, err)
	}
	p.db, err = bunhooks.Install(db, p.cache)
	must(t, err)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *process) idle() bool { return p.open == nil && p.hold == nil && p.commit == nil }

// top is the innermost savepoint of the open transaction.
func (x *transaction) top() *level { return &x.levels[len(x.levels)-1] }

// begin begins a transaction, or sets a savepoint in the one that is open.
func (p *process) begin(ctx context.Context) error {
	if p.open == nil {
		tx, err := p.db.BeginTx(ctx, nil)
		if err == nil {
			p.open = &transaction{tx: tx, levels: []level{{tx: tx, shelves: maps.Clone(p.shelves)}}}
		}
		return err
	}
	top := p.open.top()
	tx, err := top.tx.BeginTx(ctx, nil)
	if err == nil {
		p.open.levels = append(p.open.levels, level{tx: tx, shelves: maps.Clone(top.shelves)})
	}
	return err
}

// leave ends the innermost savepoint.
func (p *process) leave(keep bool) error {
	x := p.open
	top := *x.top()
	x.levels = x.levels[:len(x.levels)-1]
	if !keep {
		return top.tx.Rollback()
	}
	outer := x.top()
	outer.made, outer.shelves = append(outer.made, top.made...), top.shelves
	return top.tx.Commit()
}

// send runs a COMMIT until it is held and about to be sent.
func (p *process) send(c *commit, run func() error) error {
	c.reached, c.fate, c.done = make(chan struct{}), make(chan error), make(chan error, 1)
	p.commit = c
	go func() { c.done <- run() }()
	select {
	case <-c.reached:
		return nil
	case err := <-c.done: // it had nothing to commit
		p.commit = nil
		return err
	case <-time.After(many):
		return errors.New("a COMMIT is not sent")
	}
}

// finish lets the COMMIT through, or has it refused, and returns what was made by it.
func (p *process) finish(refuse bool) (made []made, err error) {
	c := p.commit
	var fate error
	if refuse {
		fate = errRefused
	}
	c.fate <- fate
	err = <-c.done
	p.commit = nil
	if refuse {
		if err == nil {
			return nil, errors.New("a COMMIT that was refused succeeds")
		}
		return nil, nil
	}
	p.shelves = c.shelves
	return c.made, err
}
