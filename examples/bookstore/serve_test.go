package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// openSite serves a small shop.
func openSite(t *testing.T) *httptest.Server {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	server, db := openEmpty(t)
	h := newHistory(db)
	if err := fill(ctx, db, h, smallSize, 1, newPage(io.Discard)); err != nil {
		t.Fatal(err)
	}
	c := small()
	c.hold = time.Minute // what is loaded while Redis is new outlives the test
	s, err := openShop(server, db, h, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close(ctx) })
	handler, end, err := newSite(ctx, s, db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	site := httptest.NewServer(handler)
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	site.Client().Jar = jar
	return site
}

// asking sends a request, of a form where there is one, and returns what it led to.
func asking(t *testing.T, site *httptest.Server, path string, form url.Values, change ...func(*http.Request)) (status int, body string) {
	t.Helper()
	method, sent := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, sent = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, site.URL+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(r)
	}
	answer, err := site.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

var tiers = regexp.MustCompile(`class="tier (\w+)"`)

// tiersOf are the tiers of the parts of a page.
func tiersOf(body string) (all []string) {
	for _, m := range tiers.FindAllStringSubmatch(body, -1) {
		all = append(all, m[1])
	}
	return all
}

// settled asks for a page until nothing of it comes from the database; lists are loaded twice, see the story.
func settled(t *testing.T, site *httptest.Server, path string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		status, body := asking(t, site, path, nil)
		if status != http.StatusOK {
			t.Fatalf("GET %s = %d, %s", path, status, body)
		}
		if !strings.Contains(body, `class="tier source"`) {
			return body
		}
	}
	t.Fatalf("%s always has something from the database", path)
	return ""
}

func TestSite_says_of_each_part_where_it_came_from(t *testing.T) {
	t.Parallel()
	site := openSite(t)
	if _, body := asking(t, site, "/", nil); len(tiersOf(body)) != 5 || strings.Count(body, `tier source`) != 5 {
		t.Errorf("the first look is from %v, want 5 of source", tiersOf(body))
	}
	settled(t, site, "/")
	for deadline := time.Now().Add(30 * time.Second); ; {
		_, body := asking(t, site, "/", nil)
		if got := strings.Join(tiersOf(body), " "); got == "near redis redis redis redis" {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the window is from %s, want its first part from near", got)
		}
	}
	for _, path := range []string{"/books/1", "/authors/2", "/users/7"} {
		body := settled(t, site, path)
		if !strings.Contains(body, " old") || !strings.Contains(body, `action="/admin/entry"`) {
			t.Errorf("%s tells no age, or has no way to the admin page:\n%s", path, body)
		}
	}
}

func TestSite_shows_what_a_form_has_written_and_leaves_the_rest_cached(t *testing.T) {
	t.Parallel()
	site := openSite(t)
	for kind, forms := range siteForms {
		for _, f := range forms {
			value := "12"
			if f.Type == "text" {
				value = "<b>Something & new</b>"
			}
			settled(t, site, "/"+kind+"/2")
			status, body := asking(t, site, "/"+kind+"/2/"+f.Name, url.Values{"value": {value}})
			if status != http.StatusOK || !strings.Contains(body, "Written, by way of ") || !strings.Contains(body, "tier source") {
				t.Errorf("%s/%s: %d, from %v\n%s", kind, f.Name, status, tiersOf(body), body)
			}
			if strings.Contains(body, "<b>") {
				t.Errorf("%s/%s: a value is HTML", kind, f.Name)
			}
			if kind == "books" && f.Name == "title" && !strings.Contains(body, "tier redis") {
				t.Errorf("nothing stayed cached: %v", tiersOf(body))
			}
		}
	}
}

func TestSite_refuses(t *testing.T) {
	t.Parallel()
	site := openSite(t)
	title := url.Values{"value": {"Emma"}}
	for name, tc := range map[string]struct {
		path   string
		form   url.Values
		change func(*http.Request)
		want   int
	}{
		"another_name_of_this_machine":    {"/", nil, func(r *http.Request) { r.Host = "books.example.com" }, http.StatusForbidden},
		"another_name_for_the_admin_page": {"/admin/", nil, func(r *http.Request) { r.Host = "books.example.com" }, http.StatusForbidden},
		"a_form_of_another_site":          {"/books/1/title", title, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"an_empty_form":                   {"/books/1/title", url.Values{}, nil, http.StatusBadRequest},
		"a_number_that_is_none":           {"/books/1/owner", url.Values{"value": {"-1"}}, nil, http.StatusBadRequest},
		"a_row_that_the_database_refuses": {"/books/1/owner", url.Values{"value": {"999999"}}, nil, http.StatusConflict},
		"a_form_that_there_is_not":        {"/books/1/colour", title, nil, http.StatusNotFound},
		"a_book_that_is_no_number":        {"/books/one", nil, nil, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := tc.change
			if change == nil {
				change = func(*http.Request) {}
			}
			if status, body := asking(t, site, tc.path, tc.form, change); status != tc.want {
				t.Errorf("%s = %d, want %d: %s", tc.path, status, tc.want, body)
			}
		})
	}
}

func TestSite_lets_a_browser_be_another_operator(t *testing.T) {
	t.Parallel()
	site := openSite(t)
	if _, body := asking(t, site, "/", nil); !strings.Contains(body, `value="demo"`) {
		t.Errorf("nobody is demo in\n%s", body)
	}
	if status, body := asking(t, site, "/admin/", nil); status != http.StatusOK || !strings.Contains(body, "<strong>demo</strong>") {
		t.Errorf("/admin/ = %d, and knows no demo\n%s", status, body)
	}
	if _, body := asking(t, site, "/operator", url.Values{"name": {`Eve "the" <b>`}}); !strings.Contains(body, `value="Eve &#34;the&#34; &lt;b&gt;"`) {
		t.Errorf("nobody is Eve in\n%s", body)
	}
	if _, body := asking(t, site, "/admin/", nil); !strings.Contains(body, "<strong>Eve &#34;the&#34; &lt;b&gt;</strong>") {
		t.Errorf("the admin page knows no Eve:\n%s", body)
	}
}

func TestServe_ends_with_its_context(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := small()
	c.serve = "127.0.0.1:0"
	out := &cutter{word: "From a shell", cut: cancel}
	if err := served(ctx, c, newPage(out)); err != nil {
		t.Fatalf("served() = %v, after\n%s", err, &out.Buffer)
	}
	for _, line := range []string{`Open http://127\.0\.0\.1:\d+/, with the admin page at http://127\.0\.0\.1:\d+/admin/`, "THIS IS A DEMONSTRATION", `CACHEME_REDIS=redis://127\.0\.0\.1:\d+ CACHEME_PREFIX=bookstore:\w+:`} {
		if !regexp.MustCompile(line).Match(out.Bytes()) {
			t.Errorf("nothing matches %q in\n%s", line, &out.Buffer)
		}
	}
}

func TestParse_has_the_site_listen_on_this_machine_alone(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		":8080":             "127.0.0.1:8080",
		"localhost:8080":    "localhost:8080",
		"[::1]:8080":        "[::1]:8080",
		"127.3.0.1:0":       "127.3.0.1:0",
		"0.0.0.0:8080":      "can be reached from elsewhere",
		"[::]:8080":         "can be reached from elsewhere",
		"192.0.2.1:8080":    "can be reached from elsewhere",
		"example.com:8080":  "can be reached from elsewhere",
		"8080":              "missing port in address",
		"localhost.eu:8080": "can be reached from elsewhere",
	} {
		var stderr bytes.Buffer
		c, err := parse([]string{"-serve", asked}, &stderr)
		if err == nil && c.serve != want || err != nil && !strings.Contains(stderr.String(), want) {
			t.Errorf("parse(-serve %s) = %q, %v; want %q", asked, c.serve, err, want)
		}
	}
}
