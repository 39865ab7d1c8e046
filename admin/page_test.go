package admin_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/cachetest"
)

// All pages are well-formed, have one h1, and no link or form that leads out of the mount.
func TestPages(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{Title: "Shop"})
	if err := s.cache.Invalidate(t.Context(), BookChanged{ID: 1}); err != nil {
		t.Fatal(err)
	}
	cleared := s.post("ann/all", "cleared", s.form("ann/all", url.Values{"tag": {"notes"}}))
	for _, path := range []string{
		"", "graph", "nodes", "nodes?filter=note", "node?name=admin_test.Detail", "browse?node=admin_test.Note", "journal", "audit", "nowhere",
		"clear", "clear?node=admin_test.Detail&invalid=admin_test.BookChanged", s.entry("book:1"), strings.Replace(s.entry("book:1"), "entry", "value", 1), cleared.Header().Get("Location"),
	} {
		wellFormed(t, path, s.get("ann/all", path).Body.String())
	}
	for path, form := range map[string]url.Values{"browse": {"pattern": {"book:*"}}, "clear": {"tag": {"catalogue"}, "pattern": {"*"}}} {
		wellFormed(t, path, s.post("ann/all", path, form).Body.String())
	}
}

func wellFormed(t *testing.T, path, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	headings, ids := 0, map[string]bool{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("/%s: %v", path, err)
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "h1" {
			headings++
		}
		for _, a := range start.Attr {
			switch name := a.Name.Local; {
			case name == "style" || strings.HasPrefix(name, "on"):
				t.Errorf("/%s: <%s> has an inline %s", path, start.Name.Local, name)
			case (name == "href" || name == "src" || name == "action") && (strings.HasPrefix(a.Value, "/") || strings.Contains(a.Value, ":")):
				t.Errorf("/%s: <%s> leads to %s", path, start.Name.Local, a.Value)
			case name == "id" && ids[a.Value]:
				t.Errorf("/%s: the id %s is there twice", path, a.Value)
			case name == "id":
				ids[a.Value] = true
			}
		}
	}
	if headings != 1 {
		t.Errorf("/%s has %d h1", path, headings)
	}
}

// Of one thing there is one.
func TestPreview_of_one_entry(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{FormAge: time.Minute})
	page := s.post("ann/act", "clear", url.Values{"tag": {"notes"}}).Body.String() + s.post("ann/act", "clear", url.Values{"pattern": {"note:*"}}).Body.String()
	for _, part := range []string{"1 depends on it.", "1 matches the pattern.", "Dependencies made wrong: 1", "within 1 min"} {
		if !strings.Contains(page, part) {
			t.Errorf("the preview does not say %q:\n%s", part, page)
		}
	}
	if page := s.post("ann/look", "browse", url.Values{"node": {"admin_test.Note"}}).Body.String(); !strings.Contains(page, "1 entry found") {
		t.Errorf("browsing: %s", page)
	}
}

func TestEntry_says_why_it_is_old_and_leads_to_what_clears_it(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	err := s.cache.Invalidate(t.Context(), cacheme.By(cacheme.Write{Operation: "UPDATE", Table: "books", Rows: []string{"1"}, Count: 1, Caller: "shop/writes.go:88"}), BookChanged{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := s.entry("book:1")
	if strings.Contains(path, "book") {
		t.Errorf("the key stands in the URL: %s", path)
	}
	page := s.get("ann/act", path).Body.String()
	for _, part := range []string{"made wrong", "shop/writes.go:88", "tag:catalogue", `name="tag" value="catalogue"`, `name="key" value="book:1"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the entry's page does not have %s", part)
		}
	}
	if strings.Contains(page, "secret") || strings.Contains(page, "value?k=") {
		t.Error("the value is shown to somebody who may not see it")
	}
	value := strings.Replace(path, "entry", "value", 1)
	if w := s.get("ann/reveal", value); !strings.Contains(w.Body.String(), "&lt;script&gt;alert(1)&lt;/script&gt; secret") {
		t.Errorf("the value's page: %s", w.Body)
	}
	if page := s.get("ann/look", path).Body.String(); strings.Contains(page, `action="clear"`) {
		t.Error("somebody who may look is offered to clear")
	}
}

// With a secret in common, a form of one process is taken by another, once.
func TestSecret(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{7}, 32)
	s := open(t, admin.Options{Secret: secret})
	other, err := admin.New(s.cache.Peer().Console(), s.db, admin.Options{Secret: secret, Authorize: byHeader, Path: "/ops/cache"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	form, first := s.form("ann/act", url.Values{"key": {"book:2"}}), s.mount
	s.mount = other // it takes its own path off
	if w := s.post("ann/act", "cleared", form); w.Code != http.StatusSeeOther {
		t.Errorf("the other process answers %d: %s", w.Code, w.Body)
	}
	if w := s.get("ann/act", s.entry("book:2")); w.Code != http.StatusOK {
		t.Errorf("the other process's link answers %d", w.Code)
	}
	s.mount = first
	if w := s.post("ann/act", "cleared", form); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "See the audit") {
		t.Errorf("the form once more answers %d: %s", w.Code, w.Body)
	}
}

func TestClear_while_Redis_is_away_is_recorded_and_delivered_later(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	form := s.form("ann/act", url.Values{"tag": {"catalogue"}})
	s.cache.Down()
	w := s.post("ann/act", "cleared", form)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("clearing answers %d: %s", w.Code, w.Body)
	}
	if page := s.get("ann/act", w.Header().Get("Location")).Body.String(); !strings.Contains(page, "undelivered") {
		t.Errorf("the record: %s", page)
	}
	for _, path := range []string{"", "nodes", "graph", "audit", "clear"} {
		if w := s.get("ann/act", path); w.Code != http.StatusOK {
			t.Errorf("/%s answers %d while Redis is away", path, w.Code)
		}
	}
	if w := s.post("ann/act", "browse", nil); w.Code != http.StatusBadGateway {
		t.Errorf("browsing answers %d", w.Code)
	}
	s.cache.Up()
	before := s.cache.Stats().Loads
	s.fill()
	if n := s.cache.Stats().Loads - before; n != 5 {
		t.Errorf("%d details are loaded anew, want 5", n)
	}
}

func TestLogs_have_no_keys(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := open(t, admin.Options{Logger: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s.get("ann/look", s.entry("book:4711"))
	s.get("ann/look", "clear?node=book:4711")
	s.get("", "nodes")
	s.get("ann/look", "book:4711")
	s.post("ann/act", "browse", url.Values{"pattern": {"book:4711["}})
	s.post("ann/act", "cleared", s.form("ann/act", url.Values{"key": {"book:4711"}, "tag": {"tag-4711"}, "pattern": {"book:4711*"}}))
	if log := b.String(); strings.Contains(log, "4711") || !strings.Contains(log, "cleared") || !strings.Contains(log, "refused") {
		t.Errorf("the log is\n%s", log)
	}
}

func TestHitRate_over_time(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{Every: 5 * time.Millisecond})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.fill()
		page := s.get("ann/look", "node?name=admin_test.Detail").Body.String()
		if strings.Contains(page, "Hit rate <strong>100.0 %</strong> now") && strings.Contains(page, `<path class="rate" d="M`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the hit rate is not drawn: %s", page)
		}
	}
}

func TestNew_tells_what_is_wrong_with_its_options(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, Detail{}, BookChanged{})
	if _, err := admin.New(cache.Console(), nil, admin.Options{}); err == nil {
		t.Error("New takes no database")
	}
	s := open(t, admin.Options{})
	for want, o := range map[string]admin.Options{
		"Path": {Path: "ops/"}, "Secret": {Secret: []byte("short")}, "positive": {Scans: -1}, "Origins": {Origins: []string{"no origin"}},
	} {
		if _, err := admin.New(cache.Console(), s.db, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) = %v, want one about %s", o, err, want)
		}
	}
}
