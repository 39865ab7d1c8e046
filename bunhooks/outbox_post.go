package bunhooks

import (
	"context"
	"fmt"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// posted is what a COMMIT makes wrong, and the row of the outbox that says so.
type posted struct {
	invalids []cacheme.Invalid
	row      outboxRow // without an id: there is none
}

// post keeps what a transaction makes wrong in the outbox, within it. What triggers have kept there of the same
// transaction is taken over: what they know beyond what is known here is made wrong along with the rest. An error means
// that nothing may be committed.
//
// A row of what is no transaction is written before the statement: it may be told too early, see settle.
func (e *engine) post(ctx context.Context, c *sqltx.Conn, effects []effect, all []*written, in place) (posted, error) {
	o := e.outbox
	if o == nil || e.rules.Off(guard.OutboxWithWrite) {
		return posted{invalids: invalidsIn(effects)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	inside := in != outside || c.Tx() != nil
	// What is outside may leave the transaction open: what triggers wrote would be told before its time, and not again.
	if in != outside && e.watch().catalog.triggered {
		more, err := e.takeOver(ctx, c, all)
		switch {
		case isAborted(err):
			return posted{invalids: invalidsIn(effects)}, nil
		case err != nil:
			return posted{}, fmt.Errorf("cacheme: take over from the outbox what triggers wrote: %w", err)
		}
		effects, all = append(effects, e.effects(more)...), append(all, more...)
	}
	p := posted{invalids: invalidsIn(effects)}
	s, row := e.dialect.outbox(), e.newRow(effects, all)
	_, err := c.Exec(ctx, s.insert(o.table, row, o.options.Grace, inside), nil)
	switch {
	case err == nil:
		o.counts.written.Add(1)
		p.row = row
		return p, nil
	case isAborted(err):
		return p, nil // the transaction had failed before, and its COMMIT says so
	}
	o.counts.refused.Add(1)
	if e.refuse {
		return posted{}, fmt.Errorf("%w, and its outbox cannot be written: %w", ErrRefused, err)
	}
	e.warn.once("outbox row", "cacheme cannot write a row of its outbox: what the transaction makes wrong is lost if the process is killed before Redis is told", "err", err)
	if inside && !e.goesOn(ctx, c, s) {
		return posted{}, fmt.Errorf("cacheme: write the outbox: %w", err)
	}
	return p, nil
}

// goesOn takes a failed INSERT back, and reports whether the transaction is there as it was. Where it is the server that
// refuses to go on, the COMMIT says so itself.
func (e *engine) goesOn(ctx context.Context, c *sqltx.Conn, s outboxSQL) bool {
	if s.regret != "" {
		_, _ = c.Exec(ctx, s.regret, nil)
	}
	if s.alive == "" {
		return true
	}
	rows, err := askConn(c)(ctx, s.alive)
	return err == nil && len(rows) == 1 && rows[0][0] == "1"
}

// delivered goes on with what was posted, once the COMMIT has ended in outcome. A row that Redis has been told of is to be
// deleted. One that was written outside of a transaction may have been told before its write was committed: where Redis
// has not been told since, there has to be one from after it. In doubt the row is left: it is there if the COMMIT was.
func (e *engine) delivered(ctx context.Context, c *sqltx.Conn, p posted, in place, outcome error, told bool) {
	switch {
	case p.row.id == "" || outcome != nil:
	case told:
		e.outbox.told(p.row.id)
	case in == outside:
		e.postAgain(ctx, c, p)
	}
}

func (e *engine) postAgain(ctx context.Context, c *sqltx.Conn, p posted) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := p.row
	again.id = newRowID()
	if _, err := c.Exec(ctx, e.dialect.outbox().insert(e.outbox.table, again, e.outbox.options.Grace, c.Tx() != nil), nil); err != nil {
		e.outbox.counts.refused.Add(1)
	}
}
