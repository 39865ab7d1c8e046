package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// registered is how many nodes Pages registers.
const registered = 500

// mostCommands is how many commands one page may send to Redis, whatever is in it: a step of browsing looks at stepped keys, and
// asks a few things of each entry among them.
const (
	stepped      = 1000
	mostCommands = 4*stepped + 50
)

// Pages holds that each page takes a bounded number of commands, and less than within, beside so many entries and 500 nodes. db
// has the audit's table, by the migrations.
func Pages(t *testing.T, server suite.Server, db *bun.DB, entries int, within time.Duration) {
	var commands atomic.Int64
	rdb := server.Client(suite.PatientClient)
	rdb.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		for _, cmd := range trip.Cmds {
			if !tap.Aside(cmd) {
				commands.Add(1)
			}
		}
		return send(trip.Cmds...)
	}})
	cache := suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix()}), Book{})
	for i := range registered {
		cacheme.MustMemo(cache, cacheme.Memoized[int, string]{
			Meta: cacheme.Meta{Key: fmt.Sprintf("list%d:<page>", i)}, Values: func(page int) []any { return []any{page} },
			InvalidNodes: func(int) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag(fmt.Sprint("list", i%50))} },
		}, func(context.Context, int) (string, error) { return "", nil })
	}
	plant(t, cache, rdb, entries)
	page, err := admin.New(cache.Console(), db, admin.Options{Scans: 1_000_000, Step: stepped, Every: time.Hour, Authorize: func(*http.Request) (admin.Actor, error) {
		return admin.Actor{Name: "ann", Role: admin.Act | admin.Reveal}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		return w
	}
	entry := ask(http.MethodPost, "entry", url.Values{"key": {"book:1:alpha"}}).Header().Get("Location")
	for _, p := range []struct {
		method, path string
		form         url.Values
		most         int64
	}{
		{http.MethodGet, "", nil, 5},
		{http.MethodGet, "nodes", nil, 5},
		{http.MethodGet, "node?name=admin.Book", nil, 5},
		{http.MethodGet, "graph", nil, 5},
		{http.MethodGet, "clear?node=admin.Book", nil, 5},
		{http.MethodGet, "browse", nil, 5},
		{http.MethodGet, entry, nil, 30},
		{http.MethodGet, strings.Replace(entry, "entry", "value", 1), nil, 10},
		{http.MethodGet, "audit", nil, 5},
		{http.MethodPost, "browse", url.Values{"node": {"admin.Book"}}, mostCommands},
		{http.MethodPost, "browse", url.Values{"pattern": {"*"}}, mostCommands},
		{http.MethodPost, "clear", url.Values{"tag": {"alpha"}}, mostCommands},
		{http.MethodPost, "clear", url.Values{"pattern": {"book:*"}}, mostCommands},
	} {
		var times []time.Duration
		for range 5 {
			commands.Store(0)
			start := time.Now()
			w := ask(p.method, p.path, p.form)
			times = append(times, time.Since(start))
			if n := commands.Load(); w.Code != http.StatusOK || n > p.most {
				t.Errorf("%s %s answers %d and sends %d commands, want %d at most", p.method, p.path, w.Code, n, p.most)
			}
		}
		slices.Sort(times)
		name, _, _ := strings.Cut(p.path, "?")
		t.Logf("%-4s /%-8s %v: %v, %d commands", p.method, name, p.form, times[2].Round(100*time.Microsecond), commands.Load())
		if times[2] > within {
			t.Errorf("%s %s takes %v of %v", p.method, p.path, times[2], within)
		}
	}
}

// planted is how many entries one trip plants: on a busy machine more take longer than a client waits.
const planted = 1000

// plant loads one entry, and copies it by its bytes.
func plant(t *testing.T, cache *cacheme.Cache, rdb redis.UniversalClient, entries int) {
	t.Helper()
	ctx := t.Context()
	if _, err := cacheme.GetFrom(ctx, cache, Book{ID: 1, Tag: "alpha"}, func(context.Context, Book) (string, error) { return strings.Repeat("text ", 20), nil }); err != nil {
		t.Fatal(err)
	}
	keys, err := suite.Keys(ctx, rdb, cache.Prefix()+"*book:1:alpha*")
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		text, err := rdb.Get(ctx, key).Result()
		if err != nil {
			continue // it is none of the entry's
		}
		for first := 2; first < entries; first += planted {
			pipe := rdb.Pipeline()
			for id := first; id < min(first+planted, entries); id++ {
				pipe.Set(ctx, strings.Replace(key, "book:1:", fmt.Sprintf("book:%d:", id), 1), text, time.Hour)
			}
			if _, err := pipe.Exec(ctx); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Fatalf("no entry under %v", keys)
}
