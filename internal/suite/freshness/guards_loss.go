package freshness

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
)

// lossSchedules are about holds that were lost. In each a writer has placed a hold, Redis loses it, a reader loads, the
// writer commits before its deadline and is killed before it tells anybody. When the deadline is over the old value
// must be gone.
func lossSchedules() []schedule {
	return []schedule{
		{name: "probation", off: without(guard.Probation), subject: row(), play: func(s *stage) {
			s.hold(s.y, id)
			s.server.FlushAll()
			s.read(s.x, id, "a reader after the flush")
			s.killedAfterCommit()
		}},
		{name: "excuse: after the tokens", off: without(guard.ExcuseAfterTokens), subject: row(), play: func(s *stage) {
			s.hold(s.y, id)
			stop := s.x.before(begin)
			r := s.start(s.x, id, "a reader during the flush")
			<-stop.reached
			s.server.FlushAll()
			stop.release()
			r.end()
			s.killedAfterCommit()
		}},
		{name: "excuse: no eviction", off: without(guard.ExcuseCountsEvictions), subject: row(), play: func(s *stage) {
			s.hold(s.y, id)
			s.evict()
			s.countEvictions()
			s.read(s.x, id, "a reader after the eviction")
			s.killedAfterCommit()
		}},
		{name: "probation by load start", off: without(guard.ProbationFromLoadStart), subject: result(), play: probationDuringLoad},
	}
}

// killedAfterCommit lets the COMMIT take effect that a killed writer had on the wire, and its deadline pass.
func (s *stage) killedAfterCommit() {
	s.t.Helper()
	s.tick()
	s.commit()
	s.pass(holdTime + time.Second)
	s.atRest(id)
}

// probationDuringLoad: a reader finds the row's token lost and makes it anew, another one loads something else that
// depends on the row, and the probation is over before it reads the token.
func probationDuringLoad(s *stage) {
	s.older()
	s.pass(3 * holdTime)
	s.hold(s.y, id)
	s.evict()
	s.countEvictions()
	// Another node with the same row in its result.
	_, err := cacheme.GetFrom(s.t.Context(), s.y.cache, byResult{ID: id + 1, Book: id}, func(context.Context, byResult) (int64, error) {
		return s.row().version.Load(), nil
	})
	s.check("Get", err)
	s.pass(time.Second) // a load of so many seconds wants a wide margin between the token and its start
	r := s.start(s.x, id, "the reader whose load outlasts the probation")
	r.isLoading()
	s.commit()
	s.pass(holdTime + time.Second)
	r.end()
	s.atRest(id)
}

// countEvictions makes the server count one key evicted, which the embedded one never does by itself.
func (s *stage) countEvictions() {
	for _, i := range s.instances {
		i.rewriteReplies(func(cmd redis.Cmder) {
			if text, ok := cmd.(*redis.StringCmd); ok && cmd.Name() == "info" {
				text.SetVal(strings.Replace(text.Val(), "evicted_keys:0", "evicted_keys:1", 1))
			}
		})
	}
}
