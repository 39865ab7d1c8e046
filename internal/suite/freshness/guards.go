package freshness

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/guard"
)

// schedule is one order of steps that breaks a promise if, and only if, a rule is off.
type schedule struct {
	name    string
	off     broken
	subject subject
	clock   embedded.Clock
	play    func(s *stage)
}

// stage is a world on an embedded Redis in a synctest bubble: time passes only where a step says so, and everything
// that can happen before it has happened when a step is over. So each schedule is exact, and takes no time.
type stage struct {
	*world
	server *embedded.Server
	manual bool      // the server's clock
	x, y   *instance // two processes
}

// id is the row that most schedules are about.
const id = 7

// Guards plays the schedule of every rule twice: with the rule on no promise breaks, with it off one does.
func Guards(t *testing.T) {
	eachRuleHasOne(t)
	for _, c := range schedules() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if broke := c.run(t, broken{}); broke != nil {
				t.Errorf("with the rule on: %v", broke)
			}
			if broke := c.run(t, c.off); broke == nil {
				t.Error("with the rule off no promise broke: the schedule does not show what the rule is for")
			} else {
				t.Logf("with the rule off: %v", broke)
			}
		})
	}
}

// eachRuleHasOne fails where a rule has no schedule.
func eachRuleHasOne(t *testing.T) {
	t.Helper()
	var shown guard.Set
	for _, c := range schedules() {
		shown |= c.off.rules
	}
	for r := guard.EqualTokens; r <= guard.EpochBinds; r++ {
		if !shown.Off(r) {
			t.Errorf("guard.Rule %d has no schedule that shows what it is for", r)
		}
	}
}

// schedules are those of all rules that live in the core. "No fill under a hold" for declared tokens is not among
// them: it is redundant, see docs/protocol.md.
func schedules() []schedule {
	var all []schedule
	for _, part := range [][]schedule{readSchedules(), joinSchedules(), lateSchedules(), lossSchedules(), transactionSchedules()} {
		all = append(all, part...)
	}
	return all
}

func without(rules ...guard.Rule) broken { return broken{rules: guard.Without(rules...)} }

func withoutLua(script, text, off string) broken {
	return broken{lua: &luaRule{script: script, text: text, off: off}}
}

// run plays the schedule and returns the promises that broke.
func (c schedule) run(t *testing.T, b broken) (broke []string) {
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins in the year 2000, when a Unix time had nine digits: the protocol's have ten.
		time.Sleep(20 * 365 * 24 * time.Hour)
		server, err := embedded.Start(embedded.Options{Clock: c.clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		s := &stage{server: server, manual: c.clock == embedded.Manual, world: newWorld(t, embedded.Universal{Server: server}, c.subject, 2, b, cacheme.Options{
			Hold: holdTime, Budget: time.Hour, WriteBudget: time.Hour,
		})}
		s.x, s.y = s.instances[0], s.instances[1]
		s.warmUp()
		c.play(s)
		broke = s.broke()
	})
	return broke
}

// warmUp loads the scripts and the server's run id into both instances, so that no schedule meets them in its midst, and
// lets the probation of what that made go by.
func (s *stage) warmUp() {
	s.t.Helper()
	const other = id + 1000
	s.read(s.x, other, "the warm-up")
	s.read(s.y, other, "the warm-up")
	s.pass(3 * holdTime)
	s.read(s.x, other, "the warm-up")
}

// pass lets time go by, for the server and for the processes.
func (s *stage) pass(d time.Duration) {
	time.Sleep(d) // the bubble's time
	if s.manual {
		s.server.Advance(d)
	}
}

// row is the row that the schedule is about.
func (s *stage) row() *record { return s.record(id) }

// commit changes the database and tells nobody: the writer was killed after its COMMIT.
func (s *stage) commit() { s.row().version.Add(1) }

// tick makes what follows younger than what was before.
func (s *stage) tick() { s.pass(time.Millisecond) }

// settle lets everything happen that can happen without time or a further step.
func (s *stage) settle() { synctest.Wait() }

// joined starts a Get that finds a load under way in its instance, and lets it come to wait for that load.
func (s *stage) joined(i *instance, who string) *reading {
	s.t.Helper()
	r := s.start(i, id, who)
	r.hasMissed()
	s.settle()
	r.release()
	return r
}

// older makes the token of the row, so that it is older than what follows.
func (s *stage) older() {
	s.t.Helper()
	s.write(s.y, id)
	s.tick()
}

// token returns the Redis key of the row's token.
func (s *stage) token() string {
	s.t.Helper()
	key, err := s.x.cache.KeyOf(bookChanged{ID: id})
	s.check("KeyOf", err)
	return s.prefix + "row:" + key + tokenSuffix
}

// evict takes a token away. The server counts it only where a schedule has it count, see countEvictions.
func (s *stage) evict() {
	s.t.Helper()
	n, err := s.rdb().Del(s.t.Context(), s.token()).Result()
	s.check("DEL", err)
	if n != 1 {
		s.t.Fatalf("there was no token %s to evict", s.token())
	}
}

func (s *stage) rdb() redis.UniversalClient { return s.x.rdb }
