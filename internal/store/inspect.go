package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Life is how long an entry and its lease are still there, as Redis has it. Negative: it is not there, or has no end.
type Life struct {
	Entry, Lease time.Duration
	Kind         string // Redis's type of what is under the entry's key; "none": nothing
	Now          uint64 // Redis's time
}

// Inspect asks how long an entry and its lease live. It changes nothing.
func (s *Store) Inspect(ctx context.Context, budget time.Duration, entry string) (Life, error) {
	return call(ctx, s, budget, func(ctx context.Context) (Life, error) {
		pipe := s.rdb.Pipeline()
		life, lease, kind := pipe.PTTL(ctx, entry), pipe.PTTL(ctx, LeaseKey(entry)), pipe.Type(ctx, entry)
		var now *redis.TimeCmd
		if s.cluster == nil { // on a cluster any master would answer
			now = pipe.Time(ctx)
		} else if s.Now() == 0 { // whoever has just been started knows no master's time yet, and any is better than none
			now = s.rdb.Time(ctx)
			if now.Err() != nil {
				return Life{}, now.Err()
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return Life{}, err
		}
		l := Life{Entry: life.Val(), Lease: lease.Val(), Kind: kind.Val(), Now: s.Now()}
		if now != nil {
			l.Now = uint64(now.Val().UnixMicro())
		}
		return l, nil
	})
}
