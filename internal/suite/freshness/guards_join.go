package freshness

import "github.com/cacheme/cacheme/internal/guard"

// joinSchedules are about what the callers of one process may share.
func joinSchedules() []schedule {
	return []schedule{
		{name: "trip sent after arrival", off: without(guard.TripSentAfterArrival), subject: row(), play: sharedTrip},
		{name: "join on equal tokens", off: without(guard.JoinOnEqualTokens), subject: row(), play: joinedAfterWrite},
		{name: "join on same lease", off: without(guard.JoinOnSameLease), subject: exact(), play: joinedAfterWrite},
		{name: "join only what is valid", off: without(guard.JoinOnlyValid), subject: result(), play: func(s *stage) {
			s.older()
			joinedAfterWrite(s)
		}},
		{name: "next load: began after arrival", off: without(guard.NextLoadAfterArrival), subject: row(), play: joinedAfterWrite},
		{name: "join never under a hold", off: without(guard.JoinNeverUnderHold), subject: row(), play: func(s *stage) {
			h := s.hold(s.y, id)
			joinedAfterWrite(s) // of another transaction, whose invalidation leaves no mark on a held token
			s.check("Rollback", h.Rollback(s.t.Context()))
		}},
		{name: "join before the late read", off: without(guard.JoinBeforeLateRead), subject: result(), play: func(s *stage) {
			s.older()
			stop := s.x.before(fill)
			r := s.start(s.x, id, "the reader of the old value")
			r.release()
			<-stop.reached
			s.write(s.y, id)
			later := s.joined(s.x, "a reader after the write")
			stop.release()
			r.result()
			later.result()
		}},
	}
}

// joinedAfterWrite: a load is under way, a write returns, a reader comes.
func joinedAfterWrite(s *stage) {
	r := s.start(s.x, id, "the reader of the old value")
	r.isLoading()
	s.write(s.y, id)
	later := s.joined(s.x, "a reader after the write")
	r.end()
	later.result()
}

// sharedTrip: a round trip for two readers is back, and not yet looked at, when a write returns and a third one comes.
func sharedTrip(s *stage) {
	s.read(s.x, id, "the first reader")
	alone := s.x.before(look)
	first := s.start(s.x, id, "the reader who asks alone")
	<-alone.reached
	second := s.start(s.x, id, "the reader for whom the trip is sent")
	s.settle()
	back := s.x.after(look)
	alone.release()
	<-back.reached
	shared := s.x.after(look)
	back.release()
	<-shared.reached
	s.write(s.y, id)
	third := s.start(s.x, id, "the reader after the write")
	s.settle()
	shared.release()
	for _, r := range []*reading{first, second, third} {
		r.end()
	}
}
