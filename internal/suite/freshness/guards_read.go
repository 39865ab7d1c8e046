package freshness

import (
	"time"

	"github.com/cacheme/cacheme/internal/guard"
)

// readSchedules are about what a read may serve, and under which tokens a load stores.
func readSchedules() []schedule {
	return []schedule{
		{name: "equal tokens", off: without(guard.EqualTokens), subject: row(), play: func(s *stage) {
			s.read(s.x, id, "the first reader")
			s.write(s.y, id)
			s.read(s.x, id, "a reader after the write")
		}},
		{name: "absent is not fresh", off: without(guard.AbsentIsNotFresh), subject: row(), play: func(s *stage) {
			s.read(s.x, id, "the first reader")
			s.write(s.y, id)
			s.evict()
			s.read(s.x, id, "a reader after the write and the loss of its token")
		}},
		{name: "held is not fresh", off: without(guard.HeldIsNotFresh), subject: row(), play: func(s *stage) {
			s.read(s.x, id, "the first reader")
			h := s.hold(s.y, id)
			s.write(s.x, id) // another transaction: it finds the token held, and leaves no new one
			s.read(s.x, id, "a reader under the hold")
			s.check("Rollback", h.Rollback(s.t.Context()))
		}},
		{name: "read, then load", off: without(guard.ReadThenLoad), subject: row(), play: func(s *stage) {
			s.older()
			r := s.start(s.x, id, "the reader of the old value")
			r.isLoading()
			s.write(s.y, id)
			r.end()
			s.atRest(id)
		}},
		{name: "create, then load", off: without(guard.CreateThenLoad), subject: row(), play: func(s *stage) {
			r := s.start(s.x, id, "the reader of the old value")
			r.isLoading()
			s.write(s.y, id)
			r.end()
			s.atRest(id)
		}},
		{
			name: "create never replaces", subject: row(),
			off: withoutLua("begin", "if not r or (r.state == 't' and r.time == NEVER) then", "if true then"),
			play: func(s *stage) {
				stop := s.x.before(begin)
				r := s.start(s.x, id, "a reader who found no token")
				<-stop.reached
				s.hold(s.y, id)
				stop.release()
				r.end()
				s.commit() // and the writer is killed before it tells anybody
				s.pass(holdTime + time.Second)
				s.atRest(id)
			},
		},
		{name: "one lease", off: withoutLua("begin", "and not force then return 0 end", "and false then return 0 end"), subject: row(), play: oneLease},
		{name: "fill under own lease", off: withoutLua("fill", "if holder ~= ARGV[at] then return 0 end", ""), subject: exact(), play: func(s *stage) {
			r := s.start(s.x, id, "the reader of the old value")
			r.isLoading()
			s.write(s.y, id)
			r.end()
			s.atRest(id)
		}},
		{name: "another run of Redis", off: without(guard.EpochBinds), subject: row(), play: anotherRun},
	}
}

// oneLease: two processes find nothing, and the lease free; only one may load.
func oneLease(s *stage) {
	before := s.loads.Load()
	stop := s.x.before(begin)
	first := s.start(s.x, id, "the reader who comes second to the lease")
	<-stop.reached
	second := s.start(s.y, id, "the reader who comes first to the lease")
	second.isLoading()
	stop.release()
	s.settle()
	if n := s.loads.Load() - before; n != 1 {
		s.breach("%d loads of one key at a time", n)
	}
	first.release()
	second.end()
	first.result()
}

// anotherRun: Redis comes back from a snapshot that is older than the last write.
func anotherRun(s *stage) {
	s.read(s.x, id, "the first reader")
	snapshot, err := s.rdb().Get(s.t.Context(), s.token()).Result()
	s.check("GET", err)
	s.write(s.y, id)
	s.check("SET", s.rdb().Set(s.t.Context(), s.token(), snapshot, time.Hour).Err())
	s.check("Restart", s.server.Restart())
	s.atRest(id)
}
