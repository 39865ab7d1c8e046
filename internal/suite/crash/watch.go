package crash

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

// errStale is a promise that broke.
var errStale = errors.New("STALE")

// held reports whether a row of the deed is held.
func (s *survivor) held(ctx context.Context, d Deed) (bool, error) {
	for _, id := range rows(d) {
		record, err := s.rdb.Get(ctx, fmt.Sprintf("%srow:row:%d:invalid", s.prefix, id)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return false, err
		}
		if strings.HasPrefix(record, "h") {
			return true, nil
		}
	}
	return false, nil
}

// get reads through the cache, and tells where the value came from.
func (s *survivor) get(ctx context.Context, id int64) (int64, cacheme.Tier, error) {
	b, err := cacheme.Bind(s.cache, func(ctx context.Context, v RowVersion) (int64, error) { return versionOf(ctx, s.admin, v.ID) })
	if err != nil {
		return 0, "", err
	}
	r, err := b.GetResult(ctx, RowVersion{ID: id})
	return r.Value, r.Tier, err
}

// fresh reads through the cache what the database holds: no less than before the read, and no more than after it.
func (s *survivor) fresh(ctx context.Context, id int64) (cacheme.Tier, error) {
	before, err := versionOf(ctx, s.admin, id)
	if err != nil {
		return "", err
	}
	got, tier, err := s.get(ctx, id)
	if err != nil {
		return "", err
	}
	after, err := versionOf(ctx, s.admin, id)
	if err == nil && (got < before || got > after) {
		err = fmt.Errorf("%w: row %d reads version %d (%s), and the database held %d before the read and %d after it", errStale, id, got, tier, before, after)
	}
	return tier, err
}

// watch reads again and again from the kill until the hold has lapsed for sure.
func (s *survivor) watch(ctx context.Context, deeds []Deed) error {
	pause := time.NewTicker(s.Hold / 20)
	defer pause.Stop()
	for lapsed := time.Now().Add(s.Hold); time.Now().Before(lapsed); <-pause.C {
		for _, d := range deeds {
			for _, id := range rows(d) {
				if _, err := s.fresh(ctx, id); err != nil {
					return fmt.Errorf("killed %s: before the deadline: %w", d.Point, err)
				}
				s.early++
			}
		}
	}
	return nil
}

// healed holds that after the deadline all is as if nobody had died: what is committed can be read, and is cached again;
// what becomes wrong is told.
func (s *survivor) healed(ctx context.Context, d Deed) error {
	want := int64(planted)
	if d.Point.commits() || d.Point.loads() {
		want = written
	}
	is, err := s.held(ctx, d)
	if err != nil {
		return err
	}
	for _, id := range rows(d) {
		var tier cacheme.Tier
		for range 3 { // one to settle, one to load and store
			if tier, err = s.fresh(ctx, id); err != nil {
				return fmt.Errorf("after the deadline: %w", err)
			}
			s.late++
		}
		if tier != cacheme.TierRedis {
			return fmt.Errorf("after the deadline row %d is not cached again (it was held: %v)", id, is)
		}
		if got, err := versionOf(ctx, s.admin, id); err != nil || got != want {
			return fmt.Errorf("row %d has version %d, %w, want %d: the process did not come as far as it said", id, got, err, want)
		}
	}
	if err := write(ctx, s.db, d.First, written+1); err != nil {
		return fmt.Errorf("the next write: %w", err)
	}
	for _, id := range rows(d) {
		if _, err := s.fresh(ctx, id); err != nil {
			return fmt.Errorf("after the next write: %w", err)
		}
	}
	return nil
}
