package writes

import (
	"context"
	"testing"
	"time"

	"github.com/uptrace/bun"
)

// story is a place in which one thing after the other happens.
type story struct {
	*place
	t   testing.TB
	ctx context.Context
}

// tell makes a place with warm nodes.
func tell(t testing.TB, open Open, s setup) *story {
	t.Helper()
	p := &story{place: newPlace(t, open(t), s), t: t, ctx: t.Context()}
	if err := p.warm(p.ctx, p.classes); err != nil {
		t.Fatal(err)
	}
	return p
}

// step does something, after which exactly the named nodes have to be wrong, and those about the whole of their tables.
func (s *story) step(what string, do func(ctx context.Context, db *bun.DB) error, wrong ...[]string) {
	s.t.Helper()
	was, err := s.dump(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := do(s.ctx, s.db); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	if err := s.holds(was, wrong...); err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
}

// holds looks at everything, after which exactly the named nodes have to have been loaded.
func (s *story) holds(was map[string][]row, wrong ...[]string) error {
	want, err := s.withWhole(all(wrong...))
	if err != nil {
		return err
	}
	now, err := s.dump(s.ctx)
	if err != nil {
		return err
	}
	values, loaded, err := s.look(s.ctx)
	if err != nil {
		return err
	}
	return s.compare(want, loaded, values, was, now)
}

// chapter is one test of a part.
type chapter struct {
	name string
	tell func(t *testing.T, open Open)
}

func runAll(t *testing.T, open Open, chapters []chapter) {
	for _, c := range chapters {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.tell(t, open)
		})
	}
}

// exec drops the result of a query.
func exec(_ any, err error) error { return err }

// eventually waits for a condition.
func eventually(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
