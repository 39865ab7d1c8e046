package writecost

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// roundTrips counts what a write of one, ten and a thousand rows costs.
func roundTrips(t *testing.T, d writes.Database) {
	table(t, d)
	var lanes []lane
	for _, w := range ways() {
		l := openLane(t, d, w, new(counts))
		// The first write loads scripts and asks for the server's run.
		if err := shapes()[0].do(t.Context(), l.db, 1, "the warm-up"); err != nil {
			t.Fatal(err)
		}
		lanes = append(lanes, l)
	}
	for _, s := range shapes() {
		for _, rows := range []int64{1, 10, members} {
			bare, commands := 0, 0
			for _, l := range lanes {
				what := fmt.Sprintf("%s of %d rows, %s", s.name, rows, l.name)
				redis, database, err := l.counts.during(func() error { return s.do(t.Context(), l.db, rows, what) })
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if l.bare {
					bare = len(database)
				}
				t.Logf("%v, %s: %d round trips to Redis (%s), %d calls of the database, %.2f times the bare ones (%s)",
					d.Dialect, what, len(redis), strings.Join(redis, ", "), len(database), float64(len(database))/float64(bare), shortened(database))
				// What a write says of itself is one command more.
				if l.forgets && l.counts.commands != commands-1 {
					t.Errorf("%s: %d commands to Redis, and with provenance %d, want one more", what, l.counts.commands, commands)
				}
				commands = l.counts.commands
				if len(redis) > l.trips || len(redis) == 0 && !l.bare {
					t.Errorf("%s: %d round trips to Redis, want %d: %s", what, len(redis), l.trips, strings.Join(redis, ", "))
				}
			}
		}
	}
}

// shortened are calls by their first words.
func shortened(calls []string) string {
	short := slices.Clone(calls)
	for i, c := range short {
		if words := strings.Fields(c); len(words) > 2 {
			short[i] = strings.Join(words[:2], " ") + " .."
		}
	}
	return strings.Join(short, "; ")
}

// dependentEntries is how many entries of a member make torture has; make test has a twentieth.
const dependentEntries = 100_000

// dependents saves a member on whom many entries depend, and one on whom a single one does.
func dependents(t *testing.T, d writes.Database) {
	table(t, d)
	l := openLane(t, d, ways()[2], new(counts))
	ctx := t.Context()
	const popular, lonely = 1, 2
	fill := func(member int64, n int) {
		t.Helper()
		for from := 0; from < n; from += 200 {
			var nodes []Profile
			for part := from; part < min(n, from+200); part++ {
				nodes = append(nodes, Profile{Member: member, Part: int64(part)})
			}
			_, err := cacheme.GetManyFrom(ctx, l.cache, nodes, func(_ context.Context, missing []Profile) (map[Profile]string, error) {
				found := make(map[Profile]string, len(missing))
				for _, p := range missing {
					found[p] = "a profile"
				}
				return found, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	n := suite.Count(dependentEntries)
	if d.Dialect == writes.SQLite {
		n /= 10 // the Redis beside it is the embedded one, which takes a millisecond for a script
	}
	fill(popular, n)
	fill(lonely, 1)
	if got, err := l.cache.Count(ctx, Profile{}); err != nil || got != n+1 {
		t.Fatalf("Count() = %d, %v, want %d entries", got, err, n+1)
	}
	save := func(member int64, name string) ([]string, error) {
		redis, _, err := l.counts.during(func() error {
			_, err := l.db.NewUpdate().Model(&Member{ID: member, Name: name}).WherePK().Exec(ctx)
			return err
		})
		return redis, err
	}
	of := map[int64][]string{}
	for _, member := range []int64{lonely, popular, lonely, popular} {
		redis, err := save(member, fmt.Sprint("a new name ", len(of)))
		if err != nil {
			t.Fatal(err)
		}
		of[member] = redis
	}
	if !slices.Equal(of[popular], of[lonely]) || len(of[popular]) == 0 {
		t.Errorf("saving a member with %d dependents costs %q, with one %q", n, of[popular], of[lonely])
	}
	t.Logf("saving a member with %d dependents: %q", n, of[popular])
	// And they are all wrong.
	for _, part := range []int64{0, int64(n) / 2, int64(n) - 1} {
		loaded := false
		_, err := cacheme.GetFrom(ctx, l.cache, Profile{Member: popular, Part: part}, func(context.Context, Profile) (string, error) {
			loaded = true
			return "a new profile", nil
		})
		if err != nil || !loaded {
			t.Errorf("part %d was loaded again: %v, %v; want it to be wrong", part, loaded, err)
		}
	}
}
