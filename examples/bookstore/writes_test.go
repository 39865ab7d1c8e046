package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/suite"
)

// TestEveryWay writes in every way, and looks after each write at all that is cached. make torture does so in every manner,
// make test alone and in a third of the others.
func TestEveryWay_of_writing_leaves_nothing_old_behind(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server, db := openEmpty(t)
	h := newHistory(db)
	if err := fill(ctx, db, h, smallSize, 1, newPage(new(strings.Builder))); err != nil {
		t.Fatal(err)
	}
	var shops []*shop
	for range 2 {
		s, err := openShop(server, db, h, small())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.close(ctx) })
		shops = append(shops, s)
	}
	// Low numbers are drawn most often, by the readers here as by the writers.
	look := func(after string) {
		t.Helper()
		for _, k := range kinds {
			for id := int64(1); id <= int64(min(3, k.ids(smallSize))); id++ {
				r := reading{process: shops[1], began: time.Now()}
				reply, err := k.ask(ctx, shops[1], id)
				if err != nil {
					t.Fatalf("%s: read %s %d: %v", after, k.name, id, err)
				}
				if reply.stale {
					r.age = k.stale + clockSlack
				}
				if wrong, err := h.check(ctx, reply.claims, r); wrong != "" || err != nil {
					t.Fatalf("%s: read %s %d: %s, %v", after, k.name, id, wrong, err)
				}
			}
			err := k.sweep(ctx, shops[1], func(key string, right bool) {
				if !right {
					t.Errorf("%s: %s is wrong, and would be served", after, key)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	d := (&traffic{size: smallSize, seed: 1}).dice(0)
	written := map[string]int{}
	look("the beginning")
	for i, draw := range drawings {
		for j, m := range manners {
			if j > 0 && (i+j)%3 != 0 && !suite.Torture() {
				continue
			}
			w := draw(d)
			after, known := w.path+", "+m.name, h.last
			err := shops[0].write(ctx, m, w, d.write())
			if err != nil && !errors.Is(err, errUndone) && !refused(err) {
				t.Fatalf("%s: %v", after, err)
			}
			look(after)
			entries, logErr := db.since(ctx, known)
			if logErr != nil {
				t.Fatal(logErr)
			}
			if err != nil && len(entries) > 0 {
				t.Errorf("%s: wrote %v, and was taken back", after, entries)
			}
			written[w.path] += len(entries)
		}
	}
	for path, entries := range written {
		if entries == 0 {
			t.Errorf("%s never wrote anything", path)
		}
	}
}

// openEmpty opens a Redis and a database with nothing in them.
func openEmpty(t *testing.T) (*redisServer, *database) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	db, err := openDatabase(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.close() })
	s, err := openRedis(config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close(ctx) })
	return s, db
}
