package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// epochKeeper knows which run of Redis answers. A restart breaks every connection, so whoever dials may be talking to
// another run: the hooks count what may have brought another one, and no reply is trusted until the run id has been read
// again.
type epochKeeper struct {
	dials   atomic.Uint64
	rules   guard.Set
	known   atomic.Pointer[knownEpoch]
	reading errand
	own     Epoch // stands in where the server tells nothing
}

type knownEpoch struct {
	Epoch
	dials   uint64          // count of dials before the run id was read
	blind   bool            // the server tells no run id: Epoch is the process's own
	masters map[string]bool // addresses, of a cluster
	at      time.Time       // when it was read
}

// processEpoch is the epoch of a server that tells nothing: all caches of a process agree on it and no others do, so
// that nothing of another run is ever trusted.
var processEpoch = sync.OnceValue(func() (e Epoch) {
	rand.Read(e[:])
	return e
})

// Blind reports whether the server tells no run id, so that the process trusts nothing but its own fills.
func (s *Store) Blind() bool {
	k := s.epoch.known.Load()
	return k != nil && k.blind
}

// currentEpoch returns the run of Redis that every reply received so far came from, at the latest. Call it after a
// reply: what another run wrote is then seen as missing, and that of a primary for which nobody vouches is not believed.
func (s *Store) currentEpoch(ctx context.Context) (Epoch, error) {
	for {
		epoch, err := s.settledEpoch(ctx)
		if err != nil || s.vouchedFor(epoch) { //nolint:contextcheck // it asks for later calls
			return epoch, err
		}
		if err := s.awaitReplicas(ctx); err != nil {
			return Epoch{}, err
		}
	}
}

// settledEpoch is currentEpoch, whoever vouches for it.
func (s *Store) settledEpoch(ctx context.Context) (Epoch, error) {
	for {
		k := s.epoch.known.Load()
		if k != nil && (k.dials == s.epoch.dials.Load() || s.rules.Off(guard.EpochBinds)) {
			return k.Epoch, nil
		}
		if err := s.startEpochRead(ctx).wait(ctx); err != nil {
			return Epoch{}, err
		}
	}
}

// epochBudget bounds one reading of the run id, unless who asks for it has more time. It is not taken from a caller's budget: where
// a few round trips take longer than that, what was begun has to come to its end all the same, or nobody would ever get an answer.
const epochBudget = time.Second

// startEpochRead reads the run id, for all who wait for that.
func (s *Store) startEpochRead(asker context.Context) *errandRun {
	e, budget := &s.epoch, epochBudget
	if at, ok := asker.Deadline(); ok {
		budget = max(budget, time.Until(at))
	}
	return e.reading.start(&s.gate, budget, func(ctx context.Context) (func(), error) { //nolint:contextcheck // it serves all who wait, whatever becomes of the asker
		dials := e.dials.Load()
		k, err := s.readEpoch(ctx)
		if err != nil {
			return nil, err
		}
		k.dials = dials
		return func() { e.known.Store(k) }, nil
	})
}

// ErrReplica says that the server is a replica: it takes no writes, and what it has may be older than what was promised.
var ErrReplica = errors.New("the server is a replica; give cacheme a client of the primary: " +
	"no ReplicaOnly in redis.FailoverOptions, and the primary's address in redis.Options")

// readEpoch asks the server, or all masters of a cluster, for the run id, and agrees with the fleet on the hold time.
func (s *Store) readEpoch(ctx context.Context) (*knownEpoch, error) {
	var mu sync.Mutex
	var runs []string
	k := &knownEpoch{Epoch: s.epoch.own, masters: map[string]bool{}, at: time.Now()}
	evicted := int64(unknownEvictions)
	err := s.eachMaster(ctx, func(ctx context.Context, node redis.UniversalClient, addr string) error {
		sent := time.Now()
		pipe := node.Pipeline()
		server, stats, now := pipe.Info(ctx, "server"), pipe.Info(ctx, "stats"), pipe.Time(ctx)
		replication := pipe.Info(ctx, "replication")
		if _, err := pipe.Exec(ctx); err != nil && !isReply(err) {
			return err
		}
		if infoField(replication.Val(), "role") == "slave" {
			return ErrReplica
		}
		if t, err := now.Result(); err == nil {
			s.clock.note(uint64(t.UnixMicro()), sent, time.Now())
		}
		mu.Lock()
		defer mu.Unlock()
		k.masters[addr] = true
		if run := infoField(server.Val(), "run_id"); run != "" {
			// A primary that was replaced and comes into office again has the run id of its first time, and may lack
			// what was written at the end of that: each time has a replication id of its own.
			if !s.rules.Off(guard.EpochHoldsReplication) {
				run += infoField(replication.Val(), "master_replid")
			}
			runs = append(runs, run)
		}
		if s.cluster == nil {
			evicted = evictions(stats.Val())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	k.blind = len(runs) < len(k.masters)
	if !k.blind {
		sort.Strings(runs)
		sum := sha256.Sum256([]byte(strings.Join(runs, ",")))
		copy(k.Epoch[:], sum[:])
	}
	if last := s.epoch.known.Load(); last == nil || last.Epoch != k.Epoch {
		// Another run has none of the scripts; where this fails a pipeline finds out.
		_ = s.loadScripts(ctx)
	}
	if _, err = s.watch(ctx, k.Epoch, evicted); isFull(err) {
		err = nil // it can be read all the same; whoever writes a token will hear of it
	}
	return k, err
}

func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// watchLife is how long the record of losses lives without anybody touching it; when it is gone, what follows is on
// probation for a hold time, which costs a load.
const watchLife = 24 * time.Hour

// unknownEvictions is the count of a server that does not tell one.
const unknownEvictions = -1

func evictions(stats string) int64 {
	n, err := strconv.ParseInt(infoField(stats, "evicted_keys"), 10, 64)
	if err != nil {
		return unknownEvictions
	}
	return n
}

func (s *Store) watchKey() string { return s.prefix + "meta:watch" }

// watch renews the record of losses and returns since when nothing has been lost. It learns a greater hold time.
func (s *Store) watch(ctx context.Context, epoch Epoch, evicted int64) (since uint64, err error) {
	reply, err := s.scripts.watch.Run(ctx, s.rdb, []string{s.watchKey()},
		epoch.String(), evicted, s.hold.Load(), watchLife.Milliseconds()).StringSlice()
	if err != nil {
		return 0, err
	}
	since, _ = parseMicros(reply[0])
	if ms, err := strconv.ParseInt(reply[1], 10, 64); err == nil {
		s.raiseHold(ms)
	}
	return since, nil
}

// losses asks, behind whatever the pipeline already holds, whether anything can have been lost.
type losses struct {
	stats  *redis.StringCmd
	record *redis.StringCmd
}

func (s *Store) askLosses(ctx context.Context, pipe redis.Pipeliner) losses {
	return losses{stats: pipe.Info(ctx, "stats"), record: pipe.Get(ctx, s.watchKey())}
}

// learnHold takes a greater hold time from the record: whoever makes tokens has to fear holds of that length.
func (s *Store) learnHold(l losses) {
	if l.record == nil {
		return // not asked
	}
	if parts := strings.Split(l.record.Val(), "|"); len(parts) == 4 {
		if ms, err := strconv.ParseInt(parts[3], 10, 64); err == nil {
			s.raiseHold(ms)
		}
	}
}

// intactSince returns since when nothing can have been lost; now, if something may have been just before, or nobody can
// tell. On a cluster nobody can: one record on one master knows nothing of a flush of another.
func (s *Store) intactSince(ctx context.Context, l losses, epoch Epoch, now uint64) uint64 {
	if l.stats == nil {
		return now // not asked
	}
	evicted := evictions(l.stats.Val())
	if s.cluster != nil || evicted == unknownEvictions || s.Blind() {
		return now
	}
	parts := strings.Split(l.record.Val(), "|")
	if len(parts) == 4 && parts[1] == epoch.String() {
		since, ok := parseMicros(parts[0])
		if ok && (parts[2] == strconv.FormatInt(evicted, 10) || s.rules.Off(guard.ExcuseCountsEvictions)) {
			return since
		}
	}
	since, err := s.watch(ctx, epoch, evicted)
	if err != nil {
		return now
	}
	return since
}
