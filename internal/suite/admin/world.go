// Package admin holds what the admin page promises of its audit, on each database: nothing is cleared without a record of
// who did it, and the record stays as it is.
package admin

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Book is a node with two tags.
type Book struct {
	cacheme.Node[string]
	ID  int64  `cacheme:"field"`
	Tag string `cacheme:"field"`
}

// Meta is the declaration.
func (Book) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>:<tag>", TTL: time.Hour} }

// InvalidNodes names the tag, and one that all have.
func (b Book) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Tag(b.Tag), cacheme.Tag("all")}
}

// world is a cache with entries of five tags, and its page.
type world struct {
	t     *testing.T
	db    *bun.DB
	cache *cacheme.Cache
	page  *admin.Handler
	loads map[Book]int
}

var tags = []string{"alpha", "beta", "gamma", "delta", "epsilon"}

func newWorld(t *testing.T, d writes.Database) *world {
	t.Helper()
	w := &world{t: t, db: Migrated(t, d), loads: map[Book]int{}}
	w.cache = suite.NewCache(t, d.Redis.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: suite.Prefix()}), Book{})
	page, err := admin.New(w.cache.Console(), w.db, admin.Options{Scans: 1000, Authorize: func(r *http.Request) (admin.Actor, error) {
		name := r.Header.Get("X-Actor")
		if name == "" {
			return admin.Actor{}, errors.New("nobody")
		}
		return admin.Actor{Name: name, Role: admin.Act}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.page = page
	t.Cleanup(page.Close)
	w.warm()
	return w
}

// Migrated is a database with the audit's table. It is closed when the test ends.
func Migrated(t testing.TB, d writes.Database) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(d.Connector())
	t.Cleanup(func() { sqldb.Close() })
	db := bun.NewDB(sqldb, d.Bun())
	m := migrator(db)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func migrator(db *bun.DB) *migrate.Migrator {
	return migrate.NewMigrator(db, admin.Migrations, migrate.WithTableName("cacheme_migrations"), migrate.WithLocksTableName("cacheme_migration_locks"))
}

// books are two of each tag.
func books() (all []Book) {
	for _, tag := range tags {
		all = append(all, Book{ID: 1, Tag: tag}, Book{ID: 2, Tag: tag})
	}
	return all
}

// warm has all books cached.
func (w *world) warm() {
	w.t.Helper()
	for _, b := range books() {
		_, err := cacheme.GetFrom(w.t.Context(), w.cache, b, func(_ context.Context, b Book) (string, error) {
			w.loads[b]++
			return "text", nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// cleared are the tags, once each, of which a book is loaded anew.
func (w *world) cleared() (cleared []string) {
	w.t.Helper()
	before := maps.Clone(w.loads)
	w.warm()
	for _, b := range books() {
		if w.loads[b] > before[b] && (len(cleared) == 0 || cleared[len(cleared)-1] != b.Tag) {
			cleared = append(cleared, b.Tag)
		}
	}
	return cleared
}

// ask sends a request as somebody, and returns the answer's status, where it leads to, and its text.
func (w *world) ask(who, method, path string, form url.Values) (status int, location, text string) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("X-Actor", who)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer := httptest.NewRecorder()
	w.page.ServeHTTP(answer, r)
	return answer.Code, answer.Header().Get("Location"), answer.Body.String()
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(form|counted)"[^>]* value="([^"]+)">`)

// preview chooses, and returns the form that clears.
func (w *world) preview(who string, chosen url.Values) url.Values {
	w.t.Helper()
	status, _, text := w.ask(who, http.MethodPost, "clear", chosen)
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], m[2])
	}
	if status != http.StatusOK || form.Get("form") == "" {
		w.t.Fatalf("the preview of %v answers %d: %s", chosen, status, text)
	}
	return form
}

// clear sends a form, and returns the page of its record.
func (w *world) clear(who string, form url.Values) string {
	w.t.Helper()
	status, to, text := w.ask(who, http.MethodPost, "cleared", form)
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "record?id=") {
		w.t.Fatalf("clearing answers %d: %s", status, text)
	}
	status, _, text = w.ask(who, http.MethodGet, to, nil)
	if status != http.StatusOK {
		w.t.Fatalf("the record answers %d: %s", status, text)
	}
	return text
}

// What takes the audit's table away, and brings it back.
const (
	takeAway = "ALTER TABLE cacheme_audit RENAME TO cacheme_audit_away"
	bring    = "ALTER TABLE cacheme_audit_away RENAME TO cacheme_audit"
)

// exec has the database do something that has to work.
func (w *world) exec(statement string) {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), statement); err != nil {
		w.t.Error(err)
	}
}

// records are all that the audit has, the oldest first.
func (w *world) records() (records []admin.Record) {
	w.t.Helper()
	if err := w.db.NewSelect().Model(&records).Order("id").Scan(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return records
}
