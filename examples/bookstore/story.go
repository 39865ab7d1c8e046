package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
)

// outcome is where the answer of a look came from.
type outcome string

const (
	hit   outcome = "hit"
	miss  outcome = "miss"
	stale outcome = "stale"
)

// story shows what is asked, what comes from the cache and what does not, and what a write changes about that.
type story struct {
	ctx   context.Context //nolint:containedctx // one story is one call
	one   *shop           // the process that writes
	two   *shop           // another one
	cast  cast
	out   *page
	step  int
	wrong int
	noted bool  // a look needs the footnote
	err   error // of the first step that failed: the rest is not told
}

// tell runs the story and returns how many of its looks were not as they should be.
func tell(ctx context.Context, one, two *shop, out *page) (wrong int, err error) {
	who, err := choose(ctx, one.db)
	if err != nil {
		return 0, err
	}
	s := &story{ctx: ctx, one: one, two: two, cast: who, out: out}
	for _, chapter := range []func(){
		s.shelf, s.addBooks, s.retitle, s.pageParts, s.move, s.negative, s.rows, s.follow, s.role, s.rollback,
		s.sale, s.leave, s.staleCopy, s.herd,
	} {
		chapter()
		if s.err != nil {
			return s.wrong, fmt.Errorf("step %d: %w", s.step, s.err)
		}
	}
	if s.noted {
		out.linef("\n* A list that names rows which are new to the cache is loaded again: only then is it sure that\n" +
			"  none of them changed during the load.")
	}
	return s.wrong, nil
}

func (s *story) beginf(format string, args ...any) {
	s.step++
	s.out.titlef("%2d  %s", s.step, fmt.Sprintf(format, args...))
}

// look asks for a node in a process and shows what came of it. What is not as expected is shown as such, and counted.
func look[N cacheme.NodeOf[V], V any](s *story, in *shop, bound *cacheme.Bound[N, V], node N, want outcome, say func(V) string) V {
	var none V
	if s.err != nil {
		return none
	}
	key, err := in.cache.KeyOf(node)
	if err != nil {
		s.err = err
		return none
	}
	before := s.queries()
	r, err := bound.GetResult(s.ctx, node)
	said := "not found"
	switch {
	case err == nil:
		said = say(r.Value)
	case !errors.Is(err, cacheme.ErrNotFound):
		s.err = err
		return none
	}
	most := int64(0)
	if want == miss {
		most = settleAtMost
		settle(s, bound, node)
	}
	ran, note := s.queries()-before, ""
	if want == miss && ran > 1 {
		s.noted, note = true, "*"
	}
	s.saw(in, key, outcomeOf(r), want, ran, most, note, said)
	return r.Value
}

// lookUp is look for what has no node.
func lookUp[V any](s *story, in *shop, what string, get func() (cacheme.Result[V], error), want outcome, say func(V) string) {
	if s.err != nil {
		return
	}
	before := s.queries()
	r, err := get()
	if err != nil {
		s.err = err
		return
	}
	most, note := int64(0), ""
	if want == miss {
		most = settleAtMost
		for again, n := r, 0; again.Tier == cacheme.TierSource && s.queries()-before < settleAtMost && s.err == nil; n++ {
			if again, s.err = get(); n > 0 {
				s.noted, note = true, "*"
			}
		}
	}
	s.saw(in, what, outcomeOf(r), want, s.queries()-before, most, note, say(r.Value))
}

// settleAtMost bounds the queries of a look that settles: two are usual.
const settleAtMost = 10

// settle asks again where the first load was not enough. A list that names rows which are new to the cache is loaded
// again: nobody can say whether one of them changed during a load, unless its token was surely there before.
func settle[N cacheme.NodeOf[V], V any](s *story, bound *cacheme.Bound[N, V], node N) {
	for range settleAtMost - 1 {
		if s.err != nil {
			return
		}
		there, err := bound.Peek(s.ctx, node)
		if !errors.Is(err, cacheme.ErrNoEntry) && !there.Stale {
			return
		}
		if _, err = bound.Get(s.ctx, node); !errors.Is(err, cacheme.ErrNotFound) {
			s.err = err
		}
	}
}

func outcomeOf[V any](r cacheme.Result[V]) outcome {
	switch {
	case r.Stale:
		return stale
	case r.Tier == cacheme.TierSource:
		return miss
	}
	return hit
}

// saw shows what came of a look. A miss costs a query or most, everything else none.
func (s *story) saw(in *shop, key string, got, want outcome, ran, most int64, note, said string) {
	where := "get"
	if in == s.two {
		where = "get, process two"
	}
	queries := plural(int(ran), "query") + note
	colour := map[outcome]int{hit: green, miss: yellow, stale: yellow}[got]
	// Padded before it is painted: colours have a length, too.
	s.out.linef("    %-17s %-20s %s %-10s  %s", where, key, s.out.paint(colour, fmt.Sprintf("%-5s", got)), queries, said)
	if got != want || ran > most || want == miss && ran == 0 {
		s.wrong++
		s.out.linef("    %s", s.out.paint(red, fmt.Sprintf("!! should be a %s, with at most %s", want, plural(int(most), "query"))))
	}
}

// queries is how many were sent to the database, by both processes.
func (s *story) queries() int64 { return s.one.queries.n.Load() + s.two.queries.n.Load() }

// write writes in process one, and shows which entries that made wrong.
func (s *story) write(said string, m manner, w write, besides ...write) {
	before := s.fresh()
	if s.err != nil {
		return
	}
	err := s.one.write(s.ctx, m, w, besides...)
	if err != nil && !errors.Is(err, errUndone) {
		s.err = err
		return
	}
	s.out.linef("    %-17s %s (%s, %s)", "write", said, w.path, m.name)
	after := s.fresh()
	var wrong []string
	for key := range before {
		if !after[key] {
			wrong = append(wrong, key)
		}
	}
	s.out.linef("    %-17s %s", "makes wrong", few(wrong))
}

// fresh looks at every entry that the cache would serve.
func (s *story) fresh() map[string]bool {
	all := map[string]bool{}
	for _, k := range kinds {
		if s.err == nil {
			s.err = k.fresh(s.ctx, s.one, func(key string) { all[key] = true })
		}
	}
	return all
}

// few lists the first of some keys.
func few(keys []string) string {
	const most = 4
	slices.Sort(keys)
	switch n := len(keys); {
	case n == 0:
		return "nothing that is cached"
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), n-most)
	}
	return strings.Join(keys, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		what = stem + "ie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
