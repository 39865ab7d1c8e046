package transactions

import (
	"testing"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// schedule is an order of steps that breaks a promise if, and only if, a rule of the writer's side is off.
type schedule struct {
	rule  guard.Rule
	name  string // as docs/protocol.md has it
	story string
	in    writes.Dialect // where the rule makes a difference; zero: everywhere
	// play returns the promise that broke, "" if none did.
	play func(t *testing.T, d writes.Database, off guard.Set) string
}

func schedules() []schedule {
	return []schedule{
		{
			rule: guard.ReleaseAfterCommit, name: "release after COMMIT",
			story: "a process is killed after its COMMIT; somebody read just before",
			play:  releasedTooEarly,
		}, {
			rule: guard.ReleaseAfterCommit, name: "release after COMMIT",
			story: "the COMMIT is refused by the database", in: writes.Postgres,
			play: refusedCommit,
		}, {
			rule: guard.ReturnAfterRelease, name: "return after release",
			story: "nothing could be held, and somebody reads once Commit has returned",
			play:  returnedTooEarly,
		}, {
			rule: guard.FenceOnTransaction, name: "fence on the transaction",
			story: "a process sleeps past its hold before its COMMIT, and is killed after it", in: writes.Postgres | writes.MariaDB,
			play: func(t *testing.T, d writes.Database, off guard.Set) string { return slept(t, d, off, inTransaction) },
		}, {
			rule: guard.FenceOnStatement, name: "fence on the statement",
			story: "the same, with a statement that has no transaction", in: writes.Postgres,
			play: func(t *testing.T, d writes.Database, off guard.Set) string { return slept(t, d, off, alone) },
		}, {
			rule: guard.TransactionBypasses, name: "transaction bypasses",
			story: "somebody reads what a transaction read, with its context, and rolled back",
			play:  leaked(true),
		}, {
			rule: guard.TransactionBypasses, name: "transaction bypasses",
			story: "somebody reads what a transaction read, with another context, and rolled back",
			play:  leaked(false),
		},
	}
}

// rules plays the schedule of every rule twice: with the rule on no promise breaks, with it off one does.
func rules(t *testing.T, open writes.Open) {
	var shown guard.Set
	for _, s := range schedules() {
		shown |= guard.Without(s.rule)
	}
	for r := guard.ReleaseAfterCommit; r <= guard.FenceOnStatement; r++ {
		if !shown.Off(r) {
			t.Errorf("guard.Rule %d has no schedule that shows what it is for", r)
		}
	}
	for _, s := range schedules() {
		t.Run(s.name+", "+s.story, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			if s.in != 0 && s.in&d.Dialect == 0 {
				t.Skipf("%v has no way to break it, or no limit to keep it by", d.Dialect)
			}
			if broke := s.play(t, d, 0); broke != "" {
				t.Errorf("with the rule on: %s", broke)
			}
			if broke := s.play(t, d, guard.Without(s.rule)); broke == "" {
				t.Error("with the rule off no promise broke: the schedule does not show what the rule is for")
			} else {
				t.Logf("with the rule off: %s", broke)
			}
		})
	}
}
