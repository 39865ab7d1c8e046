package cacheme

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// telling is one call of remember for the key: 0 in redis is a write that was not delivered.
type telling struct{ moment, redis uint64 }

func (w telling) to(o *ownWrites, key string) {
	var times []uint64
	if w.redis != 0 {
		times = []uint64{w.redis}
	}
	o.remember([]string{key}, times, w.moment)
}

// The internal view: which of two writes is told first is up to the scheduler.
func TestLaterOfTwoOwnWritesWinsInWhateverOrderTheyAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		earlier, later telling
		redis          uint64 // of the later: loads from there on, by Redis's time, are after both; 0: none is
	}{
		{"both delivered", telling{1, 100}, telling{2, 200}, 200},
		{"both delivered, by a clock that went back", telling{1, 200}, telling{2, 100}, 200},
		{"the earlier not delivered", telling{1, 0}, telling{2, 200}, 200},
		{"the later not delivered", telling{1, 100}, telling{2, 0}, 0},
		{"none delivered", telling{1, 0}, telling{2, 0}, 0},
		{"one write, delivered after it was begun", telling{2, 0}, telling{2, 200}, 200},
	} {
		for _, order := range [][]telling{{c.earlier, c.later}, {c.later, c.earlier}} {
			if c.earlier.moment == c.later.moment && order[0] == c.later {
				continue // a write is delivered after it is begun
			}
			t.Run(fmt.Sprintf("%s, told %v", c.name, order), func(t *testing.T) {
				t.Parallel()
				var o ownWrites
				for _, w := range order {
					w.to(&o, "key")
				}
				for loaded, want := range map[uint64]bool{1: true, 150: true, c.redis: true, c.redis + 1: c.redis == 0, math.MaxUint64: c.redis == 0} {
					if got := o.afterLoad([]string{"other", "key"}, loaded); got != want {
						t.Errorf("afterLoad(%d) = %v, want %v", loaded, got, want)
					}
				}
				for moment, want := range map[uint64]bool{0: true, 1: true, 2: false, 3: false} {
					if got := o.afterMoment([]string{"other", "key"}, moment); got != want {
						t.Errorf("afterMoment(%d) = %v, want %v", moment, got, want)
					}
				}
				if o.afterLoad([]string{"other"}, 0) || o.afterMoment([]string{"other"}, 0) {
					t.Error("a key that was not written counts")
				}
			})
		}
	}
}

// fillOwn writes n keys of their own kind.
func fillOwn(o *ownWrites, kind string, n int, redis uint64) {
	for i := range n {
		telling{1, redis}.to(o, fmt.Sprint(kind, i))
	}
}

func TestPruningKeepsOwnWritesThatWereNotDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := ownWrites{memory: time.Minute}
		fillOwn(&o, "kept", 10, 0)
		fillOwn(&o, "old", maxOwnWrites-20, 100)
		time.Sleep(o.memory + time.Second)
		fillOwn(&o, "new", 20, 100)
		for key, want := range map[string]bool{"kept0": true, "kept9": true, "old0": false, "new0": true, "new19": true, "never": false} {
			if got := o.afterLoad([]string{key}, 50); got != want {
				t.Errorf("afterLoad(%s) = %v after pruning, want %v", key, got, want)
			}
		}
		if n := len(o.writes); n != 30 {
			t.Errorf("%d writes are remembered after pruning, want 30", n)
		}
	})
}

func TestEverythingCountsAsWrittenWhenMoreWasForgottenThanIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := ownWrites{memory: time.Minute}
		fillOwn(&o, "kept", maxOwnWrites, 100)
		if o.afterLoad([]string{"never"}, 0) {
			t.Error("a key that was not written counts before anything was forgotten")
		}
		fillOwn(&o, "one more", 1, 100)
		never := []string{"never"}
		if !o.afterLoad(never, math.MaxUint64) || !o.afterMoment(never, math.MaxUint64) {
			t.Error("a key counts as not written, although what was written is forgotten")
		}
		time.Sleep(o.memory)
		if o.afterLoad(never, 0) || o.afterMoment(never, 0) {
			t.Error("a key that was not written counts when nothing that was forgotten matters any more")
		}
		if !o.afterLoad([]string{"one more0"}, 100) {
			t.Error("what was written after the forgetting does not count")
		}
	})
}

// More than maxOwnWrites undelivered writes: once memory (30 s by default, less than any TTL) has passed, the process no
// longer knows what it could not deliver, although the journal still keeps it.
func TestUndeliveredOwnWritesCountHoweverManyThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := ownWrites{memory: 30 * time.Second}
		fillOwn(&o, "kept", maxOwnWrites+1, 0)
		time.Sleep(o.memory + time.Second)
		if !o.afterLoad([]string{"kept0"}, 1) {
			t.Error("a write that was not delivered no longer counts: its old entry is served")
		}
	})
}
