package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrCursor is in the chain of errors about a cursor that ScanStep did not give, or gave when the cluster had other masters.
var ErrCursor = errors.New("no cursor of this scan, or of another set of masters; begin again with the empty one")

// Step is one step of a scan that its caller goes on with, or does not.
type Step struct {
	Keys   []string // of live entries, and of those that are only being loaded; one may come twice
	Next   string   // the cursor to go on with; empty: that was all
	Looked int      // at how many keys of the server the step has looked, about
	Total  int64    // how many there are, on all masters
	Now    uint64   // Redis's time
}

// ScanStep looks at about most keys of the server, from a cursor on, for entries whose key matches the glob pattern
// behind the prefix. The empty cursor is the beginning. One of another set of masters is an error.
func (s *Store) ScanStep(ctx context.Context, budget time.Duration, pattern, cursor string, most int) (Step, error) {
	nodes, err := s.masters(ctx, budget)
	if err != nil {
		return Step{}, err
	}
	at, from, err := parseCursor(cursor, len(nodes))
	if err != nil {
		return Step{}, err
	}
	return call(ctx, s, budget, func(ctx context.Context) (step Step, err error) {
		now, err := nodes[at].Time(ctx).Result()
		if err != nil {
			return Step{}, err
		}
		step.Now = uint64(now.UnixMicro())
		for _, node := range nodes {
			size, err := node.DBSize(ctx).Result()
			if err != nil {
				return Step{}, err
			}
			step.Total += size
		}
		match := escapeGlob(s.prefix) + "{" + pattern
		for step.Looked < most {
			count := int64(min(scanCount, most-step.Looked))
			var keys []string
			if keys, from, err = nodes[at].Scan(ctx, from, match, count).Result(); err != nil {
				return Step{}, err
			}
			step.Looked += int(count)
			for _, key := range keys {
				entry := strings.TrimSuffix(key, leaseSuffix)
				if _, ok := s.DisplayKey(entry); ok {
					step.Keys = append(step.Keys, entry)
				}
			}
			if from != 0 {
				continue
			}
			if at++; at == len(nodes) {
				return step, nil
			}
		}
		step.Next = fmt.Sprintf("%d.%d-%d", len(nodes), at, from)
		return step, nil
	})
}

// parseCursor reads "masters.master-cursor".
func parseCursor(text string, masters int) (at int, from uint64, err error) {
	if text == "" {
		return 0, 0, nil
	}
	of, rest, _ := strings.Cut(text, ".")
	node, cursor, _ := strings.Cut(rest, "-")
	n, err1 := strconv.Atoi(of)
	at, err2 := strconv.Atoi(node)
	from, err3 := strconv.ParseUint(cursor, 10, 64)
	if err := cmp.Or(err1, err2, err3); err != nil || n != masters || at < 0 || at >= n {
		return 0, 0, fmt.Errorf("%w: %q", ErrCursor, text)
	}
	return at, from, nil
}

// Sized is what Redis says of an entry without sending it.
type Sized struct {
	Bytes       int64
	Kept, Lease time.Duration // as Life has them
	Head        string        // the first bytes of the entry, see envelope.HeadSize
}

// Sizes asks for the sizes of entries and how long they live, in one pipeline.
func (s *Store) Sizes(ctx context.Context, budget time.Duration, entries []string, head int64) ([]Sized, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	return call(ctx, s, budget, func(ctx context.Context) ([]Sized, error) {
		pipe := s.rdb.Pipeline()
		type asked struct {
			size        *redis.IntCmd
			kept, lease *redis.DurationCmd
			head        *redis.StringCmd
		}
		all := make([]asked, len(entries))
		for i, entry := range entries {
			all[i] = asked{pipe.StrLen(ctx, entry), pipe.PTTL(ctx, entry), pipe.PTTL(ctx, LeaseKey(entry)), pipe.GetRange(ctx, entry, 0, head-1)}
		}
		// What is no string answers with an error of its own, and is there all the same.
		if _, err := pipe.Exec(ctx); err != nil && !errors.As(err, new(redis.Error)) {
			return nil, err
		}
		sized := make([]Sized, len(entries))
		for i, a := range all {
			sized[i] = Sized{Bytes: a.size.Val(), Kept: a.kept.Val(), Lease: a.lease.Val(), Head: a.head.Val()}
		}
		return sized, nil
	})
}

// nonceTextSize is how long a nonce is as text.
var nonceTextSize = len(NonceText(0))

// AllRecords gives the records of the writes that are still kept, in no order: it asks for all slots that there are.
func (s *Store) AllRecords(ctx context.Context, budget time.Duration, found func(record []byte)) error {
	const batch = 4096
	keys := make([]string, 0, batch)
	for slot := uint64(0); slot < slots; {
		keys = keys[:0]
		for ; len(keys) < batch && slot < slots; slot++ {
			keys = append(keys, s.recordKey(slot<<randomBits))
		}
		values, err := s.Read(ctx, budget, keys)
		if err != nil {
			return err
		}
		for i := range keys {
			if text, ok := values.Text(i); ok && len(text) > nonceTextSize {
				found([]byte(text[nonceTextSize:]))
			}
		}
	}
	return nil
}
