package bunhooks

import (
	"context"
	"fmt"
	"strings"
)

// The catalog of PostgreSQL, in a few queries. Each array comes as text, its elements separated by a unit separator, which
// no name has. A table returns rows if it is no view, nobody's row level security or rule can make RETURNING fail where
// the plain statement does not, and whoever asks may read it.
const (
	pgTables = `SELECT n.nspname, c.relname, c.relkind = 'r', has_any_column_privilege(c.oid, 'UPDATE'),
	c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND has_table_privilege(c.oid, 'SELECT')
		AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'),
	coalesce((SELECT string_agg(a.attname, chr(31) ORDER BY k.n) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, n), pg_attribute a
		WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.num), '')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`

	// A domain over a text may be one over citext, at some depth.
	pgColumns = `SELECT n.nspname, c.relname, a.attname, t.typcategory IN ('S', 'E') OR t.typname = 'bytea',
	coalesce(NOT l.collisdeterministic, false) OR t.typname IN ('citext', 'bpchar') OR t.typtype = 'd' AND t.typcategory = 'S', a.attgenerated <> '', t.typname IN ('int2', 'int4', 'int8') AND t.typtype = 'b', t.typname = 'bytea'
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`

	pgForeign = `SELECT cn.nspname, c.relname, pn.nspname, p.relname, f.confdeltype::text, f.confupdtype::text,
	(SELECT string_agg(a.attname, chr(31) ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY AS k(num, n), pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = k.num),
	(SELECT string_agg(a.attname, chr(31) ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY AS k(num, n), pg_attribute a WHERE a.attrelid = f.confrelid AND a.attnum = k.num)
	FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
	JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
	WHERE f.contype = 'f'`

	// Views down to their tables, and parts of a table up to it.
	pgAliases = `WITH RECURSIVE uses(alias, object) AS (
		SELECT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
			WHERE d.refobjid <> r.ev_class
		UNION SELECT inhrelid, inhparent FROM pg_inherits
		UNION SELECT u.alias, coalesce(v.refobjid, i.inhparent) FROM uses u
			LEFT JOIN (SELECT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
				WHERE d.refobjid <> r.ev_class) v ON v.ev_class = u.object
			LEFT JOIN pg_inherits i ON i.inhrelid = u.object
			WHERE v.refobjid IS NOT NULL OR i.inhparent IS NOT NULL
	)
	SELECT a.relname, n.nspname, c.relname FROM uses u JOIN pg_class a ON a.oid = u.alias JOIN pg_namespace an ON an.oid = a.relnamespace
	JOIN pg_class c ON c.oid = u.object AND c.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE an.nspname NOT IN ('pg_catalog', 'information_schema')`

	pgTriggers = `SELECT n.nspname, c.relname, pg_get_functiondef(t.tgfoid), (t.tgtype & 2) <> 0 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal
	UNION ALL SELECT schemaname, tablename, definition, false FROM pg_rules WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`
)

func (postgres) catalog(ctx context.Context, q ask) (*catalog, error) {
	c := &catalog{standard: "public", tables: map[tableID]tableFacts{}, aliases: map[string][]tableID{}}
	fail := func(of string, err error) (*catalog, error) {
		return nil, fmt.Errorf("bunhooks: ask PostgreSQL for its %s: %w", of, err)
	}
	rows, err := q(ctx, "SELECT coalesce(current_schema(), 'public')")
	if err != nil {
		return fail("schema", err)
	}
	c.standard = rows[0][0]
	if rows, err = q(ctx, pgTables); err != nil {
		return fail("tables", err)
	}
	d := newPostgres()
	for _, row := range rows {
		id := newTableID(row[0], row[1], c.standard)
		facts := tableFacts{
			sql: d.quote(row[0]) + "." + d.quote(row[1]), marks: row[2] == "true", locks: row[3] == "true", returns: row[4] == "true", key: list(row[5]),
		}
		c.add(id, facts)
	}
	if rows, err = q(ctx, pgColumns); err != nil {
		return fail("columns", err)
	}
	for _, row := range rows {
		if facts, known := c.tables[newTableID(row[0], row[1], c.standard)]; known {
			name := strings.ToLower(row[2])
			_, twin := facts.columns[name] // "Id" beside id: nobody could tell their values apart
			facts.columns[name] = columnFacts{text: row[3] == "true", folded: row[4] == "true", derived: row[5] == "true", integer: row[6] == "true" && !twin, binary: row[7] == "true"}
		}
	}
	if rows, err = q(ctx, pgForeign); err != nil {
		return fail("foreign keys", err)
	}
	for _, row := range rows {
		c.foreign = append(c.foreign, &foreignKey{
			child: newTableID(row[0], row[1], c.standard), parent: newTableID(row[2], row[3], c.standard),
			onDelete: parseAction(row[4]), onUpdate: parseAction(row[5]), childCols: list(row[6]), parentCols: list(row[7]),
		})
	}
	if rows, err = q(ctx, pgAliases); err != nil {
		return fail("views", err)
	}
	for _, row := range rows {
		alias := strings.ToLower(row[0])
		c.aliases[alias] = append(c.aliases[alias], newTableID(row[1], row[2], c.standard))
	}
	if rows, err = q(ctx, pgTriggers); err != nil {
		return fail("triggers", err)
	}
	for _, row := range rows {
		c.triggers = append(c.triggers, &trigger{on: newTableID(row[0], row[1], c.standard), text: row[2], before: row[3] == "true"})
	}
	return c, nil
}

// list splits an array that a query gave as text.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\x1f")
}
