package integration_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/torture"
	"github.com/cacheme/cacheme/internal/suite"
)

// Each of these rules, taken out, is found by the random run alone. Every other one has a schedule of its own, in
// internal/suite. One after the other and before the parallel tests: a process whose Redis is slow for want of a processor
// caches nothing, so that it breaks nothing.
func TestMissingRule_is_found_by_the_torture_run(t *testing.T) {
	none := []string{}
	for _, c := range []struct {
		rule   string
		broken torture.Broken
		faults []string
		// reads and deeds are those among which the rule has to do; nil: all.
		reads, deeds []string
	}{
		{"token equality", torture.Broken{Rules: guard.Without(guard.EqualTokens)}, none, nil, nil},
		{"lease on fill", withoutText(t, "fill", "if holder ~= ARGV[at] then return 0 end", ""), none, []string{"exact"}, []string{"by hand"}},
		{"held equals nothing", torture.Broken{Rules: guard.Without(guard.HeldIsNotFresh)}, none, nil, nil},
		{"release after COMMIT", torture.Broken{Rules: guard.Without(guard.ReleaseAfterCommit)}, none, nil, nil},
		{"a committed release always invalidates", withoutText(t, "release", "if outcome == 'rollback' and not mine then", "if not mine then"), []string{"keys are deleted by hand"}, []string{"one"}, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if len(c.faults) > 0 && !suite.Torture() {
				t.Skip("not run: only in make torture; what has to come together takes 20 s, and minutes beside other tests")
			}
			r := torture.Run(t, torture.Settings{
				For: time.Minute, Seed: rand.Uint64(), Topology: torture.Single, Database: torture.SQLite, Inside: 3, Broken: c.broken,
				Rest: 60 * time.Millisecond, Restless: true, Faults: c.faults, Reads: c.reads, Deeds: c.deeds,
			})
			if r.Violation == nil {
				t.Errorf("with the rule out nothing was found:\n%v", r)
			}
			t.Logf("found after %v:\n%v", r.Took, r)
		})
	}
}

// withoutText takes a rule out of a script. A text that is not there any more would leave the rule in.
func withoutText(t *testing.T, script, text, off string) torture.Broken {
	t.Helper()
	return torture.Broken{Rewrite: func(name, source string) string {
		if name != script {
			return source
		}
		if !strings.Contains(source, text) {
			t.Errorf("%s.lua does not hold %q any more", name, text)
		}
		return strings.Replace(source, text, off, 1)
	}}
}
