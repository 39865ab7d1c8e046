package observe

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Comparisons is how many answers make torture compares on each database, by declarations and by Observe: Auto each;
// make test compares a twentieth.
const Comparisons = 100_000

// atOnce is how many answers are compared after a write.
const atOnce = 20

// run is one of random reads beside random writes.
type run struct {
	*place
	asks   []cached
	author author
	last   map[string]string
	tally  score
	by     map[string]*score // ask
	behind int               // so many of a hundred writes are made unseen by the cache
}

// score is how it went.
type score struct{ compared, kept, needed, needless int }

// share is how many of the answers that no write changed were loaded again, in percent.
func (s score) share() float64 { return 100 * float64(s.needless) / float64(max(1, s.kept+s.needless)) }

func (s score) String() string {
	return fmt.Sprintf("%d compared, %d kept, %d changed, %d loaded needlessly (%.1f %%)", s.compared, s.kept, s.needed, s.needless, s.share())
}

// wrongError is an answer that is not the database's.
type wrongError struct{ reason string }

func (e *wrongError) Error() string { return e.reason }

func newRun(t *testing.T, p *place, how manner, seed uint64) *run {
	t.Helper()
	r := &run{place: p, author: author{dice: newDice(seed), dialect: p.Dialect, next: most + 10}, last: map[string]string{}, by: map[string]*score{}}
	check(t, p.plant(t.Context(), r.author.dice))
	r.asks = p.declare(t, how)
	return r
}

// randomly compares every answer with the database's, by declarations and by Observe: Auto, after the same writes.
func randomly(t *testing.T, open writes.Open) {
	seed := seedOf(t)
	var declared, observed *run
	for _, how := range []manner{rightly, auto} {
		r := newRun(t, newPlace(t, open(t), 0), how, seed)
		if err := r.compare(t.Context(), suite.Count(Comparisons)); err != nil {
			t.Fatalf("SEED=%d, %s: %v", seed, how, err)
		}
		if told := r.events.all(); len(told) > 0 {
			t.Errorf("SEED=%d, %s: there are mistakes: %+v", seed, how, told)
		}
		t.Logf("SEED=%d %s: %d dependencies made wrong, %d values born invalid, %v", seed, how, r.cache.Stats().Invalidations, r.cache.Stats().BornInvalid, r.tally)
		for _, c := range r.asks {
			t.Logf("%s %-10s %v", how, c.name, r.by[c.name])
		}
		declared, observed = observed, r
	}
	if observed.tally.kept < observed.tally.compared/4 || declared.tally.kept < declared.tally.compared/4 {
		t.Errorf("SEED=%d: %d and %d of %d answers are kept: nothing is shown by answers that are loaded each time", seed, declared.tally.kept, observed.tally.kept, observed.tally.compared)
	}
}

// compare goes on until so many answers are compared, or one is wrong.
func (r *run) compare(ctx context.Context, comparisons int) error {
	for r.tally.compared < comparisons {
		r.author.told = nil
		db := r.hooked.db
		if r.author.chance(r.behind) {
			db = r.admin.db
		}
		// A write that fails, for what another has deleted, changes nothing; the next ones do.
		failed := r.author.transact(ctx, db)
		if failed != nil && !isForeignKey(failed) {
			return fmt.Errorf("the write fails: %w", failed)
		}
		for range atOnce {
			if err := r.compareOne(ctx, r.asks[r.author.IntN(len(r.asks))], r.author.id()); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForeignKey reports whether a row names one that is not there, or is named by one that is: in three databases' words.
func isForeignKey(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "foreign key")
}

func (r *run) compareOne(ctx context.Context, c cached, id int64) error {
	before := r.loads[c.name]
	answer, err := told(c.Get(ctx, id))
	if err != nil {
		return fmt.Errorf("%s of %d: %w", c.name, id, err)
	}
	loaded := r.loads[c.name] > before
	truth, err := told(c.load(r.admin, ctx, id))
	if err != nil {
		return fmt.Errorf("%s of %d: the database says: %w", c.name, id, err)
	}
	if answer != truth {
		return &wrongError{fmt.Sprintf("%s of %d is wrong, loaded: %v\nthe cache:    %s\nthe database: %s\nafter\n%s", c.name, id, loaded, answer, truth, strings.Join(r.author.told, "\n"))}
	}
	key := fmt.Sprint(c.name, id)
	last, asked := r.last[key]
	if r.by[c.name] == nil {
		r.by[c.name] = &score{}
	}
	for _, s := range []*score{&r.tally, r.by[c.name]} {
		s.compared++
		switch {
		case !loaded:
			s.kept++
		case !asked || last != truth:
			s.needed++
		default:
			s.needless++
		}
	}
	r.last[key] = truth
	return nil
}

// told is an answer as a text.
func told(p page, err error) (string, error) {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, cacheme.ErrNotFound) {
		return "there is none", nil
	}
	if err != nil {
		return "", err
	}
	// An empty list is a list like none.
	for i := range p.Books {
		if len(p.Books[i].Reviews) == 0 {
			p.Books[i].Reviews = nil
		}
	}
	if len(p.Books) == 0 {
		p.Books = nil
	}
	if len(p.Reviews) == 0 {
		p.Reviews = nil
	}
	if len(p.Places) == 0 {
		p.Places = nil
	}
	if len(p.Users) == 0 {
		p.Users = nil
	}
	b, err := json.Marshal(p)
	return string(b), err
}
