package console

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// follows is told of a write by whoever made it and of a removal, and not of what was rolled back.
func follows(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	for who, k := range w.both() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		told, ended := make(chan cacheme.Followed, 10_000), make(chan error, 1)
		go func() {
			ended <- k.Follow(ctx, func(some []cacheme.Followed, missed int) {
				if missed > 0 {
					t.Errorf("%s: %d were missed", who, missed)
				}
				for _, f := range some {
					told <- f
				}
			})
		}()
		write := cacheme.By(cacheme.Write{Operation: "UPDATE", Table: "book_rows"})
		for len(told) == 0 && ctx.Err() == nil { // it listens once it tells of a write
			must(t, w.Invalidate(ctx, write, BookChanged{ID: 6}))
			time.Sleep(10 * time.Millisecond)
		}
		get(w, Book{ID: 7}, map[string]int64{"pages": 300})
		undone, err := w.Hold(ctx, BookChanged{ID: 8})
		must(t, err)
		must(t, undone.End(ctx, context.Canceled))
		must(t, w.Invalidate(ctx, write, BookChanged{ID: 7}))
		must(t, w.Remove(ctx, Book{ID: 7}))

		wrong, removed := 0, 0
		take := func(f cacheme.Followed) {
			switch {
			case f.Key == "book:7":
				removed++
			case f.Name == "row:book_row:8":
				t.Errorf("%s: told of what was rolled back: %+v", who, f)
			case f.Name == "row:book_row:7":
				wrong++
				if f.LastWrite == nil || f.LastWrite.Operation != "UPDATE" || f.At.IsZero() {
					t.Errorf("%s: told %+v, want by whom and when", who, f)
				}
			}
		}
		for (wrong == 0 || removed == 0) && ctx.Err() == nil {
			select {
			case f := <-told:
				take(f)
			case <-ctx.Done():
			}
		}
		cancel()
		err = <-ended
		for len(told) > 0 { // what was told together with the last
			take(<-told)
		}
		if err != nil || wrong != 1 || removed != 1 {
			t.Errorf("%s: Follow() = %v, after it told %d times of the write and %d times of the removal", who, err, wrong, removed)
		}
		if err := k.Follow(ctx, nil); err != nil {
			t.Errorf("%s: Follow() with a context that has ended = %v", who, err)
		}
	}
}
