package freshness

import (
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// race is one order of a reader and a writer. x reads, y is another instance or x again.
type race struct {
	name  string
	other bool // the writer and the later reader are another instance
	play  func(w *world, x, y *instance, id int64, odd bool)
}

func races() []race {
	return []race{
		{"a reader fills what it loaded before a write in its instance", false, fillsLate},
		{"a reader fills what it loaded before a write elsewhere", true, fillsLate},
		{"a later reader overtakes in its instance", false, overtakes},
		{"a later reader overtakes elsewhere", true, overtakes},
		{"a later reader comes to a flight that began before the write", false, joins},
		{"a later reader elsewhere waits for a flight that began before the write", true, joins},
	}
}

// fillsLate: loads the old value, the write returns, fills.
func fillsLate(w *world, x, y *instance, id int64, _ bool) {
	r := w.start(x, id, "the reader of the old value")
	r.isLoading()
	w.write(y, id)
	r.end()
}

// overtakes: loads the old value, the write returns, a later reader loads and fills the new value, and then the first
// one fills. The later reader takes the lease: by force, or because the first one's is gone.
func overtakes(w *world, x, y *instance, id int64, odd bool) {
	r := w.start(x, id, "the reader of the old value")
	r.isLoading()
	w.write(y, id)
	force := odd && w.subject.refreshes
	if !force {
		w.lose("*" + leaseSuffix)
	}
	later := w.ask(y, question{id: id, force: force}, "the later reader")
	if x != y {
		later.end()
		r.end()
		return
	}
	// In one instance there is one load at a time: the later reader waits for the end of the first one.
	later.hasMissed()
	later.release()
	r.end()
	later.result()
}

// joins: loads the old value, the write returns, a later reader comes and finds the load under way.
func joins(w *world, x, y *instance, id int64, _ bool) {
	r := w.start(x, id, "the reader of the old value")
	r.isLoading()
	w.write(x, id)
	later := w.start(y, id, "the later reader")
	later.hasMissed()
	later.release()
	r.end()
	later.result()
}

// NoStaleFill plays each race for everything that makes an entry wrong, on a first load and on a reload.
func NoStaleFill(t *testing.T, open suite.Open) {
	server := open(t)
	for _, s := range subjects() {
		for _, c := range races() {
			for _, reload := range []bool{false, true} {
				name := s.name + "/" + c.name + "/first load"
				if reload {
					name = s.name + "/" + c.name + "/reload"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					instances := 1
					if c.other {
						instances = 2
					}
					w := newWorld(t, server, s, instances, broken{}, cacheme.Options{HerdWait: time.Millisecond})
					x, y := w.instances[0], w.instances[instances-1]
					for trial := range suite.Count(200) {
						id := int64(trial + 1)
						if reload {
							w.read(x, id, "the first reader")
							w.write(y, id)
						}
						c.play(w, x, y, id, trial%2 == 1)
						w.atRest(id)
						if broke := w.broke(); broke != nil {
							t.Fatalf("trial %d: %v", trial, broke)
						}
					}
				})
			}
		}
	}
}
