package sqltx

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"
)

// Tx is a transaction that is open on a connection, however it was begun. As its connection, it is for one goroutine at
// a time.
type Tx struct {
	// Options are those that BeginTx was given, the zero value if the transaction was begun by a text.
	Options driver.TxOptions

	ctx         context.Context //nolint:containedctx // of what began it: statements of the transaction may come with another
	id          uint64
	entries     []any
	savepoints  []savepoint
	bySavepoint bool // SQLite: the first savepoint began it, and its release commits
	doubt       bool
}

// savepoint is a name and how many entries there were before it.
type savepoint struct {
	name string
	mark int
}

// ID is the transaction's number, unique below its Connector and never 0. It grows from one to the next.
func (t *Tx) ID() uint64 { return t.id }

// Context is that of the BeginTx, or of the text, that began the transaction, without its cancellation, whatever contexts
// its statements have.
func (t *Tx) Context() context.Context {
	if t.ctx == nil {
		return context.Background()
	}
	return t.ctx
}

// Add notes v with the transaction. A rollback to a savepoint set before takes it away again.
func (t *Tx) Add(v any) { t.entries = append(t.entries, v) }

// Last returns what was added last and not rolled back, nil if there is nothing.
func (t *Tx) Last() any {
	if len(t.entries) == 0 {
		return nil
	}
	return t.entries[len(t.entries)-1]
}

// Entries returns what was added and not rolled back, in order. The slice is the caller's.
func (t *Tx) Entries() []any { return slices.Clone(t.entries) }

// InDoubt reports whether something failed, or was not understood, that may have ended the transaction without a word (a
// deadlock on MySQL, a schema statement that failed there, a text of several statements). It may be open, it may be
// over: what is written in it from then on may be committed at once, and may still be rolled back. So treat it as both.
func (t *Tx) InDoubt() bool { return t.doubt }

// set stacks savepoints of one name, as PostgreSQL and SQLite do. MySQL forgets the first of two, which makes no
// difference here: where another one would be found, MySQL finds none and fails.
func (t *Tx) set(name string) {
	t.savepoints = append(t.savepoints, savepoint{name, len(t.entries)})
}

func (t *Tx) rollbackTo(name string, d Dialect) {
	i := t.find(name, d)
	if i < 0 {
		return // The database knows a savepoint that we do not: nothing is known to be rolled back.
	}
	clear(t.entries[t.savepoints[i].mark:])
	t.entries = t.entries[:t.savepoints[i].mark]
	t.savepoints = t.savepoints[:i+1]
}

func (t *Tx) release(name string, d Dialect) {
	if i := t.find(name, d); i >= 0 {
		t.savepoints = t.savepoints[:i]
	}
}

// ends reports whether the release of this savepoint commits the transaction.
func (t *Tx) ends(name string, d Dialect) bool { return t.bySavepoint && t.find(name, d) == 0 }

// find returns the last savepoint of that name. Where the dialect is not known, names that differ by case are taken for
// one, which finds the later one and so takes away less.
func (t *Tx) find(name string, d Dialect) int {
	for i, s := range slices.Backward(t.savepoints) {
		if s.name == name || d == Unknown && strings.EqualFold(s.name, name) {
			return i
		}
	}
	return -1
}
