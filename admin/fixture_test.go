package admin_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Book is a row, and what becomes wrong with it.
type (
	Book struct {
		bun.BaseModel `bun:"table:books"`

		ID    int64 `bun:",pk"`
		Title string
	}
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
)

func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }

// Detail is a book's page, and Note what somebody wrote about whatever.
type (
	Detail struct {
		cacheme.Node[Book]
		ID int64 `cacheme:"field"`
	}
	Note struct {
		cacheme.Node[string]
		About string `cacheme:"field"`
	}
)

func (Detail) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>", TTL: time.Hour} }

func (d Detail) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: d.ID}, cacheme.Tag("catalogue")}
}

func (Note) Meta() cacheme.Meta { return cacheme.Meta{Key: "note:<about>", TTL: time.Hour} }

func (Note) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("notes")} }

func loadDetail(_ context.Context, d Detail) (Book, error) {
	return Book{ID: d.ID, Title: "<script>alert(1)</script> secret"}, nil
}

func loadNote(context.Context, Note) (string, error) { return "a note", nil }

// shop is a cache with its page and its audit. Who asks, and what he may, is told by headers.
type shop struct {
	t     *testing.T
	cache *cachetest.Cache
	db    *bun.DB
	page  *admin.Handler
	mount http.Handler
}

func open(t *testing.T, o admin.Options) *shop {
	t.Helper()
	s := &shop{t: t, cache: cachetest.NewWith(t, cacheme.Options{Prefix: "shop:"}, Detail{}, Note{}, BookChanged{})}
	sqldb := sql.OpenDB(writes.NewSQLiteFile(t))
	t.Cleanup(func() { sqldb.Close() })
	s.db = bun.NewDB(sqldb, writes.SQLiteDialect())
	m := migrate.NewMigrator(s.db, admin.Migrations)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o.Authorize == nil {
		o.Authorize = byHeader
	}
	if o.Scans == 0 {
		o.Scans = 10_000
	}
	page, err := admin.New(s.cache.Console(), s.db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	s.page = page
	mux := http.NewServeMux()
	mux.Handle("/ops/cache/", http.StripPrefix("/ops/cache", page))
	s.mount = mux
	s.fill()
	return s
}

var roles = map[string]admin.Role{"look": admin.Look, "reveal": admin.Reveal, "act": admin.Act, "all": admin.Reveal | admin.Act}

func byHeader(r *http.Request) (admin.Actor, error) {
	name, role, ok := strings.Cut(r.Header.Get("X-Actor"), "/")
	if !ok {
		return admin.Actor{}, errors.New("nobody")
	}
	return admin.Actor{Name: name, Role: roles[role]}, nil
}

func (s *shop) fill() {
	s.t.Helper()
	for id := range int64(5) {
		if _, err := cacheme.GetFrom(s.t.Context(), s.cache.Cache, Detail{ID: id}, loadDetail); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := cacheme.GetFrom(s.t.Context(), s.cache.Cache, Note{About: "<b>'; DROP TABLE cacheme_audit; --"}, loadNote); err != nil {
		s.t.Fatal(err)
	}
}

// request is one to the page, below its mount.
func (s *shop) request(who, method, path string, form url.Values) *http.Request {
	r := httptest.NewRequestWithContext(s.t.Context(), method, "http://shop.example.com/ops/cache/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("X-Actor", who)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (s *shop) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.mount.ServeHTTP(w, r)
	return w
}

func (s *shop) get(who, path string) *httptest.ResponseRecorder {
	return s.send(s.request(who, http.MethodGet, path, nil))
}

func (s *shop) post(who, path string, form url.Values) *httptest.ResponseRecorder {
	return s.send(s.request(who, http.MethodPost, path, form))
}

// entry is the path of an entry's page.
func (s *shop) entry(key string) string {
	s.t.Helper()
	w := s.post("ann/look", "entry", url.Values{"key": {key}})
	if w.Code != http.StatusSeeOther {
		s.t.Fatalf("the search for a key answers %d", w.Code)
	}
	return w.Header().Get("Location")
}

var (
	formInput    = regexp.MustCompile(`name="form" value="([^"]+)"`)
	sealedInputs = regexp.MustCompile(`name="(form|counted)"[^>]* value="([^"]+)"`)
)

// form is the sealed form of a preview.
func (s *shop) form(who string, chosen url.Values) url.Values {
	s.t.Helper()
	w := s.post(who, "clear", chosen)
	found := formInput.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		s.t.Fatalf("the preview answers %d: %s", w.Code, w.Body)
	}
	return url.Values{"form": {found[1]}}
}

// untouched fails the test unless the cache holds what it held, and the audit has so many records.
func (s *shop) untouched(what string, records int) {
	s.t.Helper()
	before := s.cache.Stats().Loads
	s.fill()
	if loads := s.cache.Stats().Loads - before; loads != 0 {
		s.t.Errorf("%s: %d entries were cleared", what, loads)
	}
	if n, err := s.db.NewSelect().Model((*admin.Record)(nil)).Count(s.t.Context()); err != nil || int(n) != records {
		s.t.Errorf("%s: the audit has %d records, %v, want %d", what, n, err, records)
	}
}
