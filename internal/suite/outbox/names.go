package outbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// elsewhere is a second schema, or database, that ends with the test.
func (w *world) elsewhere() string {
	w.t.Helper()
	if w.d.Dialect == writes.Postgres {
		w.exec(w.admin, "CREATE SCHEMA elsewhere")
		return "elsewhere"
	}
	var here string
	if err := w.admin.QueryRowContext(w.t.Context(), "SELECT DATABASE()").Scan(&here); err != nil {
		w.t.Fatal(err)
	}
	w.exec(w.admin, "CREATE DATABASE "+here+"_elsewhere")
	drop := w.pool(w.d.Connector())
	w.t.Cleanup(func() {
		if _, err := drop.Exec("DROP DATABASE " + here + "_elsewhere"); err != nil {
			w.t.Error(err)
		}
	})
	return here + "_elsewhere"
}

// ownTriggers has outboxes whose names are alike side by side: each has a row of each write.
func ownTriggers(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	schema := w.elsewhere()
	tables := []string{"cacheme_outbox", schema + ".cacheme_outbox", strings.Repeat("o", 61) + "_a", strings.Repeat("o", 61) + "_b", strings.Repeat("é", 15) + "outbox_with_a_long_name_a"}
	for i, table := range tables {
		o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Table: table})
		if err := o.Create(t.Context(), w.admin); err != nil {
			t.Fatal(err)
		}
		if err := o.CreateTriggers(t.Context(), w.admin, p.cache); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			continue
		}
		w.prefix += "another cache:"
		if err := o.CreateTriggers(t.Context(), w.admin, w.newCache(w.d.Redis.Client(suite.PatientClient), declarations())); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{
		"UPDATE outbox_papers SET text = 'new' WHERE id = 1", "INSERT INTO outbox_papers (id, desk, text) VALUES (7, 2, 'new')",
		"DELETE FROM outbox_papers WHERE id = 7", "TRUNCATE outbox_papers",
	}
	if d.Dialect == writes.MariaDB {
		all = all[:3]
	}
	for _, table := range tables {
		w.exec(w.admin, "DELETE FROM "+table) // making triggers makes rows
	}
	w.exec(w.admin, all...)
	for i, table := range tables {
		want := len(all)
		if i == 0 {
			want *= 2 // of two caches
		}
		n, indexes := 0, 0
		if err := w.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != want {
			t.Errorf("%s has %d rows of %d writes, %v, want %d", table, n, len(all), err, want)
		}
		if i != 1 && d.Dialect == writes.Postgres {
			if err := w.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema AND tablename = ?", table).Scan(&indexes); err != nil || indexes != 2 {
				t.Errorf("%s has %d indexes, %v, want 2", table, indexes, err)
			}
		}
	}
}

// sameName: a name that the database would cut is refused.
func sameName(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	if d.Dialect != writes.Postgres {
		return // others say so themselves, or take it as it is
	}
	for _, suffix := range []string{"a", "b"} {
		o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Table: strings.Repeat("o", 63) + suffix})
		err := o.Create(t.Context(), w.admin)
		if e := (*bunhooks.InstallError)(nil); !errors.As(err, &e) || !strings.Contains(fmt.Sprint(err), "63 bytes") {
			t.Errorf("Create() of a name of 64 bytes = %v, want an *InstallError", err)
		}
	}
}
