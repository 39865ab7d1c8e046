package bunhooks

import (
	"context"
	"fmt"
	"strings"
)

// The catalog of MySQL and MariaDB. A text column counts as folded unless its collation compares bytes: the usual ones take
// upper and lower case for equal, and utf8mb4_bin still a text with and without blanks at its end. A rule of a foreign key
// that the user may not see is UNKNOWN: the worst of them.
const (
	myTables = `SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND FIND_IN_SET('select', c.PRIVILEGES) > 0,
	coalesce(e.TRANSACTIONS, '') <> 'YES', c.COLUMN_NAME, c.COLUMN_KEY, lower(c.EXTRA), coalesce(c.COLLATION_NAME, ''), lower(c.DATA_TYPE)
	FROM information_schema.TABLES t JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
	LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
	WHERE t.TABLE_TYPE <> 'VIEW' AND t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
	ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME, c.ORDINAL_POSITION`

	myForeign = `SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, coalesce(r.DELETE_RULE, 'UNKNOWN'), coalesce(r.UPDATE_RULE, 'UNKNOWN'), k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME
	FROM information_schema.KEY_COLUMN_USAGE k LEFT JOIN information_schema.REFERENTIAL_CONSTRAINTS r
	ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
	WHERE k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`

	myViews = `SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql')`

	myTriggers = `SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_STATEMENT, ACTION_TIMING FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA <> 'sys'`
)

func (mysql) catalog(ctx context.Context, q ask) (*catalog, error) {
	c := &catalog{quietCascades: true, tables: map[tableID]tableFacts{}, aliases: map[string][]tableID{}}
	fail := func(of string, err error) (*catalog, error) {
		return nil, fmt.Errorf("bunhooks: ask the database for its %s: %w", of, err)
	}
	rows, err := q(ctx, "SELECT coalesce(DATABASE(), '')")
	if err != nil {
		return fail("name", err)
	}
	c.standard = rows[0][0]
	if rows, err = q(ctx, myTables); err != nil {
		return fail("tables", err)
	}
	quote := dialect{open: '`'}.quote
	last := ""
	for _, row := range rows {
		id := newTableID(row[0], row[1], c.standard)
		if name := row[0] + "\x00" + row[1]; name != last {
			last = name
			facts := tableFacts{sql: quote(row[0]) + "." + quote(row[1]), returns: true, locks: true, volatile: row[3] == "1"}
			c.add(id, facts)
		}
		facts := c.tables[id]
		facts.returns = facts.returns && row[2] == "1"
		if row[5] == "PRI" {
			facts.key = append(facts.key, row[4])
		}
		if strings.Contains(row[6], "auto_increment") {
			facts.serial = row[4]
		}
		facts.columns[strings.ToLower(row[4])] = columnFacts{
			text:    row[7] != "" || strings.Contains(row[8], "binary") || strings.Contains(row[8], "blob"),
			folded:  row[7] != "" && !strings.HasSuffix(row[7], "_nopad_bin") && !strings.HasSuffix(row[7], "_0900_bin"),
			binary:  strings.Contains(row[8], "binary") || strings.Contains(row[8], "blob"),
			plain:   row[8] == "uuid",
			integer: row[8] == "int" || row[8] == "bigint" || row[8] == "smallint" || row[8] == "mediumint" || row[8] == "tinyint",
			derived: strings.Contains(row[6], "generated") || strings.Contains(row[6], "on update"),
		}
		c.tables[id] = facts
	}
	if rows, err = q(ctx, myForeign); err != nil {
		return fail("foreign keys", err)
	}
	last = ""
	for _, row := range rows {
		if key := row[0] + "\x00" + row[1] + "\x00" + row[6]; key != last {
			last = key
			c.foreign = append(c.foreign, &foreignKey{
				child: newTableID(row[0], row[1], c.standard), parent: newTableID(row[2], row[3], c.standard),
				onDelete: parseAction(row[4]), onUpdate: parseAction(row[5]),
			})
		}
		f := c.foreign[len(c.foreign)-1]
		f.childCols, f.parentCols = append(f.childCols, row[7]), append(f.parentCols, row[8])
	}
	if rows, err = q(ctx, myViews); err != nil {
		return fail("views", err)
	}
	c.views = map[string]string{}
	for _, row := range rows {
		name := strings.ToLower(row[0])
		if row[1] == "" { // this user may not see it
			c.hidden = append(c.hidden, name)
		}
		c.views[name] += " " + row[1] // one of another schema may have the same name
	}
	if rows, err = q(ctx, myTriggers); err != nil {
		return fail("triggers", err)
	}
	for _, row := range rows {
		c.triggers = append(c.triggers, &trigger{on: newTableID(row[0], row[1], c.standard), text: row[2], before: row[3] == "BEFORE"})
	}
	return c, nil
}
