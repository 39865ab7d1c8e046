package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// The witness is the database itself: triggers write down what every committed transaction made true, in the order of the
// commits, whoever wrote, by whatever statement, also where the database deletes rows by itself. It knows nothing of the
// cache, and the cache nothing of it.

// entry is one row of the log: a fact, what it became, and whose write that was; 0: it is not told.
type entry struct {
	seq int64
	fact
	value   int64
	version int64
}

// witness tells what was committed after an entry, in order.
type witness interface {
	since(ctx context.Context, seq int64) ([]entry, error)
}

// told are the facts that a row of a table is about; ROW stands for the row, 0 for "there is none".
var told = map[string][]struct{ aspect, of, item, value string }{
	"books": {
		{string(bookVersion), "ROW.id", "0", "ROW.version"},
		{string(bookOwner), "ROW.id", "0", "ROW.owner_id"},
		{string(booksBy), "ROW.author_id", "ROW.id", "ROW.version"},
	},
	"users": {{string(userVersion), "ROW.id", "0", "ROW.version"}},
	"user_books": {
		{string(onShelf), "ROW.user_id", "ROW.book_id", "1"},
		{string(readersOf), "ROW.book_id", "ROW.user_id", "1"},
	},
	"follows": {{string(followersOf), "ROW.followed_id", "ROW.follower_id", "1"}},
	"memberships": {{
		string(clubOf), "ROW.author_id", "ROW.user_id",
		"CASE WHEN ROW.deleted_at IS NULL THEN ROW.version ELSE 0 END",
	}},
}

// createLog makes the log and the triggers that write it.
func createLog(ctx context.Context, db bun.IDB) error {
	statements := []string{"CREATE TABLE witnessed (seq INTEGER PRIMARY KEY, aspect TEXT, of_id INTEGER, item INTEGER, value INTEGER, version INTEGER)"}
	for table := range told {
		version := "NEW.version"
		if table == "memberships" { // one that is marked as gone has the version of when it was there
			version = "CASE WHEN NEW.deleted_at IS NULL THEN NEW.version ELSE 0 END"
		}
		gone, there := facts(table, "OLD", "0"), facts(table, "NEW", "")
		for event, is := range map[string]struct {
			facts   []string
			version string
		}{
			"INSERT": {there, version},
			"UPDATE": {append(gone, there...), version},
			"DELETE": {gone, "0"},
		} {
			var rows []string
			for _, f := range is.facts {
				rows = append(rows, "("+f+", "+is.version+")")
			}
			statements = append(statements, fmt.Sprintf("CREATE TRIGGER witness_%s_%s AFTER %s ON %s BEGIN "+
				"INSERT INTO witnessed (aspect, of_id, item, value, version) VALUES %s; END",
				strings.ToLower(event), table, event, table, strings.Join(rows, ", ")))
		}
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("create the checker's log: %w", err)
		}
	}
	return nil
}

// facts are SQL: what a row says, or with a value of its own, that it says it no more.
func facts(table, row, value string) []string {
	var all []string
	for _, f := range told[table] {
		if value != "" {
			f.value = value
		}
		all = append(all, strings.ReplaceAll(fmt.Sprintf("'%s', %s, %s, %s", f.aspect, f.of, f.item, f.value), "ROW", row))
	}
	return all
}

// since reads the log past every cache.
func (d *database) since(ctx context.Context, seq int64) (all []entry, err error) {
	rows, err := d.plain.DB.QueryContext(ctx, "SELECT seq, aspect, of_id, item, value, version FROM witnessed WHERE seq > ? ORDER BY seq", seq)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.seq, &e.aspect, &e.of, &e.item, &e.value, &e.version); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
