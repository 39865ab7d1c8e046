package queries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Comparisons is how many answers make torture compares on each database; make test compares a twentieth.
const Comparisons = 100_000

const (
	atOnce   = 25 // questions whose answers are cached at the same time
	lifetime = 40 // rounds after which a question makes place for another, about
)

// run is one of random questions beside random writes.
type run struct {
	*place
	author author
	asked  []asked
	tally  map[string]*score
	live   int // questions at the same time
	// behind has a share of the writes, in percent, made unseen by the cache.
	behind int
	// question makes a question; nil: a random one.
	question func(dice) question
}

// asked is a question with the last answer.
type asked struct {
	question
	last string
}

// score is how it went with the questions of one kind.
type score struct{ compared, kept, needed, needless int }

func (s *score) add(other score) {
	s.compared += other.compared
	s.kept += other.kept
	s.needed += other.needed
	s.needless += other.needless
}

// share is how many of the answers that a write did not change were loaded again, in percent.
func (s *score) share() float64 {
	return 100 * float64(s.needless) / float64(max(1, s.kept+s.needless))
}

// wrongError is an answer that is not the database's.
type wrongError struct{ reason string }

func (e *wrongError) Error() string { return e.reason }

func newRun(p *place, seed uint64) *run {
	return &run{place: p, author: author{dice: newDice(seed), dialect: p.Dialect, next: 1000}, tally: map[string]*score{}, live: atOnce}
}

// randomly asks random questions beside random writes, and compares every answer with the database's.
func randomly(t *testing.T, open writes.Open) {
	seed := seed(t)
	r := newRun(newPlace(t, open(t), setup{folding: seed%2 == 0}), seed)
	if err := r.compare(t.Context(), suite.Count(Comparisons)); err != nil {
		t.Fatalf("SEED=%d: %v", seed, err)
	}
	t.Logf("SEED=%d\n%s", seed, r.report())
}

// compare goes on until so many answers are compared, or one is wrong.
func (r *run) compare(ctx context.Context, comparisons int) error {
	if err := r.plant(ctx, r.author.rows()...); err != nil {
		return err
	}
	for done := 0; done < comparisons; done += len(r.asked) {
		if err := r.replace(ctx); err != nil {
			return err
		}
		r.author.told, r.author.undone = nil, false
		db := r.db
		if r.author.chance(r.behind) {
			db = r.admin
		}
		if err := r.author.transact(ctx, db); err != nil {
			return fmt.Errorf("the write fails: %w", err)
		}
		if !r.author.undone {
			if err := r.keepSize(ctx, r.db); err != nil {
				return err
			}
		}
		for i := range r.asked {
			if err := r.compareOne(ctx, &r.asked[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepSize keeps messages from becoming many, and from becoming few.
func (r *run) keepSize(ctx context.Context, db *bun.DB) error {
	n, err := r.admin.NewSelect().Model((*Message)(nil)).Count(ctx)
	switch {
	case err != nil:
		return err
	case n > 2*messages:
		return r.author.exec(ctx, db.NewDelete().Model((*Message)(nil)).Where("id > ?", messages))
	case n < messages/2:
		var missing []Message
		for id := range int64(messages) {
			missing = append(missing, r.author.newMessage(id+1))
		}
		return r.author.exec(ctx, db.NewInsert().Model(&missing).Ignore().Returning("NULL"))
	}
	return nil
}

// replace has new questions asked in place of some.
func (r *run) replace(ctx context.Context) error {
	r.asked = slices.DeleteFunc(r.asked, func(asked) bool { return r.author.IntN(lifetime) == 0 })
	for len(r.asked) < r.live {
		q := r.author.question(r.place)
		if r.question != nil {
			q = r.question(r.author.dice)
		}
		answer, err := q.warm(ctx)
		if _, refused := errors.AsType[*cacheme.UsageError](err); refused {
			return fmt.Errorf("%s\nis refused: %w", q.text, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", q.text, err)
		}
		truth, err := q.plain(ctx)
		if err != nil {
			return fmt.Errorf("%s: the database says: %w", q.text, err)
		}
		if answer != truth {
			return r.wrong(&q, "is answered for the first time (-by the database +by the cache):\n"+cmp.Diff(truth, answer))
		}
		r.asked = append(r.asked, asked{q, answer})
	}
	return nil
}

func (r *run) compareOne(ctx context.Context, q *asked) error {
	answer, loaded, err := q.again(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", q.text, err)
	}
	truth := q.last
	if !r.author.undone { // else the database says what it said
		if truth, err = q.plain(ctx); err != nil {
			return fmt.Errorf("%s: the database says: %w", q.text, err)
		}
	}
	if answer != truth {
		return r.wrong(&q.question, fmt.Sprintf("loaded again: %v (-the database +the cache):\n%s", loaded, cmp.Diff(truth, answer)))
	}
	s := score{compared: 1}
	switch {
	case !loaded:
		s.kept = 1
	case truth == q.last:
		s.needless = 1
	default:
		s.needed = 1
	}
	if r.tally[q.name] == nil {
		r.tally[q.name] = &score{}
	}
	r.tally[q.name].add(s)
	q.last = truth
	return nil
}

func (r *run) wrong(q *question, reason string) error {
	return &wrongError{fmt.Sprintf("%s\nis wrong, %s\nafter\n%s", q.text, reason, strings.Join(r.author.told, "\n"))}
}

// report says how it went, by kind of question.
func (r *run) report() string {
	var total score
	var names []string
	for name, s := range r.tally {
		total.add(*s)
		names = append(names, name)
	}
	slices.Sort(names)
	line := func(name string, s *score) string {
		return fmt.Sprintf("%-50s %7d compared %7d kept %6d changed %6d loaded needlessly (%.0f %%)\n", name, s.compared, s.kept, s.needed, s.needless, s.share())
	}
	var b strings.Builder
	b.WriteString(line("all", &total))
	for _, name := range names {
		b.WriteString(line(name, r.tally[name]))
	}
	return b.String()
}
