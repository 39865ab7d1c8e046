package sqltext

// Kind is what a statement does, as far as a cache has to know.
type Kind uint8

const (
	// Unknown is a statement that is not understood: it may write whatever [Statement.Mentions] says it mentions, and may
	// control a transaction.
	Unknown Kind = iota
	// Read writes no rows.
	Read
	// Insert adds rows to one table (INSERT, REPLACE); see Conflict for the rows that are there already.
	Insert
	// Update writes the rows of one table that its clauses choose.
	Update
	// Delete removes the rows of one table that its clauses choose.
	Delete
	// Wide writes Tables, and which rows cannot be known from the text: MERGE, TRUNCATE, COPY FROM, LOAD DATA, a write inside
	// a CTE, several tables at once, SELECT INTO, UPDATE OR REPLACE, a write under EXPLAIN ANALYZE or with clauses that are
	// not understood.
	Wide
	// Schema changes the definition of Tables: CREATE, ALTER, DROP, RENAME.
	Schema
	// Call runs what the text does not show and may write anything: CALL, DO, EXECUTE, COMMIT PREPARED, XA COMMIT, DROP SCHEMA.
	Call
	// Begin begins a transaction.
	Begin
	// Commit commits the transaction; see Chain.
	Commit
	// Rollback rolls the transaction back; see Chain.
	Rollback
	// Savepoint sets the savepoint that Statement.Savepoint names.
	Savepoint
	// Release releases the savepoint that Statement.Savepoint names.
	Release
	// RollbackTo rolls back to the savepoint that Statement.Savepoint names.
	RollbackTo
	// PrepareTransaction ends the connection's transaction in a state in which another connection may commit it.
	PrepareTransaction
	// Autocommit turns MySQL's autocommit on or off; see On.
	Autocommit
	// Session writes no rows: SET, RESET, LOCK, PRAGMA, VACUUM, ANALYZE, SHOW, GRANT and their like.
	Session
)

// Conflict is what a write does about rows that are in its way.
type Conflict uint8

const (
	// ConflictFails says that the statement fails, as it does by default.
	ConflictFails Conflict = iota
	// ConflictIgnored says that the row is not written (DO NOTHING, INSERT IGNORE, OR IGNORE).
	ConflictIgnored
	// ConflictUpdates says that the row in the way is updated (DO UPDATE, ON DUPLICATE KEY UPDATE); SetColumns are the columns.
	ConflictUpdates
	// ConflictReplaces says that rows in the way are deleted, and no RETURNING tells which (REPLACE, OR REPLACE).
	ConflictReplaces
)

// Name is the name of a table, unquoted. An unquoted name of PostgreSQL is in lower case, as the database reads it; others
// stand as they are written, and compare without regard to case in SQLite.
type Name struct {
	Schema string // empty if the text has none
	Table  string
}

// Statement is one statement of a text.
type Statement struct {
	Kind Kind

	// Tables are the tables that the statement writes, in the order of the text: exactly one for Insert, Update and Delete;
	// every one that may be written for Wide; those whose definition changes for Schema, at times none. Empty for all other
	// kinds. A Wide or Schema that is not understood names everything in its text that can be a table, and more than that.
	Tables []Name

	// Conflict is what an Insert or Update does about rows in the way.
	Conflict Conflict

	// SetColumns are the columns that an Update, or the upsert of an Insert, sets: unqualified, unquoted, in the order of the
	// text. They compare as Tables do, in MySQL without regard to case. SetUnknown is true if there may be others.
	SetColumns []string
	SetUnknown bool

	// HasReturning is whether an Insert, Update or Delete has a RETURNING clause of its own.
	HasReturning bool

	// Cascade is whether a TRUNCATE or DROP names CASCADE, so that tables beyond Tables are written.
	Cascade bool

	// Savepoint is the name that Savepoint, Release and RollbackTo name: two that the database takes for the same are equal.
	Savepoint string

	// Chain is whether a Commit or Rollback begins a new transaction at once (AND CHAIN).
	Chain bool

	// On is what Autocommit sets. Turning it on commits what is open if it was off.
	On bool

	// Implicit is whether MySQL commits the open transaction before it runs this statement: DDL, TRUNCATE, LOCK TABLES, BEGIN
	// and the rest of its list. A Call or Unknown may commit without it, and Autocommit does if it was off. Always false in
	// other dialects.
	Implicit bool

	written spans
}

// Script is a text with the statements that it has.
type Script struct {
	// Statements are the statements in order, none if the text has only space and comments. A text that cannot be told apart
	// into statements is one Unknown.
	Statements []Statement
}

// Single returns the statement of a text that has exactly one.
func (s Script) Single() (*Statement, bool) {
	if len(s.Statements) != 1 {
		return nil, false
	}
	return &s.Statements[0], true
}

// Controls returns whether the text has transaction control, or may have it where it is not understood.
func (s Script) Controls() bool {
	for i := range s.Statements {
		if s.Statements[i].controls() {
			return true
		}
	}
	return false
}

func (s *Statement) controls() bool {
	switch s.Kind {
	case Begin, Commit, Rollback, Savepoint, Release, RollbackTo, PrepareTransaction, Autocommit:
		return true
	case Unknown:
		for _, word := range [...]string{"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare", "autocommit"} {
			if s.Mentions(word) {
				return true
			}
		}
	}
	return false
}
