package torture

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// What there is in the database. A stamp is the number of the write that made a row what it is: whoever reads a row can be
// told which writes he has seen, and which not.

// Thing bears a label.
type Thing struct {
	bun.BaseModel `bun:"table:things"`

	ID    int64 `bun:",pk"`
	Label int64
	Stamp int64
}

// Place is a thing on a user's shelf: many users have many things.
type Place struct {
	bun.BaseModel `bun:"table:places"`

	User  int64 `bun:"user_id,pk"`
	Thing int64 `bun:"thing_id,pk"`
	Stamp int64
}

// Note is there or not.
type Note struct {
	bun.BaseModel `bun:"table:notes"`

	ID    int64 `bun:",pk"`
	Stamp int64
}

// Bare is a row whose writes nobody watches: whoever writes it says so by hand.
type Bare struct {
	bun.BaseModel `bun:"table:bares"`

	ID    int64 `bun:",pk"`
	Stamp int64
}

// How many there are of each: few, so that everybody meets.
const (
	things = 24
	labels = 4
	users  = 6
	notes  = 8
	bares  = 8
)

// Aspect is what a fact is about. None has the name of a table in it: what a trigger mentions is taken for what it writes.
type Aspect string

// The aspects, with what a group is of and what its items are.
const (
	thingIs  Aspect = "thing"      // of thing
	labelled Aspect = "label"      // of label, thing
	onShelf  Aspect = "shelf"      // of user, thing
	heldBy   Aspect = "holders of" // of thing, user
	noteIs   Aspect = "note"       // of note
	bareIs   Aspect = "bare row"   // of row
)

// Group is all facts of one thing: what is on the shelf of user 3.
type Group struct {
	Aspect Aspect
	Of     int64
}

// Fact is one of them. Its value is the stamp of the write that made it so, 0 where it is not so.
type Fact struct {
	Group
	Item int64
}

func (f Fact) String() string {
	if f.Item == 0 {
		return fmt.Sprintf("%s %d", f.Aspect, f.Of)
	}
	return fmt.Sprintf("%s %d, item %d", f.Aspect, f.Of, f.Item)
}

// told are the facts that a row of a table is about; ROW is the row.
var told = []struct {
	table string
	facts []witnessed
}{
	{"things", []witnessed{{thingIs, "ROW.id", "0"}, {labelled, "ROW.label", "ROW.id"}}},
	{"places", []witnessed{{onShelf, "ROW.user_id", "ROW.thing_id"}, {heldBy, "ROW.thing_id", "ROW.user_id"}}},
	{"notes", []witnessed{{noteIs, "ROW.id", "0"}}},
	{"bares", []witnessed{{bareIs, "ROW.id", "0"}}},
}

type witnessed struct {
	aspect   Aspect
	of, item string // SQL
}

// row is SQL: what a row says, or that it says it no more. The stamp is that of the write in either case: who deletes a
// row stamps it first, in the same transaction.
func (w witnessed) row(row string, there bool) string {
	value := "ROW.stamp"
	if !there {
		value = "0"
	}
	stamp := "ROW.stamp"
	if !there && row == "OLD" {
		stamp = "STAMP"
	}
	return strings.ReplaceAll(fmt.Sprintf("('%s', %s, %s, %s, %s)", w.aspect, w.of, w.item, value, stamp), "ROW", row)
}

// create makes the tables, and the witness: triggers that write down what every committed transaction made true, in the
// order of the commits of each row, whoever wrote. It knows nothing of the cache, nor the cache of it.
func create(ctx context.Context, db *bun.DB, kind string) error {
	statements := []string{witnessTables[kind], "CREATE INDEX witnessed_stamp ON witnessed (stamp)", "CREATE INDEX witnessed_fact ON witnessed (aspect, of_id, item)"}
	for _, model := range []any{(*Thing)(nil), (*Place)(nil), (*Note)(nil), (*Bare)(nil)} {
		if _, err := db.NewCreateTable().Model(model).Exec(ctx); err != nil {
			return fmt.Errorf("create tables: %w", err)
		}
	}
	for _, t := range told {
		var there, gone []string
		for _, w := range t.facts {
			there, gone = append(there, w.row("NEW", true)), append(gone, w.row("OLD", false))
		}
		events := []struct {
			name, stamp string
			rows        []string
		}{
			{"INSERT", "NEW.stamp", there},
			{"UPDATE", "NEW.stamp", append(gone, there...)},
			{"DELETE", "OLD.stamp", gone},
		}
		for _, e := range events {
			insert := "INSERT INTO witnessed (aspect, of_id, item, value, stamp) VALUES " +
				strings.ReplaceAll(strings.Join(e.rows, ", "), "STAMP", e.stamp) + ";"
			statements = append(statements, trigger(kind, t.table, e.name, insert)...)
		}
	}
	for _, s := range append(statements, "CREATE INDEX places_thing ON places (thing_id)", "CREATE INDEX things_label ON things (label)") {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("create the witness: %s: %w", s, err)
		}
	}
	return plant(ctx, db)
}

var witnessTables = map[string]string{
	SQLite:   "CREATE TABLE witnessed (seq INTEGER PRIMARY KEY, aspect TEXT, of_id INTEGER, item INTEGER, value INTEGER, stamp INTEGER)",
	Postgres: "CREATE TABLE witnessed (seq BIGSERIAL PRIMARY KEY, aspect TEXT, of_id BIGINT, item BIGINT, value BIGINT, stamp BIGINT)",
}

func trigger(kind, table, event, insert string) []string {
	name := "witness_" + table + "_" + strings.ToLower(event)
	if kind == SQLite {
		return []string{fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s BEGIN %s END", name, event, table, insert)}
	}
	return []string{
		fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s RETURN NULL; END $$", name, insert),
		fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, event, table, name),
	}
}

// planted is the stamp of what is there before the first write.
const planted = 1

func plant(ctx context.Context, db *bun.DB) error {
	var all []any
	for id := range int64(things) {
		all = append(all, &Thing{ID: id + 1, Label: id%labels + 1, Stamp: planted})
	}
	for user := range int64(users) {
		for thing := range int64(things) {
			if (user+thing)%users == 0 {
				all = append(all, &Place{User: user + 1, Thing: thing + 1, Stamp: planted})
			}
		}
	}
	for id := range int64(bares) {
		all = append(all, &Bare{ID: id + 1, Stamp: planted})
	}
	return db.RunInTx(ctx, &sql.TxOptions{}, func(ctx context.Context, tx bun.Tx) error {
		for _, row := range all {
			if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
				return fmt.Errorf("plant: %w", err)
			}
		}
		return nil
	})
}
