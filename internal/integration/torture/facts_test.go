package torture

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// trial is a judge with a database of which the test writes the log.
type trial struct {
	*judge

	t    *testing.T
	seq  int64
	said []*violation
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	d := Database{SQLite, filepath.Join(t.TempDir(), "log.db")}
	if err := d.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := d.open(d.connector())
	t.Cleanup(func() { _ = db.Close() })
	c := &trial{t: t, seq: 1 << 20}
	var err error
	if c.judge, err = newJudge(t.Context(), witness{db}, func(v *violation) { c.said = append(c.said, v) }); err != nil {
		t.Fatal(err)
	}
	return c
}

var theThing = Fact{Group{thingIs, 1}, 0}

// begins has a write begin, and commits has it be committed, whatever the judge has heard of it.
func (c *trial) begins(process int, stamp int64, at Time) {
	c.tell(Record{Process: process, Write: &Write{Stamp: stamp, Start: at, Kind: "test", Things: []int64{1}}})
}

func (c *trial) commits(stamp int64) {
	c.t.Helper()
	c.seq++
	_, err := c.witness.db.ExecContext(context.Background(),
		"INSERT INTO witnessed (seq, aspect, of_id, item, value, stamp) VALUES (?, 'thing', 1, 0, ?, ?)", c.seq, stamp, stamp)
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *trial) returns(process int, stamp int64, at Time, kept bool) {
	c.tell(Record{Process: process, End: &End{Stamp: stamp, At: at, Outcome: Committed, Kept: kept}})
}

// writes is a whole write of process 1, from 2 s to 3 s.
func (c *trial) writes(kept bool) {
	c.t.Helper()
	c.begins(1, two, 2*second)
	c.commits(two)
	c.returns(1, two, 3*second, kept)
}

// holds has a write begin, hold and be committed.
func (c *trial) holds(process int, stamp int64, at Time) {
	c.t.Helper()
	c.begins(process, stamp, at)
	c.tell(Record{Process: process, Held: &Held{stamp, at + 1}})
	c.commits(stamp)
}

func (c *trial) reads(process int, stamp int64, start, end Time, how func(*Read)) {
	r := &Read{Kind: "row", ID: 1, Process: process, Start: start, End: end, Tier: cacheme.TierRedis, Claims: []Claim{{theThing, stamp}}, Loads: []Load{{process, 1, start}}}
	if how != nil {
		how(r)
	}
	c.tell(Record{Process: process, Read: r})
}

func (c *trial) tell(r Record) {
	c.t.Helper()
	if err := c.take(c.t.Context(), r); err != nil {
		c.t.Fatal(err)
	}
}

const (
	second = Time(time.Second)
	two    = 2 << 40
	three  = 3 << 40
)

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		play  func(c *trial)
		broke string
	}{
		"what had been replaced is old": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 3*second+1, 4*second, nil)
		}, "P1"},
		"also where the write is heard of after the Get": {func(c *trial) {
			c.begins(1, two, 2*second)
			c.commits(two)
			c.reads(2, planted, 3*second+1, 4*second, nil)
			c.returns(1, two, 3*second, false)
		}, "P1"},
		"a Get that began before the write had returned may show what was": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 3*second-1, 4*second, nil)
		}, ""},
		"what is newer than any write that has returned": {func(c *trial) {
			c.begins(1, two, 2*second)
			c.commits(two)
			c.reads(2, two, 3*second, 4*second, nil)
		}, ""},
		"what nobody has committed": {func(c *trial) {
			c.begins(1, two, 2*second)
			c.reads(2, two, 3*second, 4*second, nil)
		}, "P2"},
		"what is gone": {func(c *trial) {
			c.writes(false)
			c.reads(2, 0, 4*second, 5*second, nil)
		}, "P1"},
		"a Get that fails": {func(c *trial) {
			c.reads(2, 0, 4*second, 5*second, func(r *Read) { r.Failed = "no" })
		}, "P7"},
		"stale within its age": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 3*second+Time(staleAge), 5*second, func(r *Read) { r.Stale = true })
		}, ""},
		"stale beyond its age": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 3*second+Time(staleAge+budget)+1, 5*second, func(r *Read) { r.Stale = true })
		}, "P1"},
		"stale for who wrote it": {func(c *trial) {
			c.writes(false)
			c.reads(1, planted, 3*second+1, 5*second, func(r *Read) { r.Stale = true })
		}, "P1"},
		"near beyond the lag": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 3*second+Time(nearLag)+1, 5*second, func(r *Read) { r.Tier = cacheme.TierNear })
		}, "P1"},
		"a write that is kept does not count for others": {func(c *trial) {
			c.writes(true)
			c.reads(2, planted, 4*second, 5*second, nil)
		}, ""},
		"until it is delivered": {func(c *trial) {
			c.writes(true)
			c.tell(Record{Process: 1, State: &State{Drained: true, Upto: 4 * second, At: 4 * second}})
			c.reads(2, planted, 4*second+1, 5*second, nil)
		}, "P1"},
		"and counts for who wrote it": {func(c *trial) {
			c.writes(true)
			c.reads(1, planted, 4*second, 5*second, nil)
		}, "P1"},
		"a load that was joined without redis is one load old": {func(c *trial) {
			c.writes(false)
			c.reads(2, planted, 4*second, 5*second, func(r *Read) {
				r.Away, r.Joined, r.Loads, r.Tier = true, true, []Load{{2, 1, 3*second - 1}}, cacheme.TierSource
			})
		}, ""},
		"a process that was killed with its hold": {func(c *trial) {
			c.holds(1, two, 2*second)
			check(c, c.killed(context.Background(), 1, 2*second+2))
			c.reads(2, planted, 2*second+3, 3*second, nil)
		}, "P1"},
		"a process that was killed without one": {func(c *trial) {
			c.begins(1, two, 2*second)
			c.commits(two)
			check(c, c.killed(context.Background(), 1, 2*second+2))
			c.reads(2, planted, 2*second+3, 3*second, nil)
		}, ""},
		"but not for longer than anything lives": {func(c *trial) {
			c.begins(1, two, 2*second)
			c.commits(two)
			check(c, c.killed(context.Background(), 1, 2*second+2))
			c.reads(2, planted, 3*second+expired, 4*second+expired, nil)
		}, "P1"},
		"a failover's window is counted apart": {func(c *trial) {
			c.faults = append(c.faults, &Fault{Begin: second, window: true})
			c.writes(false)
			c.reads(2, planted, 4*second, 5*second, nil)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTrial(t)
			test.play(c)
			broke := ""
			if len(c.said) > 0 {
				broke = c.said[0].promise
			}
			if broke != test.broke {
				t.Errorf("broken = %q, want %q", broke, test.broke)
			}
		})
	}
}

func check(c *trial, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		play  func(c *trial)
		broke bool
	}{
		"new and then old, while the write has not returned": {func(c *trial) {
			c.holds(1, two, second+1)
			c.reads(2, two, second+10, second+20, asOne)
			c.reads(3, planted, second+30, second+40, asOne)
		}, true},
		"old and then new": {func(c *trial) {
			c.holds(1, two, second+1)
			c.reads(3, planted, second+10, second+20, asOne)
			c.reads(2, two, second+30, second+40, asOne)
		}, false},
		"a write that returned before the window, within another one that came first": {func(c *trial) {
			c.holds(1, two, second-20)
			c.returns(1, two, second+50, false)
			c.holds(2, three, second-15)
			c.returns(2, three, second-10, false)
			c.reads(3, three, second+60, second+70, asOne)
		}, false},
		"a write that went without a hold": {func(c *trial) {
			c.begins(1, two, second+1)
			c.commits(two)
			c.reads(2, two, second+10, second+20, asOne)
			c.reads(3, planted, second+30, second+40, asOne)
			c.returns(1, two, second+50, false)
		}, false},
		"while redis is disturbed": {func(c *trial) {
			c.faults = append(c.faults, &Fault{Begin: second, process: -1})
			c.holds(1, two, second+1)
			c.reads(2, two, second+10, second+20, asOne)
			c.reads(3, planted, second+30, second+40, asOne)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTrial(t)
			c.register.advance(second)
			test.play(c)
			c.register.advance(10 * second)
			broke := len(c.said) > 0 && c.said[0].promise == "register"
			if broke != test.broke || !broke && len(c.said) > 0 {
				t.Errorf("broken = %v, want %v: %+v", broke, test.broke, c.said)
			}
			if broke && len(c.said[0].steps) > 3 {
				t.Errorf("the story has %d steps, want the write and two reads", len(c.said[0].steps))
			}
		})
	}
}

func asOne(r *Read) { r.Kind = ofOne }
