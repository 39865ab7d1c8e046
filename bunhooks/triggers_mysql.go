package bunhooks

import (
	"fmt"
	"strings"
)

// myTrigger runs for each row: MariaDB has no triggers for statements. It marks its rows by a variable of the session,
// which is how a hooked transaction finds its own.
const myTrigger = "TRIGGER %[1]s AFTER %[2]s ON %[3]s FOR EACH ROW\n" + triggerMark + `: BEGIN
	SET @cacheme_writer = COALESCE(@cacheme_writer, REPLACE(UUID(), '-', ''));
	INSERT INTO %[4]s (id, due_at, cache, writer, wrote, what) VALUES (
		CONCAT(LPAD(LOWER(HEX(CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED))), 16, '0'), REPLACE(UUID(), '-', '')),
		UTC_TIMESTAMP(6), %[5]s, @cacheme_writer, %[6]s, JSON_OBJECT('v', 1, 'op', '%[2]s', 'rows', JSON_ARRAY(%[7]s)));
END`

func (m mysql) triggers(p triggerPlan) (up, down []string) {
	s := p.outbox()
	for _, t := range p.tables {
		for _, on := range []struct{ event, rows string }{
			{"INSERT", t.image(p.dialect, "NEW")},
			{"UPDATE", t.image(p.dialect, "OLD") + ", " + t.image(p.dialect, "NEW")},
			{"DELETE", t.image(p.dialect, "OLD")},
		} {
			space, _, _ := strings.Cut(t.sql, "`.`") // a trigger is in its table's schema
			name := space + "`." + p.quote(p.name(strings.ToLower(on.event), t.sql))
			drop, create := "DROP TRIGGER IF EXISTS "+name, "CREATE OR REPLACE "
			if !m.maria { // for a moment there is none
				up, create = append(up, drop), "CREATE "
			}
			up = append(up, create+fmt.Sprintf(myTrigger, name, on.event, t.sql, p.home.quoted, s.literal(p.cache), s.literal(jsonText(t.names)), on.rows))
			down = append(down, drop)
		}
	}
	return append(up, p.whole(s)), down
}

// whole is a row that makes all tables wrong: between one trigger and the next of its name there may have been writes.
func (p triggerPlan) whole(s outboxSQL) string {
	names := []string{}
	for _, t := range p.tables {
		names = append(names, t.names...)
	}
	r := outboxRow{id: newRowID(), cache: p.cache, wrote: jsonText(names), what: jsonText(slip{Version: slipVersion, Op: "CREATE TRIGGER", Whole: true})}
	return s.insert(p.home.quoted, r, 0, false)
}

// image is a row as JSON. A column that JSON might not give back unchanged is left out, and the table is wrong as a whole then:
// integers and texts it has, and bytes in hex.
func (t triggering) image(d dialect, of string) string {
	var pairs []string
	for _, c := range t.columns {
		value := of + "." + d.quote(c)
		switch facts := t.facts[strings.ToLower(c)]; {
		case facts.binary:
			value = "CONCAT(CHAR(92), 'x', HEX(" + value + "))"
		case facts.folded || !facts.text && !facts.integer && !facts.plain:
			continue
		}
		pairs = append(pairs, "'"+strings.ReplaceAll(c, "'", "''")+"', "+value)
	}
	return "JSON_OBJECT(" + strings.Join(pairs, ", ") + ")"
}
