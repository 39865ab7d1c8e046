package freshness

import (
	"time"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/guard"
)

// lateSchedules are about tokens that are known only after the load. The row's token is there, and older, before each:
// its first load in this process has to read it late.
func lateSchedules() []schedule {
	return []schedule{
		{name: "late: older", off: without(guard.LateIsOlder), subject: result(), play: func(s *stage) {
			s.older()
			s.writtenDuringLoad(func() {
				s.tick()
				s.write(s.y, id)
			})
		}},
		{name: "late: strictly", off: without(guard.LateIsStrictlyOlder), subject: result(), play: func(s *stage) {
			s.older()
			s.writtenDuringLoad(func() { s.write(s.y, id) }) // in the microsecond in which the load began
		}},
		{name: "late: absent", off: without(guard.LateAbsentIsInvalid), subject: result(), play: func(s *stage) {
			s.older()
			s.writtenDuringLoad(func() {
				s.tick()
				s.write(s.y, id)
				s.evict()
			})
		}},
		{name: "late: steady clock", off: without(guard.LateNeedsSteadyClock), subject: result(), clock: embedded.Manual, play: func(s *stage) {
			s.older()
			s.pass(time.Hour)
			s.writtenDuringLoad(func() {
				s.server.Advance(-time.Minute)
				s.write(s.y, id)
			})
		}},
		{name: "late: held", off: without(guard.LateHeldIsInvalid), subject: result(), play: func(s *stage) {
			s.older()
			h := s.hold(s.y, id)
			s.tick()
			joinedAfterWrite(s) // of another transaction
			s.check("Rollback", h.Rollback(s.t.Context()))
		}},
		{
			name: "late: held keeps the entry", off: without(guard.LateHeldKeepsEntry),
			subject: subjectOf("result", func(id int64) staleByResult { return staleByResult{ID: id} }, rowOf),
			play: func(s *stage) {
				s.older()
				s.read(s.x, id, "the first reader")
				h := s.hold(s.y, id)
				s.read(s.x, id, "a reader under the hold")
				s.check("Rollback", h.Rollback(s.t.Context()))
				before := s.loads.Load()
				s.read(s.x, id, "a reader after the rollback")
				if s.loads.Load() != before {
					s.breach("a rollback made an entry wrong")
				}
			},
		},
	}
}

// writtenDuringLoad: a reader loads the old value, write happens, the reader fills.
func (s *stage) writtenDuringLoad(write func()) {
	s.t.Helper()
	r := s.start(s.x, id, "the reader of the old value")
	r.isLoading()
	write()
	r.end()
	s.atRest(id)
}
