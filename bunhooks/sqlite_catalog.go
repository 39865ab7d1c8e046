package bunhooks

import (
	"context"
	"fmt"
	"strings"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// catalog reads SQLite's own tables: those of the file, past temporary ones of the connection. Foreign keys are followed whether or not the connection enforces them.
func (s sqlite) catalog(ctx context.Context, q ask) (*catalog, error) {
	c := &catalog{standard: "main", failsHalfway: true, rowid: true, tables: map[tableID]tableFacts{}, aliases: map[string][]tableID{}, views: map[string]string{}}
	d := newSQLite()
	objects, err := q(ctx, `SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'trigger', 'view')`)
	if err != nil {
		return nil, fmt.Errorf("bunhooks: ask SQLite for its tables: %w", err)
	}
	collated := map[tableID]bool{}
	c.failing = map[string]bool{}
	for _, row := range objects {
		id := newTableID("", row[2], c.standard)
		text := strings.ToUpper(row[3])
		if strings.Contains(text, "FAIL") && (row[0] == "trigger" || strings.Contains(text, "CONFLICT")) {
			c.failing[id.table] = true // ON CONFLICT FAIL, OR FAIL, RAISE(FAIL, ..), or a word that only looks so
		}
		if row[0] == "trigger" {
			c.triggers = append(c.triggers, &trigger{on: id, text: triggerBody(row[3])})
			continue
		}
		if row[0] == "view" {
			c.views[strings.ToLower(row[1])] = row[3]
			continue
		}
		collated[id] = strings.Contains(text, "COLLATE")
		// A virtual table has no RETURNING.
		c.add(id, tableFacts{
			sql: d.quote(c.standard) + "." + d.quote(row[1]), returns: !strings.HasPrefix(strings.TrimSpace(text), "CREATE VIRTUAL"), locks: true,
			replaces: strings.Contains(text, "ON CONFLICT"), // whichever: it is rare enough to be one
		})
	}
	columns, err := q(ctx, `SELECT m.name, p.name, p.type, p.pk, p.hidden FROM sqlite_master m, pragma_table_xinfo(m.name, 'main') p WHERE m.type = 'table' ORDER BY m.name, p.pk, p.cid`)
	if err != nil {
		return nil, fmt.Errorf("bunhooks: ask SQLite for its columns: %w", err)
	}
	for _, row := range columns {
		id := newTableID("", row[0], c.standard)
		facts, known := c.tables[id]
		if !known { // somebody has just made it; with the next change of the schema it is found
			continue
		}
		if row[3] != "0" {
			facts.key = append(facts.key, row[1])
		}
		kind := strings.ToUpper(row[2])
		text := kind == "" || strings.Contains(kind, "CHAR") || strings.Contains(kind, "TEXT") || strings.Contains(kind, "CLOB") || strings.Contains(kind, "BLOB")
		facts.columns[strings.ToLower(row[1])] = columnFacts{text: text, integer: strings.Contains(kind, "INT"), folded: text && collated[id], derived: row[4] != "0"}
		c.tables[id] = facts
	}
	foreign, err := q(ctx, `SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete, f.on_update FROM sqlite_master m, pragma_foreign_key_list(m.name, 'main') f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`)
	if err != nil {
		return nil, fmt.Errorf("bunhooks: ask SQLite for its foreign keys: %w", err)
	}
	var last string
	for _, row := range foreign {
		if key := row[0] + "\x00" + row[1]; key != last {
			last = key
			c.foreign = append(c.foreign, &foreignKey{
				child: newTableID("", row[0], c.standard), parent: newTableID("", row[2], c.standard),
				onDelete: parseAction(row[5]), onUpdate: parseAction(row[6]),
			})
		}
		f := c.foreign[len(c.foreign)-1]
		f.childCols = append(f.childCols, row[3])
		if row[4] == "" { // the parent's primary key is meant
			if key := c.tables[f.parent].key; len(f.parentCols) < len(key) {
				row[4] = key[len(f.parentCols)]
			}
		}
		f.parentCols = append(f.parentCols, row[4])
	}
	for again := len(c.failing) > 0; again; {
		again = c.followFailing()
	}
	return c, nil
}

// followFailing finds the tables by whose writes one that fails halfway is written too.
func (c *catalog) followFailing() (found bool) {
	add := func(name string) {
		if !c.failing[name] {
			c.failing[name], found = true, true
		}
	}
	for _, f := range c.foreign {
		if c.failing[f.child.table] {
			add(f.parent.table)
		}
	}
	for _, r := range c.triggers {
		for _, body := range sqltext.Parse(sqltext.AnyDialect, r.text).Statements {
			for name := range c.failing {
				if body.Mentions(name) {
					add(r.on.table)
				}
			}
		}
	}
	return found
}

// triggerBody is what a trigger does, without when it does so: that names its own table, to which it need not write.
func triggerBody(text string) string {
	upper := strings.ToUpper(text)
	at := strings.Index(upper, "BEGIN")
	if at < 0 || len(upper) != len(text) { // there are letters whose upper case has another length
		return text
	}
	return text[at:]
}
