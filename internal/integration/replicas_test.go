package integration_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// bound is for how long a primary that was replaced is believed where the cache waits for replicas; more is the machine's.
const bound = time.Second + 250*time.Millisecond

// trio is a primary with two replicas and nobody who watches them: the test replaces the primary itself.
type trio struct{ first, second, third *kit.RedisServer }

func newTrio(t *testing.T) *trio {
	t.Helper()
	r := &trio{first: kit.Redis(t)}
	r.second, r.third = r.first.Replica(t), r.first.Replica(t)
	awaitReplica(t, r.first)
	return r
}

// awaitReplica waits until a server has a replica that receives what is written, and says so.
func awaitReplica(t testing.TB, s *kit.RedisServer) {
	t.Helper()
	rdb := kit.Admin(t, s.Addr())
	within(t, 20*time.Second, "somebody follows "+s.Addr(), func() bool {
		return strings.Contains(rdb.InfoMap(t.Context(), "replication").Item("Replication", "slave0"), "state=online")
	})
	within(t, 20*time.Second, "what is written to "+s.Addr()+" is acknowledged", func() bool {
		conn := rdb.Conn() // WAIT is about what its own connection wrote
		defer func() { _ = conn.Close() }()
		written := conn.Set(t.Context(), "replicated", "", time.Second).Err()
		n, err := conn.Wait(t.Context(), 1, time.Second).Result()
		return written == nil && err == nil && n > 0
	})
}

// replace makes the second server the primary, which the third follows. The first hears nothing of it.
func (r *trio) replace(t *testing.T) {
	t.Helper()
	check(t, kit.Admin(t, r.second.Addr()).ReplicaOf(t.Context(), "NO", "ONE").Err())
	r.second.Leads(r.third)
	awaitReplica(t, r.second)
}

// overtake has a process that reaches the old primary alone read what another one writes at its successor, and returns for
// how long that was old.
func overtake(t *testing.T, f *fleet, behind, ahead *cacheme.Cache, window time.Duration) time.Duration {
	t.Helper()
	within(t, 15*time.Second, "somebody can write at the new primary", func() bool { return f.write(ahead, 1) == nil })
	for began := time.Now(); time.Since(began) < window; time.Sleep(5 * time.Millisecond) {
		f.read(behind, 1)
	}
	return time.Duration(f.longest.Load())
}

// A primary is replaced, and a process goes on reading it. Expected: without WaitReplicas it is served what is old for as long
// as that lasts; with it for a second at most, and not at all without the rule that is tried.
func TestReplicas_bound_what_is_read_from_a_primary_that_was_replaced(t *testing.T) {
	t.Parallel()
	const window = 3 * time.Second
	for _, c := range []struct {
		name  string
		waits int
		rules guard.Set
		old   bool
	}{
		{"nobody waits", 0, 0, true},
		{"one replica of two", 1, 0, false},
		{"without the rule", 1, guard.Without(guard.ReplicasVouch), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTrio(t)
			f := newFleet(t, 0, nil)
			f.options.WaitReplicas = c.waits
			behind := f.join(&guard.Client{UniversalClient: r.first.Client(), Rules: c.rules})
			f.settle()
			r.replace(t)
			ahead := f.join(r.second.Client())
			old := overtake(t, f, behind, ahead, window)
			t.Logf("%d reads, old for up to %v", f.reads.Load(), old)
			if c.old && old < window-time.Second {
				t.Errorf("what was old was served for %v, want it to go on: nothing was shown", old)
			}
			if !c.old && old > bound {
				t.Errorf("what was old was served for %v, want at most %v", old, bound)
			}
		})
	}
}

// A process writes at a primary that was replaced. Expected: it is told so, what it wrote is kept, and delivered when its
// client finds the new one; a hold is refused.
func TestReplicas_of_a_primary_that_was_replaced_acknowledge_nothing(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, rules guard.Set) (pending int, hold, err error) {
		t.Helper()
		r := newTrio(t)
		f := newFleet(t, 0, nil)
		f.options.WaitReplicas = 1
		c := f.join(&guard.Client{UniversalClient: r.first.Client(), Rules: rules})
		if err := f.write(c, 1); err != nil {
			t.Fatalf("Invalidate() = %v while two replicas are there", err)
		}
		h, err := c.Hold(t.Context(), pageChanged{ID: 1})
		check(t, err)
		check(t, h.Commit(t.Context()))
		r.replace(t)
		_, hold = c.Hold(t.Context(), pageChanged{ID: 2})
		err = c.Invalidate(t.Context(), pageChanged{ID: 2})
		pending = c.Stats().Pending
		// For the end of the test, which delivers what is kept.
		r.first.Leads(r.second)
		within(t, 30*time.Second, "what was kept is delivered", func() bool { return c.Stats().Pending == 0 })
		return pending, hold, err
	}
	t.Run("told", func(t *testing.T) {
		t.Parallel()
		pending, hold, err := write(t, 0)
		var kept *cacheme.UndeliveredError
		if !errors.As(err, &kept) || !errors.Is(err, cacheme.ErrFewReplicas) || pending == 0 {
			t.Errorf("Invalidate() = %v with %d pending, want an *UndeliveredError with ErrFewReplicas, and it kept", err, pending)
		}
		if !errors.Is(hold, cacheme.ErrFewReplicas) {
			t.Errorf("Hold() = %v, want ErrFewReplicas", hold)
		}
	})
	t.Run("without the rule", func(t *testing.T) {
		t.Parallel()
		if _, hold, err := write(t, guard.Without(guard.ReplicasAcknowledge, guard.ReplicasVouch)); err != nil || hold != nil {
			t.Errorf("Invalidate() = %v, Hold() = %v without the rule: something else tells too, so nothing was shown", err, hold)
		}
	})
}

// isolate cuts a server off from everybody but those who are the user app, among them neither replicas nor sentinels.
func isolate(t *testing.T, s *kit.RedisServer) {
	t.Helper()
	rdb := kit.Admin(t, s.Addr(), asApp)
	for _, order := range []string{
		"ACL SETUSER default -@all", "CLIENT KILL TYPE replica", "CLIENT KILL TYPE pubsub",
	} {
		var args []any
		for word := range strings.FieldsSeq(order) {
			args = append(args, word)
		}
		check(t, rdb.Do(t.Context(), args...).Err())
	}
}

// The sentinels lose sight of a primary that part of the fleet still reaches, and replace it. Expected: without WaitReplicas that
// part is served what is old for as long as that lasts; with it never, since replicas are missed before sentinels act.
func TestReplicas_close_the_window_of_a_partition(t *testing.T) {
	t.Parallel()
	const window = 3 * time.Second
	for _, c := range []struct {
		name  string
		waits int
	}{{"nobody waits", 0}, {"one replica of two", 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := kit.Sentinel(t, 2*time.Second)
			letApp(t, "~* &* +@all", g.Servers()...)
			f := newFleet(t, 0, nil)
			f.options.WaitReplicas = c.waits
			first := g.Primary()
			behind := f.join(first.Client(asApp))
			f.settle()
			isolate(t, first)
			g.AwaitFailover(first)
			ahead := f.join(g.Client(asApp))
			old := overtake(t, f, behind, ahead, window)
			t.Logf("%d reads, old for up to %v", f.reads.Load(), old)
			if c.waits == 0 && old < window-time.Second {
				t.Errorf("what was old was served for %v, want it to go on: nothing was shown", old)
			}
			if c.waits > 0 && old > 0 {
				t.Errorf("what was old was served for %v, want not at all", old)
			}
		})
	}
}

// Masters of a cluster that have their replicas are used as ever; one whose replica says nothing is not.
func TestReplicas_of_a_cluster_are_those_of_each_master(t *testing.T) {
	t.Parallel()
	cl := kit.Cluster(t, noFailover)
	f := newFleet(t, 0, nil)
	f.options.WaitReplicas = 1
	c := f.join(cl.Client())
	f.settle()
	for id := range int64(shown) {
		check(t, f.write(c, id))
	}
	f.hits()
	key, err := c.KeyOf(pageChanged{ID: 1})
	check(t, err)
	master := cl.Master(f.prefix + "row:" + key + ":invalid")
	replica := cl.Replica(master)
	replica.Pause()
	if err := f.write(c, 1); !errors.Is(err, cacheme.ErrFewReplicas) {
		t.Errorf("Invalidate() = %v at a master without its replica, want ErrFewReplicas", err)
	}
	within(t, 30*time.Second, "the cache is not used without the replica of a master", func() bool { return !f.read(c, 3) })
	replica.Continue()
	t.Logf("with its replica again everything is served after %v", f.hits())
	f.isFresh()
}

// What waiting costs a write and a read.
func BenchmarkWaitReplicas(b *testing.B) {
	for _, waits := range []int{0, 1} {
		b.Run([]string{"off", "one"}[waits], func(b *testing.B) {
			server := kit.Redis(b)
			server.Replica(b)
			awaitReplica(b, server)
			c := suite.NewCache(b, server.Client(), suite.Patient(cacheme.Options{Prefix: suite.Prefix(), WaitReplicas: waits}), page{}, pageChanged{})
			load := func(context.Context, page) (int64, error) { return 1, nil }
			b.Run("write", func(b *testing.B) {
				for b.Loop() {
					if err := c.Invalidate(b.Context(), pageChanged{ID: 1}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("hit", func(b *testing.B) {
				for b.Loop() {
					if _, err := cacheme.GetFrom(b.Context(), c, page{ID: 2}, load); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
