package bunhooks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/sqltx"
)

// catalog is what the database says of its tables.
type catalog struct {
	rowid    bool   // a key of one column has SQLite's other names
	standard string // the schema of a table that is named without one
	tables   map[tableID]tableFacts
	// failsHalfway: there is OR FAIL, by which a statement that fails leaves what it wrote.
	failsHalfway bool
	failing      map[string]bool // tables and views whose own rules and triggers have that; lower case
	foreign      []*foreignKey
	uniques      map[tableID][][]string // columns no two rows of a table have the same values in, besides its primary key
	triggers     []*trigger
	views        map[string]string    // lower-case name to the definition, where the database does not say which tables are in it
	hidden       []string             // views of which nothing is known
	aliases      map[string][]tableID // a view, or a part of a table, to what is written through it; lower case, without schema
	// quietCascades: what the database changes along with a row runs no triggers.
	quietCascades bool
	triggered     bool // there are triggers that write an outbox
}

// tableFacts are what is known of one table. The zero value is one that is not known.
type tableFacts struct {
	sql      string   // the name, quoted, with its schema: a connection may look names up elsewhere
	key      []string // the primary key
	columns  map[string]columnFacts
	serial   string // the column that the database numbers
	returns  bool   // whoever writes it may read its rows: no view, no row level security, no missing privilege
	locks    bool   // ... and may lock them
	marks    bool   // its rows have PostgreSQL's xmax, by which an upsert tells those that it updated
	replaces bool   // by the table's own rule, rows in the way of one that is written are deleted
	volatile bool   // it knows no transactions: what is written stays
}

// columnFacts are what is known of one column, by its name in lower case.
type columnFacts struct {
	text    bool // two texts are one value only if their bytes are equal, or the column is folded
	folded  bool // its collation, or its type, takes two texts for one value
	integer bool // it holds integers, and compares them as such
	binary  bool // it holds bytes
	plain   bool // it is neither, and every client has its values as one text
	derived bool // the database computes it when a row is written
}

// add notes a table. Of two whose names differ in case alone neither can be told from the other here.
func (c *catalog) add(id tableID, facts tableFacts) {
	if known, twin := c.tables[id]; twin {
		known.returns = false
		c.tables[id] = known
		return
	}
	facts.columns = map[string]columnFacts{}
	c.tables[id] = facts
}

// leaveOut forgets the outbox, which makes nothing wrong, and the triggers that write it: they write nothing else.
func (c *catalog) leaveOut(o *Outbox) {
	c.triggers = slices.DeleteFunc(c.triggers, func(t *trigger) bool {
		ours := strings.Contains(t.text, triggerMark)
		c.triggered = c.triggered || ours
		return ours
	})
	if o != nil {
		delete(c.tables, idOf(o.options.Table, c.standard))
	}
}

// trigger is the text that runs when rows of a table are written.
type trigger struct {
	on     tableID
	text   string
	before bool // it runs before a row is written, and may write it differently
}

type foreignKey struct {
	child, parent         tableID
	childCols, parentCols []string
	onDelete, onUpdate    action
}

// ask runs a query of the hook's own and returns its rows as text; NULL is "".
type ask func(ctx context.Context, query string) ([][]string, error)

// askConn asks on a connection that a handler has in its hands.
func askConn(c *sqltx.Conn) ask {
	return func(ctx context.Context, query string) (all [][]string, err error) {
		rows, err := c.Query(ctx, query, nil)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		dest := make([]driver.Value, len(rows.Columns()))
		for {
			if err := rows.Next(dest); errors.Is(err, io.EOF) {
				return all, nil
			} else if err != nil {
				return nil, err
			}
			all = append(all, texts(dest))
		}
	}
}

func texts(values []driver.Value) []string {
	row := make([]string, len(values))
	for i, v := range values {
		row[i] = text(v)
	}
	return row
}

// text is a value in the one way in which two readings of it are compared.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// parseAction reads what a catalog calls it.
func parseAction(s string) action {
	switch strings.ToUpper(s) {
	case "CASCADE", "C", "UNKNOWN":
		return cascades
	case "SET NULL", "N":
		return setsNull
	case "SET DEFAULT", "D":
		return setsDefault
	}
	return noAction
}
