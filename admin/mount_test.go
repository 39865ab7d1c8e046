package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
)

// Without the slash all relative links would lead to the mount's neighbours. A mux adds it; other servers send the path as it is.
func TestMount_is_found_with_and_without_a_slash(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	whole, err := admin.New(s.cache.Console(), s.db, admin.Options{Authorize: byHeader, Path: "/ops/cache"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(whole.Close)
	for name, mount := range map[string]http.Handler{"stripped": http.StripPrefix("/ops/cache", s.page), "whole": whole} {
		for path, want := range map[string]string{
			"/ops/cache": "303 ./cache/", "/ops/cache?x=/": "303 ./cache/", "/ops/cache/": "200 ", "/ops/cache/nodes": "200 ", "/ops/cache/nodes/": "404 ", "/ops/else": "404 ",
		} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.example.com"+path, nil)
			r.Header.Set("X-Actor", "ann/look")
			w := httptest.NewRecorder()
			mount.ServeHTTP(w, r)
			if got := fmt.Sprintf("%d %s", w.Code, w.Header().Get("Location")); got != want {
				t.Errorf("%s: GET %s answers %q, want %q", name, path, got, want)
			}
		}
	}
}

func TestEntryPath_leads_to_an_entry_and_does_not_tell_its_key(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	path := s.page.EntryPath("book:1")
	if path != s.entry("book:1") || strings.Contains(path, "book") {
		t.Errorf("EntryPath() = %s, and a search leads to %s", path, s.entry("book:1"))
	}
	if page := s.get("ann/look", path).Body.String(); !strings.Contains(page, `<h1 class="mono">book:1</h1>`) {
		t.Errorf("%s leads to\n%s", path, page)
	}
}

// What a Memo's entry depends on is known where it is loaded alone; it can be looked at and taken away all the same.
func TestEntry_of_a_Memo_can_be_removed(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	memo := cacheme.MustMemo(s.cache.Cache, cacheme.Memoized[int, string]{
		Meta: cacheme.Meta{Key: "list:<page>"}, Values: func(page int) []any { return []any{page} },
	}, func(context.Context, int) (string, error) { return "a list", nil })
	if _, err := memo.Get(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	w := s.get("ann/all", s.entry("list:7"))
	for _, part := range []string{"it is a Memo", `value="list:7"`, "Show the value"} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("its page answers %d, and does not have %s", w.Code, part)
		}
	}
	wellFormed(t, "entry", w.Body.String())
	to := s.post("ann/all", "cleared", s.form("ann/all", url.Values{"key": {"list:7"}})).Header().Get("Location")
	if page := s.get("ann/all", to).Body.String(); !strings.Contains(page, "<dt>Entries removed</dt><dd>1</dd>") {
		t.Errorf("its record at %q is\n%s", to, page)
	}
}

// A form that is shown can be sent: what comes back with it fits a post.
func TestForms_that_are_shown_can_be_sent(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	cleared, refused := 0, 0
	for _, tags := range []int{10, 100, 250, 300, 500, 900} {
		var chosen url.Values = map[string][]string{}
		for i := range tags {
			chosen.Add("tag", fmt.Sprintf("%04d%s", i, strings.Repeat("<", 100))+strings.Repeat("x", 400))
		}
		w := s.post("ann/act", "clear", chosen)
		if w.Code == http.StatusBadRequest {
			refused++
			continue
		}
		form := url.Values{}
		for _, m := range sealedInputs.FindAllStringSubmatch(w.Body.String(), -1) {
			form.Set(m[1], m[2])
		}
		if w := s.post("ann/act", "cleared", form); w.Code != http.StatusSeeOther {
			t.Errorf("what was shown of %d tags answers %d once it is sent", tags, w.Code)
		}
		cleared++
	}
	if cleared == 0 || refused == 0 {
		t.Errorf("%d were cleared and %d refused, want some of each", cleared, refused)
	}
}

// A database that hangs holds up nobody for longer than the completion of a record may take.
func TestInvalidate_with_a_database_that_hangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, admin.Options{})
		s.db.SetMaxOpenConns(1)
		busy, err := s.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err = s.page.Invalidate(ctx, admin.Actor{Name: "ann", Role: admin.Act}, admin.Request{Tags: []string{"catalogue"}})
		if took := time.Since(begun); !errors.Is(err, admin.ErrAudit) || took > 20*time.Second {
			t.Errorf("Invalidate() = %v after %v, want ErrAudit within a few seconds", err, took)
		}
		if err := busy.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOverview_does_not_say_that_nobody_publishes_where_Redis_cannot_be_asked(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	const nobody, problem = "No process publishes", "could not be asked for"
	if page := s.get("ann/look", "").Body.String(); !strings.Contains(page, nobody) || strings.Contains(page, problem) {
		t.Errorf("the overview of one that does not publish:\n%s", page)
	}
	s.cache.Down()
	if page := s.get("ann/look", "").Body.String(); strings.Contains(page, nobody) || !strings.Contains(page, problem) {
		t.Errorf("the overview while Redis is away:\n%s", page)
	}
}
