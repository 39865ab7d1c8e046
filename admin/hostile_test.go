package admin_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/admin"
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"}

// every is each path that there is, and what each role may have there by each method: a status, 405 elsewhere.
func every(s *shop) map[string]map[string]map[string]int {
	entry := s.entry("book:1")
	value := strings.Replace(entry, "entry", "value", 1)
	all, reveal, act := map[string]int{"look": 200, "reveal": 200, "act": 200}, map[string]int{"look": 403, "reveal": 200, "act": 403}, map[string]int{"look": 403, "reveal": 403, "act": 200}
	get := func(may map[string]int) map[string]map[string]int {
		return map[string]map[string]int{"GET": may, "HEAD": may}
	}
	with := func(methods map[string]map[string]int, post map[string]int) map[string]map[string]int {
		methods = maps.Clone(methods)
		methods["POST"] = post
		return methods
	}
	refusedForm := map[string]int{"look": 403, "reveal": 403, "act": 403} // it is sealed by nobody
	badForm := map[string]int{"look": 403, "reveal": 403, "act": 400}     // nothing is chosen
	noKey := map[string]int{"look": 400, "reveal": 400, "act": 400}
	return map[string]map[string]map[string]int{
		"": get(all), "graph": get(all), "nodes": get(all), "node?name=admin_test.Detail": get(all), "journal": get(all), "audit": get(all),
		"browse": with(get(all), all), entry: with(get(all), noKey), value: get(reveal),
		"clear": with(get(act), badForm), "cleared": {"POST": refusedForm},
		"record?id=1": get(map[string]int{"look": 404, "reveal": 404, "act": 404}), // there is none
		"style.css":   get(all), "script.js": get(all),
	}
}

func TestHostile_every_route_method_and_role(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	for path, allowed := range every(s) {
		for _, method := range methods {
			for role := range roles {
				if role == "all" {
					continue
				}
				want, ok := allowed[method][role], allowed[method] != nil
				if !ok {
					want = http.StatusMethodNotAllowed
				}
				w := s.send(s.request("ann/"+role, method, path, nil))
				if w.Code != want {
					t.Errorf("%s %s for %s answers %d, want %d", method, path, role, w.Code, want)
				}
				if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; script-src 'self'") {
					t.Errorf("%s %s: the policy is %q", method, path, policy)
				}
			}
			for what, who := range map[string]string{"nobody": "", "a role that there is not": "ann/king", "a name of blanks": "  /all", "a long name": strings.Repeat("n", 300) + "/all"} {
				if w := s.send(s.request(who, method, path, nil)); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "<") {
					t.Errorf("%s %s for %s answers %d: %s", method, path, what, w.Code, w.Body)
				}
			}
		}
	}
	s.untouched("every route", 0)
}

func TestHostile_without_Authorize_everything_is_forbidden(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	bare, err := admin.New(s.cache.Console(), s.db, admin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bare.Close)
	failing, err := admin.New(s.cache.Console(), s.db, admin.Options{Authorize: func(*http.Request) (admin.Actor, error) {
		return admin.Actor{Name: "ann", Role: admin.Reveal | admin.Act}, errors.New("the token of ann is secret-7 and has ended")
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(failing.Close)
	paths := every(s)
	paths["nowhere"] = nil
	for _, page := range []http.Handler{bare, failing} {
		s.mount = http.StripPrefix("/ops/cache", page)
		for path := range paths {
			for _, method := range methods {
				if w := s.send(s.request("ann/all", method, path, nil)); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "secret") {
					t.Errorf("%s %s answers %d: %s", method, path, w.Code, w.Body)
				}
			}
		}
	}
	s.untouched("without Authorize", 0)
}

func TestHostile_posts_from_elsewhere(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	form := s.form("ann/act", url.Values{"tag": {"catalogue"}})
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example.com"}}, {"Origin": {"null"}},
	} {
		for _, path := range []string{"cleared", "clear", "browse", "entry"} {
			r := s.request("ann/act", http.MethodPost, path, form)
			r.Header.Del("Sec-Fetch-Site")
			maps.Copy(r.Header, header)
			if w := s.send(r); w.Code != http.StatusForbidden {
				t.Errorf("a post to %s with %v answers %d", path, header, w.Code)
			}
		}
	}
	for _, kind := range []string{"", "text/plain", "multipart/form-data; boundary=x", "application/json"} {
		r := s.request("ann/act", http.MethodPost, "cleared", form)
		r.Header.Set("Content-Type", kind)
		if w := s.send(r); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("a post of %q answers %d", kind, w.Code)
		}
	}
	if w := s.get("ann/act", "cleared?"+form.Encode()); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("clearing by GET answers %d", w.Code)
	}
	r := s.request("ann/act", http.MethodPost, "cleared?"+form.Encode(), nil)
	if w := s.send(r); w.Code != http.StatusForbidden {
		t.Errorf("a form in the URL answers %d", w.Code)
	}
	s.untouched("posts from elsewhere", 0)
}

func TestHostile_large_posts(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	for _, path := range []string{"cleared", "clear", "browse", "entry"} {
		for _, known := range []bool{true, false} {
			r := s.request("ann/act", http.MethodPost, path, url.Values{"pattern": {strings.Repeat("a", 10<<20)}})
			if !known {
				r.ContentLength = -1
			}
			if w := s.send(r); w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("10 MB to %s answer %d", path, w.Code)
			}
		}
	}
	many, fields := url.Values{}, url.Values{}
	for i := range 2000 {
		many.Add("tag", fmt.Sprint(i))
	}
	for i := range 20_000 {
		fields.Add("node", "admin_test.Note")
		fields.Set(fmt.Sprint("node.", i), "1")
	}
	for what, form := range map[string]url.Values{
		"a long pattern": {"pattern": {strings.Repeat("a", 5000)}}, "many tags": many, "many nodes with many fields": fields, "a long tag": {"tag": {strings.Repeat("a", 5000)}},
		"no text": {"tag": {"\xff"}}, "a zero": {"tag": {"a\x00b"}},
	} {
		if w := s.post("ann/act", "clear", form); w.Code != http.StatusBadRequest {
			t.Errorf("%s answers %d", what, w.Code)
		}
	}
	s.untouched("large posts", 0)
}

func TestHostile_forms_that_are_stolen_forged_or_old(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	form := s.form("ann/act", url.Values{"tag": {"catalogue"}})
	link := strings.TrimPrefix(s.entry("book:1"), "entry?k=")
	sealed := form.Get("form")
	for what, try := range map[string]struct {
		who  string
		form string
	}{
		"stolen": {"bob/act", sealed}, "of somebody who may not": {"ann/look", sealed}, "empty": {"ann/act", ""}, "no form": {"ann/act", "AAAA"},
		"cut": {"ann/act", sealed[:len(sealed)-2]}, "changed": {"ann/act", "B" + sealed[1:]}, "of another purpose": {"ann/act", link},
	} {
		if w := s.post(try.who, "cleared", url.Values{"form": {try.form}}); w.Code != http.StatusForbidden {
			t.Errorf("a form that is %s answers %d", what, w.Code)
		}
	}
	other := open(t, admin.Options{})
	if w := other.post("ann/act", "cleared", form); w.Code != http.StatusForbidden {
		t.Errorf("another page's form answers %d", w.Code)
	}
	wide := s.form("ann/act", url.Values{"pattern": {"*"}})
	for _, typed := range []string{"", "shop", "SHOP:", "*"} {
		wide.Set("confirm", typed)
		if w := s.post("ann/act", "cleared", wide); w.Code != http.StatusBadRequest {
			t.Errorf("everything with %q typed answers %d", typed, w.Code)
		}
	}
	s.untouched("forms", 0)
}

func TestHostile_an_old_form(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{FormAge: time.Nanosecond})
	if w := s.post("ann/act", "cleared", s.form("ann/act", url.Values{"tag": {"catalogue"}})); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "too old") {
		t.Errorf("an old form answers %d", w.Code)
	}
	s.untouched("an old form", 0)
}

// What is HTML or SQL is text, and what reaches for another prefix finds nothing there.
func TestHostile_texts(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	if err := s.cache.Redis().Set(t.Context(), "other:{book:1}", "theirs", 0).Err(); err != nil {
		t.Fatal(err)
	}
	records := 0
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; DROP TABLE cacheme_audit; --`, `' OR '1'='1`, `{{.}}`, `javascript:alert(1)`,
		"other:*", "../other:*", "*}other:*", `\*`, "[", "a\r\nX-Injected: yes", "\u202egnp", "%00", "..%2f..",
	} {
		for path, form := range map[string]url.Values{
			"clear": {"tag": {text}, "pattern": {text}, "key": {text}}, "browse": {"pattern": {text}, "node": {text}}, "entry": {"key": {text}},
		} {
			w := s.post("ann/all", path, form)
			safe(t, path+" "+text, w.Body.String(), text)
			if w.Code >= 500 || w.Header().Get("X-Injected") != "" {
				t.Errorf("%s with %q answers %d", path, text, w.Code)
			}
			if to := w.Header().Get("Location"); to != "" {
				safe(t, to, s.get("ann/all", to).Body.String(), text)
			}
		}
		for _, path := range []string{"node?name=", "clear?node=", "clear?invalid=", "nodes?filter=", "audit?before=", "record?id=", "entry?k=", "value?k=", "browse?node="} {
			w := s.get("ann/all", path+url.QueryEscape(text))
			safe(t, path+text, w.Body.String(), text)
			if w.Code >= 500 {
				t.Errorf("%s%q answers %d", path, text, w.Code)
			}
		}
		// As a tag it can be cleared by: it is a name like any other, and stands in the audit as it is.
		form := s.form("ann/act", url.Values{"tag": {text}})
		w := s.post("ann/act", "cleared", form)
		if records++; w.Code != http.StatusSeeOther {
			t.Errorf("clearing the tag %q answers %d: %s", text, w.Code, w.Body)
			continue
		}
		safe(t, "record of "+text, s.get("ann/act", w.Header().Get("Location")).Body.String(), text)
	}
	safe(t, "audit", s.get("ann/act", "audit").Body.String(), "")
	s.untouched("texts", records)
	for _, pattern := range []string{"other:*", "../*", "*}other*", "shop:*"} {
		form := s.form("ann/act", url.Values{"pattern": {pattern}})
		form.Set("confirm", "shop:")
		if records++; s.post("ann/act", "cleared", form).Code != http.StatusSeeOther {
			t.Errorf("the pattern %s is refused", pattern)
		}
	}
	s.untouched("patterns of others", records)
	if got := s.cache.Redis().Get(t.Context(), "other:{book:1}").Val(); got != "theirs" {
		t.Errorf("another prefix's key is %q", got)
	}
}

// safe fails the test where a text stands in a page as HTML.
func safe(t *testing.T, what, page, text string) {
	t.Helper()
	for _, bad := range []string{"<script>alert", "<img src=x", "<b>'", "style=\"", " onclick", "href=\"javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s: the page has %q in it", what, bad)
		}
	}
	if strings.ContainsAny(text, `<>"`) && strings.Contains(page, text) {
		t.Errorf("%s: the page has the text as it is", what)
	}
}

func TestHostile_paths(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{})
	s.mount = http.StripPrefix("/ops/cache", s.page) // no mux that cleans paths before
	for _, path := range []string{
		"../audit", "..", "./audit", "audit/", "audit/..", "/audit", "//evil.example.com", "assets/style.css", "templates/layout.html", "style.css/", "..%2faudit",
		"%2e%2e/cleared", "audit%00", "AUDIT", "record/1", ".git/config", "handler.go",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			w := s.send(s.request("ann/all", method, path, url.Values{}))
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s answers %d", method, path, w.Code)
			}
		}
	}
	s.untouched("paths", 0)
}

func TestHostile_scans_are_limited(t *testing.T) {
	t.Parallel()
	s := open(t, admin.Options{Scans: 1})
	var refused int
	begun := time.Now()
	for range 20 {
		for path, form := range map[string]url.Values{"browse": {}, "clear": {"pattern": {"book:*"}}} {
			if w := s.post("ann/act", path, form); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "1" {
				refused++
			} else if w.Code != http.StatusOK {
				t.Errorf("%s answers %d", path, w.Code)
			}
		}
	}
	// Two at once, and one more with each second that it takes.
	took := time.Since(begun)
	if most := 3 + int(took.Seconds()); 40-refused > most {
		t.Errorf("%d of 40 steps within %v were refused, want all but %d", refused, took, most)
	}
	if w := s.post("bob/act", "browse", nil); w.Code != http.StatusOK {
		t.Errorf("the step of somebody else answers %d", w.Code)
	}
}
