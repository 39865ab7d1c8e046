package bunhooks

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/sqltx"
)

// children adds the rows of other tables that the database changes by itself when rows of t are deleted: it deletes them
// or takes the reference out of them. The rows of t are locked, so that nobody refers to them anew meanwhile. path are the
// tables on the way here: where one comes again it is given up, as a tree of unknown depth.
func (e *engine) children(ctx context.Context, c *sqltx.Conn, w *written, t *table, rows [][]driver.Value, over bool, path []*table) error {
	path = append(slices.Clone(path), t)
	for _, kid := range t.children {
		switch {
		case kid.onDelete == noAction || len(rows) == 0:
			continue
		case over, kid.loose, kid.onDelete == setsDefault, !kid.table.exact, !kid.table.locks, !t.readsAll(kid.parentCols), slices.Contains(path, kid.table):
			w.giveUp(kid.table)
			continue
		}
		for chunk := range slices.Chunk(rows, maxInList) {
			found, over, err := e.childRows(ctx, c, t, kid, chunk)
			if err != nil {
				return err
			}
			if over {
				w.giveUp(kid.table)
				break
			}
			w.add(kid.table, found)
			if kid.onDelete == setsNull {
				w.add(kid.table, kid.without(found))
				continue
			}
			if err := e.children(ctx, c, w, kid.table, found, false, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// childRows asks for the rows that refer to some rows of the parent, and locks them.
func (e *engine) childRows(ctx context.Context, c *sqltx.Conn, parent *table, kid child, rows [][]driver.Value) ([][]driver.Value, bool, error) {
	d := e.dialect
	var args []driver.NamedValue
	for _, row := range rows {
		for _, column := range kid.parentCols {
			args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: row[parent.position(column)]})
		}
	}
	columns := d.columns(kid.table, "")
	if len(columns) == 0 {
		columns = []string{"1"}
	}
	lock := d.lockRows
	if rehearsalOf(ctx) != nil {
		lock = ""
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + kid.table.sql +
		" WHERE " + d.in(kid.columns, len(rows)) + lock
	found, over, err := e.fetch(ctx, c, query, args)
	return found, over, err
}

// without are the rows after the reference was taken out of them.
func (c child) without(rows [][]driver.Value) [][]driver.Value {
	after := make([][]driver.Value, len(rows))
	for i, row := range rows {
		after[i] = slices.Clone(row)
		for _, column := range c.columns {
			if at := c.table.position(column); at >= 0 {
				after[i][at] = nil
			}
		}
	}
	return after
}
