package bunhooks

import (
	"fmt"
	"strings"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// maxTriggerRows is how many rows of one statement a trigger names one by one.
const maxTriggerRows = 500

// pgFunction is that of one table, whose name in the outbox and whose cache's prefix are arguments. It runs once for each
// statement, as its owner, whoever writes. It reads the columns that say what becomes wrong and no others: one of many
// megabytes, or of a type that has no JSON, is none of its business. After one of them was renamed it makes the table wrong as
// a whole, and fails no statement.
const pgFunction = `CREATE OR REPLACE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $cacheme$
#variable_conflict use_column
<<` + triggerMark + `>>
DECLARE
	n bigint;
	images jsonb;
BEGIN
	IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' THEN
		SELECT count(*) INTO n FROM (SELECT FROM became LIMIT %[3]d + 1) few;
	ELSIF TG_OP = 'DELETE' THEN
		SELECT count(*) INTO n FROM (SELECT FROM was LIMIT %[3]d + 1) few;
	END IF;
	IF n > 0 AND n <= %[3]d THEN
		BEGIN
			IF TG_OP = 'INSERT' THEN
				SELECT jsonb_agg(i.image) INTO images FROM (
					SELECT to_jsonb(cacheme_row) AS image FROM (SELECT %[4]s FROM became) cacheme_row) i;
			ELSIF TG_OP = 'UPDATE' THEN
				SELECT jsonb_agg(i.image) INTO images FROM (
					SELECT to_jsonb(cacheme_row) AS image FROM (SELECT %[4]s FROM was) cacheme_row
					UNION SELECT to_jsonb(cacheme_row) AS image FROM (SELECT %[4]s FROM became) cacheme_row) i;
			ELSE
				SELECT jsonb_agg(i.image) INTO images FROM (
					SELECT to_jsonb(cacheme_row) AS image FROM (SELECT %[4]s FROM was) cacheme_row) i;
			END IF;
		EXCEPTION WHEN undefined_column THEN
			images := NULL;
		END;
	END IF;
	IF n = 0 THEN
		RETURN NULL;
	END IF;
	INSERT INTO %[2]s (id, due_at, cache, writer, wrote, what) VALUES (
		lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 16, '0') || replace(gen_random_uuid()::text, '-', ''),
		clock_timestamp(), TG_ARGV[1], txid_current(), TG_ARGV[0],
		CASE WHEN images IS NULL THEN jsonb_build_object('v', 1, 'op', TG_OP, 'whole', true) ELSE jsonb_build_object('v', 1, 'op', TG_OP, 'rows', images) END::text);
	RETURN NULL;
END
$cacheme$`

// triggers are made anew for each table in one step, so that no write comes between.
func (postgres) triggers(p triggerPlan) (up, down []string) {
	for _, t := range p.tables {
		function := p.dialect.name(sqltext.Name{Schema: p.home.name.Schema, Table: p.name("statement", t.sql)})
		columns := make([]string, len(t.columns))
		for i, c := range t.columns {
			columns[i] = p.quote(c)
		}
		up = append(up, fmt.Sprintf(pgFunction, function, p.home.quoted, maxTriggerRows, strings.Join(columns, ", ")))
		arguments := []string{jsonText(t.names), p.cache}
		for i, a := range arguments {
			arguments[i] = "'" + strings.ReplaceAll(a, "'", "''") + "'"
		}
		var anew strings.Builder
		anew.WriteString("DO $cacheme$ BEGIN")
		for _, on := range []struct{ event, sees string }{
			{"insert", "REFERENCING NEW TABLE AS became "},
			{"update", "REFERENCING OLD TABLE AS was NEW TABLE AS became "},
			{"delete", "REFERENCING OLD TABLE AS was "},
			{"truncate", ""},
		} {
			name := p.quote(p.name(on.event))
			drop := fmt.Sprintf("DROP TRIGGER IF EXISTS %s ON %s", name, t.sql)
			fmt.Fprintf(&anew, "\n\t%s;\n\tCREATE TRIGGER %s AFTER %s ON %s %sFOR EACH STATEMENT EXECUTE PROCEDURE %s(%s);",
				drop, name, strings.ToUpper(on.event), t.sql, on.sees, function, strings.Join(arguments, ", "))
			down = append(down, drop)
		}
		up = append(up, anew.String()+"\nEND $cacheme$")
		down = append(down, "DROP FUNCTION IF EXISTS "+function+"()")
	}
	return up, down
}
