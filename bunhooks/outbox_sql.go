package bunhooks

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// outboxSQL is how one kind of database keeps an outbox. Times are the database's own: processes have different clocks.
//
// A row has an id that begins with the time, in microseconds, and ends at random: numbers from the database would change
// what the program's own LAST_INSERT_ID, last_insert_rowid and lastval tell it. writer is the transaction that a trigger
// ran in, wrote the tables that were written, for whoever cannot read what became wrong.
type outboxSQL struct {
	create  []string // with the table, and the name of its index
	home    string   // the schema that a table is in which is named without one, for its quoted name
	now     string
	later   string // in so many milliseconds
	overdue string // for how many milliseconds the oldest row has been due
	text    string // a text from its bytes in hex: no server's rules of quoting matter
	guard   string // before and after an INSERT in a transaction that may go on without it
	release string
	regret  string    // takes a failed INSERT back
	alive   string    // tells by "1" whether the transaction is still there after that; empty: it is
	locks   string    // the end of a SELECT that takes rows which nobody else has taken
	mine    string    // chooses what triggers wrote in this transaction
	takes   bool      // DELETE .. RETURNING locks no more than the rows that it takes
	delete  [3]string // of rows by their ids, what stands before these, between them, and after them
	longest int       // of a table's name, in bytes, where the database would cut it without a word
}

func (sqlite) outbox() outboxSQL {
	const now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
	return outboxSQL{
		create: []string{
			// Without rowid, since last_insert_rowid is the program's.
			"CREATE TABLE IF NOT EXISTS %[1]s (id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, cache TEXT NOT NULL, writer TEXT, wrote TEXT NOT NULL, what TEXT NOT NULL) WITHOUT ROWID",
		},
		home:    "SELECT 'main'",
		now:     now,
		later:   now + " + %d",
		overdue: now + " - min(due_at)",
		text:    "CAST(X'%s' AS TEXT)",
		delete:  deleteIn,
	}
}

func (postgres) outbox() outboxSQL {
	const savepoint = "cacheme_outbox"
	return outboxSQL{
		create: []string{
			// IF NOT EXISTS fails where two do it at once, and whoever makes the table when it starts has neighbours: one after
			// the other. A table that is nearly empty and always changing is to be vacuumed by its changes, and not by its size.
			`DO $cacheme$ BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('cacheme outbox'));
	CREATE TABLE IF NOT EXISTS %[1]s (id text COLLATE "C" PRIMARY KEY, due_at timestamptz NOT NULL, cache text NOT NULL, writer bigint, wrote text NOT NULL, what text NOT NULL)
		WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
	CREATE INDEX IF NOT EXISTS %[2]s ON %[1]s (writer) WHERE writer IS NOT NULL;
END $cacheme$`,
		},
		home:    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
		now:     "clock_timestamp()",
		later:   "clock_timestamp() + interval '%d ms'",
		overdue: "(extract(epoch FROM clock_timestamp() - min(due_at)) * 1000)::bigint",
		text:    "convert_from(decode('%s', 'hex'), 'UTF8')",
		guard:   "SAVEPOINT " + savepoint + "; ",
		release: "; RELEASE SAVEPOINT " + savepoint,
		regret:  "ROLLBACK TO SAVEPOINT " + savepoint + "; RELEASE SAVEPOINT " + savepoint,
		locks:   " FOR UPDATE SKIP LOCKED",
		// Where it is false the index is not read at all: what a serializable transaction reads there is a conflict with
		// every other writer.
		mine:    "writer = txid_current() AND current_setting('transaction_isolation') <> 'serializable'",
		takes:   true,
		delete:  deleteIn,
		longest: 63,
	}
}

func (m mysql) outbox() outboxSQL {
	return outboxSQL{
		create: []string{
			"CREATE TABLE IF NOT EXISTS %[1]s (id varchar(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, due_at datetime(6) NOT NULL, cache varchar(255) NOT NULL, " +
				"writer varchar(64) CHARACTER SET ascii COLLATE ascii_bin, wrote text NOT NULL, what mediumtext NOT NULL, KEY %[2]s (writer)) " +
				"ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		},
		home:    "SELECT DATABASE()",
		now:     "UTC_TIMESTAMP(6)",
		later:   "UTC_TIMESTAMP(6) + INTERVAL %d000 MICROSECOND",
		overdue: "TIMESTAMPDIFF(MICROSECOND, min(due_at), UTC_TIMESTAMP(6)) DIV 1000",
		text:    "CONVERT(X'%s' USING utf8mb4)",
		// A deadlock undoes the whole transaction, and its COMMIT would say that all is well.
		alive: choose(m.maria, "SELECT @@in_transaction", "SELECT 0"),
		locks: " FOR UPDATE SKIP LOCKED",
		// A serializable SELECT locks, as below.
		mine: "writer = @cacheme_writer AND " + choose(m.maria, "@@tx_isolation", "@@transaction_isolation") + " <> 'SERIALIZABLE'",
		// A DELETE that reads the table locks what it comes across: it would wait for all who write, and they for it. That is
		// what becomes of an IN, even where the key is forced upon it; a join goes by the key, row by row.
		delete: [3]string{
			"DELETE %[1]s FROM (SELECT '' AS id UNION ALL SELECT ", " UNION ALL SELECT ",
			") cacheme_told STRAIGHT_JOIN %[1]s FORCE INDEX (PRIMARY) ON %[1]s.id = cacheme_told.id",
		},
	}
}

// deleteIn is how most delete rows.
var deleteIn = [3]string{"DELETE FROM %[1]s WHERE id IN (", ", ", ")"}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// literal is a text in a statement.
func (s outboxSQL) literal(text string) string {
	return fmt.Sprintf(s.text, hex.EncodeToString([]byte(text)))
}

// deleteRows deletes rows by their ids.
func (s outboxSQL) deleteRows(table string, ids []string) string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(s.delete[0], "%[1]s", table))
	for i, id := range ids {
		if i > 0 {
			b.WriteString(s.delete[1])
		}
		if strings.Trim(id, "0123456789abcdef") == "" { // as ours are
			b.WriteString("'" + id + "'")
		} else {
			b.WriteString(s.literal(id))
		}
	}
	return b.String() + strings.ReplaceAll(s.delete[2], "%[1]s", table)
}

// insert writes a row that is due after some time. guarded: in a transaction that is to go on where it fails.
func (s outboxSQL) insert(table string, r outboxRow, after time.Duration, guarded bool) string {
	insert := fmt.Sprintf("INSERT INTO %s (id, due_at, cache, wrote, what) VALUES ('%s', %s, %s, %s, %s)", table, r.id,
		fmt.Sprintf(s.later, after.Milliseconds()), s.literal(r.cache), s.literal(r.wrote), s.literal(r.what))
	if !guarded {
		return insert
	}
	return s.guard + insert + s.release
}

// outboxName splits the table's name and quotes it.
func (d dialect) outboxName(table string) (name sqltext.Name, quoted string, err error) {
	if space, bare, dotted := strings.Cut(table, "."); dotted {
		name = sqltext.Name{Schema: space, Table: bare}
	} else {
		name = sqltext.Name{Table: table}
	}
	if longest := d.outbox().longest; longest > 0 && len(name.Table) > longest {
		return name, "", &InstallError{Reason: fmt.Sprintf("cannot use the table %s for an outbox: the database cuts names of more than %d bytes, and another one may be cut to the same", name.Table, longest)}
	}
	return name, d.name(name), nil
}

// beside is a name for something that belongs to an outbox: the outbox as one reads it, a number that only it has together
// with what else is given, and what it is. Names that were put together by themselves would be cut, or leave out the
// schema, and so be those of another outbox: making the one would take away the other, without a word.
func beside(outbox sqltext.Name, what string, of ...string) string {
	h := fnv.New32a()
	for _, part := range append([]string{outbox.Schema, outbox.Table}, of...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	const most = 30 // of 63 bytes on PostgreSQL
	return fmt.Sprintf("%s_%08x_%s", strings.ToValidUTF8(outbox.Table[:min(len(outbox.Table), most)], ""), h.Sum32(), what)
}
