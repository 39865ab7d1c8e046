package scenarios

import (
	"context"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func listPage(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	db := newBookstore("Emma", "Persuasion", "Ulysses", "Dune")
	db.list(1, 1, 2)
	page := func() string { return titles(get(p, List{Page: 1}, db.loadList)) }
	warm(p, List{Page: 1}, db.loadList)
	db.asked()

	db.rename(3, "Ulysses, annotated")
	p.invalidate(BookChanged{ID: 3})
	want(t, "page", page(), "[Emma Persuasion]")
	want(t, "queries after an edit of a book that is not on the page", db.asked(), 0)

	db.rename(2, "Sanditon")
	p.invalidate(BookChanged{ID: 2})
	want(t, "page after an edit of a book on it", page(), "[Emma Sanditon]")
	want(t, "queries", db.asked(), 1)

	// Book 1 leaves the page, together with an edit of book 2 that makes it load again.
	db.list(1, 2, 4)
	p.invalidate(BookChanged{ID: 2})
	warm(p, List{Page: 1}, db.loadList)
	want(t, "page after the exchange", page(), "[Dune Sanditon]")
	db.asked()
	p.invalidate(BookChanged{ID: 1})
	page()
	want(t, "queries after an edit of the book that has left", db.asked(), 0)
	db.rename(4, "Dune Messiah")
	p.invalidate(BookChanged{ID: 4})
	want(t, "page after an edit of the book that has come", page(), "[Dune Messiah Sanditon]")
}

// slowLoader lets a loader read, then a writer write and invalidate, and only then the loader return.
func slowLoader(t *testing.T, open suite.Open) {
	ways := map[string]func(p *process) error{
		"invalid node": func(p *process) error { return p.Invalidate(context.Background(), BookChanged{ID: 1}) },
		"tag":          func(p *process) error { return p.Invalidate(context.Background(), cacheme.Tag("titles")) },
		"table":        func(p *process) error { return p.Invalidate(context.Background(), cacheme.Table("books")) },
		"class": func(p *process) error {
			return p.Invalidate(context.Background(), cacheme.Class[Title](), cacheme.Class[Standing]())
		},
		"exact key": func(p *process) error { return p.Remove(context.Background(), Title{Book: 1}, Standing{Book: 1}) },
		"pattern": func(p *process) error {
			_, err := p.RemovePattern(context.Background(), "*")
			return err
		},
	}
	for name, way := range ways {
		for _, reload := range []bool{false, true} {
			life := "first load"
			if reload {
				life = "reload"
			}
			t.Run(life+" by "+name, func(t *testing.T) {
				t.Parallel()
				lateFill(t, open, way, reload,
					func(p *process, load func() string) string {
						return get(p, Title{Book: 1}, func(context.Context, Title) (string, error) { return load(), nil })
					}, true)
			})
			t.Run(life+" by "+name+" where old may stand in", func(t *testing.T) {
				t.Parallel()
				lateFill(t, open, way, reload,
					func(p *process, load func() string) string {
						return get(p, Standing{Book: 1}, func(context.Context, Standing) (string, error) { return load(), nil })
					}, false)
			})
		}
	}
}

func lateFill(t *testing.T, open suite.Open, invalidate func(*process) error, reload bool, read func(p *process, load func() string) string, strict bool) {
	server := open(t)
	slow, other := start(t, server, cacheme.Options{}), start(t, server, cacheme.Options{})
	db := newBookstore("old")
	query := func() string {
		title, _ := db.loadTitle(context.Background(), Title{Book: 1})
		return title
	}
	if reload {
		read(slow, query)
		if err := invalidate(other); err != nil {
			t.Fatal(err)
		}
	}

	loaded, release := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		once := sync.OnceFunc(func() { close(loaded) })
		read(slow, func() string {
			title := query()
			once()
			<-release
			return title
		})
	}()
	<-loaded
	db.rename(1, "new")
	if err := invalidate(other); err != nil {
		t.Fatal(err)
	}

	// Who comes now, in either process, may wait for the slow loader, but not take what it brings. An old value that may
	// stand in may do so only while the loader is at work, and never for the writer itself.
	var wg sync.WaitGroup
	var here, there string
	wg.Go(func() { here = read(slow, query) })
	wg.Go(func() { there = read(other, query) })
	close(release)
	<-done
	wg.Wait()
	want(t, "the writer's own read while the slow loader runs", there, "new")
	if strict {
		want(t, "a read in the slow loader's process", here, "new")
	}
	for range 2 {
		want(t, "the slow loader's process afterwards", read(slow, query), "new")
		want(t, "the other process afterwards", read(other, query), "new")
	}
}
