package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Thing has columns of the kinds that keys are made of.
type Thing struct {
	bun.BaseModel `bun:"table:outbox_things"`

	ID    int64  `bun:",pk"`
	Slug  string `bun:",notnull"`
	Code  string `bun:"type:char(8),notnull"`
	Raw   string `bun:"type:bytea,notnull"`
	Flag  bool   `bun:",notnull"`
	Price string `bun:"type:numeric(12,2),notnull"`
	Large uint64 `bun:",notnull"`
	Mood  string `bun:",notnull"`
}

// What becomes wrong: things by each of their columns.
type (
	ThingBySlug struct {
		cacheme.ModelInvalidNode
		Slug string `cacheme:"field"`
	}
	ThingByCode struct {
		cacheme.ModelInvalidNode
		Code string `cacheme:"field"`
	}
	ThingByRaw struct {
		cacheme.ModelInvalidNode
		Raw string `cacheme:"field"`
	}
	ThingByFlag struct {
		cacheme.ModelInvalidNode
		Flag bool `cacheme:"field"`
	}
	ThingByPrice struct {
		cacheme.ModelInvalidNode
		Price string `cacheme:"field"`
	}
	ThingByLarge struct {
		cacheme.ModelInvalidNode
		Large uint64 `cacheme:"field"`
	}
	ThingByMood struct {
		cacheme.ModelInvalidNode
		Mood string `cacheme:"field"`
	}
)

// Meta is the declaration.
func (ThingBySlug) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByCode) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByRaw) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByFlag) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByPrice) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByLarge) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// Meta is the declaration.
func (ThingByMood) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Thing)(nil)} }

// ThingsBy are how many things there are with a value in a column: that of the row At of the values that are tried.
type ThingsBy struct {
	cacheme.Node[int]
	Column string `cacheme:"field"`
	At     int64  `cacheme:"field"`
}

// Meta is the declaration.
func (ThingsBy) Meta() cacheme.Meta { return cacheme.Meta{Key: "things:<column>:<at>", TTL: time.Hour} }

// InvalidNodes names what the value becomes wrong by.
func (n ThingsBy) InvalidNodes() []cacheme.Invalid {
	v := tried[n.At]
	return []cacheme.Invalid{map[string]cacheme.Invalid{
		"slug": ThingBySlug{Slug: v.Slug}, "code": ThingByCode{Code: v.Code}, "raw": ThingByRaw{Raw: v.Raw}, "flag": ThingByFlag{Flag: v.Flag},
		"price": ThingByPrice{Price: v.Price}, "large": ThingByLarge{Large: v.Large}, "mood": ThingByMood{Mood: v.Mood},
	}[n.Column]}
}

// tried are rows whose values JSON, or a session's settings, might change.
var tried = []Thing{
	{Slug: `plain`, Code: "a", Raw: "abcd", Flag: false, Price: "1.00", Large: 7, Mood: "sad"},
	{Slug: "q\"b\\s/<&>'\t\n\x01é😀 end ", Code: "b  ", Raw: "a'b c", Flag: true, Price: "1.10", Large: 1<<63 - 1, Mood: "o'k \"\\"},
	{Slug: "", Code: "", Raw: "", Flag: false, Price: "0.00", Large: 0, Mood: "sad"},
	{Slug: "null", Code: "null", Raw: "0102", Flag: true, Price: "-12345678.90", Large: 1 << 53, Mood: "sad"},
}

var columnsTried = []string{"slug", "code", "raw", "flag", "price", "large", "mood"}

// values changes a row from one of the values that are tried to the next, by another program: what depends on either is
// wrong then, column by column.
func values(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	w.exec(w.admin, map[writes.Dialect][]string{
		writes.Postgres: {
			`CREATE TYPE outbox_mood AS ENUM ('sad', 'o''k "\')`,
			`CREATE TABLE outbox_things (id bigint PRIMARY KEY, slug text NOT NULL, code char(8) NOT NULL, raw bytea NOT NULL, flag boolean NOT NULL,
				price numeric(12,2) NOT NULL, large bigint NOT NULL, mood outbox_mood NOT NULL)`,
		},
		writes.MariaDB: {
			`CREATE TABLE outbox_things (id bigint PRIMARY KEY, slug varchar(100) COLLATE utf8mb4_nopad_bin NOT NULL, code char(8) NOT NULL, raw varbinary(20) NOT NULL, flag boolean NOT NULL,
				price decimal(12,2) NOT NULL, large bigint unsigned NOT NULL, mood enum ('sad', 'o''k "\\') COLLATE utf8mb4_nopad_bin NOT NULL)`,
		},
	}[d.Dialect]...)
	p := w.startOf([]cacheme.Declaration{
		ThingBySlug{}, ThingByCode{}, ThingByRaw{}, ThingByFlag{}, ThingByPrice{}, ThingByLarge{}, ThingByMood{}, ThingsBy{},
	}, byHand, 0)
	if err := p.outbox.CreateTriggers(t.Context(), p.db, p.cache); err != nil {
		t.Fatal(err)
	}
	loaded := func() (which map[ThingsBy]bool) {
		which = map[ThingsBy]bool{}
		for at := range tried {
			for _, column := range columnsTried {
				_, err := cacheme.GetFrom(t.Context(), p.cache, ThingsBy{Column: column, At: int64(at)}, func(_ context.Context, n ThingsBy) (int, error) {
					which[n] = true
					return 0, nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		return which
	}
	session, err := w.admin.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if d.Dialect == writes.Postgres {
		w.exec(session, "SET bytea_output = escape", "SET DateStyle = German", "SET extra_float_digits = -5")
	}
	for at := range tried {
		w.settles(func() int { return len(loaded()) })
		row := tried[at]
		row.ID = 1
		if at == 0 {
			_, err = session.NewInsert().Model(&row).Exec(t.Context())
		} else {
			_, err = session.NewUpdate().Model(&row).WherePK().Exec(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for p.relay() > 0 {
			continue
		}
		wrong := loaded()
		for _, column := range columnsTried {
			for _, of := range []int{at - 1, at} {
				if n := (ThingsBy{Column: column, At: int64(of)}); of >= 0 && !wrong[n] {
					t.Errorf("from row %d to %d: what depends on %s of row %d (%s) stayed", at-1, at, column, of, fmt.Sprintf("%+v", tried[of]))
				}
			}
		}
	}
}
