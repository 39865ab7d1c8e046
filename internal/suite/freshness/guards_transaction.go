package freshness

import (
	"context"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
)

// uncommitted is a version that only its own transaction can see.
const uncommitted = 1 << 40

// transactionSchedules are about loads that run inside a transaction, and are told to be for their callers alone.
func transactionSchedules() []schedule {
	off := without(guard.TransactionBypasses)
	return []schedule{
		{name: "transaction bypasses: nothing is stored", off: off, subject: row(), play: func(s *stage) {
			s.source = insideTransaction
			s.read(s.x, id, "the reader inside a transaction")
			s.source = nil
			s.atRest(id)
		}},
		{name: "transaction bypasses: nobody joins", off: off, subject: row(), play: func(s *stage) {
			s.source = insideTransaction
			r := s.start(s.x, id, "the reader inside a transaction")
			r.isLoading()
			s.source = nil
			later := s.joined(s.x, "a reader outside of it")
			r.end()
			if v := later.result(); v != s.row().version.Load() {
				s.breach("%s was given what only a transaction can see", later.who)
			}
		}},
	}
}

func insideTransaction(ctx context.Context, _ *instance) (int64, error) {
	cacheme.DoNotStore(ctx, "read inside a transaction")
	return uncommitted, nil
}
