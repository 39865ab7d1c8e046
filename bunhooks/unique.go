package bunhooks

import (
	"context"
	"fmt"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// What is unique by an index, besides primary keys. An index on an expression, on a part of a column or of the rows is none.
const (
	sqliteUniques = `SELECT '', m.name, (SELECT group_concat(coalesce(i.name, ''), char(31)) FROM pragma_index_info(l.name, 'main') i)
	FROM sqlite_master m, pragma_index_list(m.name, 'main') l WHERE m.type = 'table' AND l."unique" = 1 AND l.partial = 0`

	pgUniques = `SELECT n.nspname, c.relname, (SELECT string_agg(a.attname, chr(31)) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, n), pg_attribute a
		WHERE a.attrelid = c.oid AND a.attnum = k.num AND k.n <= i.indnkeyatts)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`

	myUniques = `SELECT TABLE_SCHEMA, TABLE_NAME, group_concat(COLUMN_NAME SEPARATOR '` + "\x1f" + `')
	FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
	GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME HAVING sum(SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL) = 0`
)

// learnUniques adds to a catalog which columns are unique.
func (d dialect) learnUniques(ctx context.Context, q ask, c *catalog) error {
	query := sqliteUniques
	switch d.text {
	case sqltext.Postgres:
		query = pgUniques
	case sqltext.MySQL:
		query = myUniques
	}
	rows, err := q(ctx, query)
	if err != nil {
		return fmt.Errorf("bunhooks: ask the database for its unique columns: %w", err)
	}
	c.uniques = map[tableID][][]string{}
	for _, row := range rows {
		id := newTableID(row[0], row[1], c.standard)
		c.uniques[id] = append(c.uniques[id], list(row[2]))
	}
	return nil
}
