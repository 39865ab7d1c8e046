package store

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Examined is what a server tells of itself in INFO. What it does not tell is empty.
type Examined struct {
	Addr        string // of a cluster
	Refused     error  // why INFO was not answered; nil: it was
	Version     string
	Role        string
	Policy      string // maxmemory_policy
	MaxMemory   uint64 // bytes; 0: no limit
	Evicted     string
	Replicas    int
	MinReplicas bool // it refuses writes where too few replicas are there
	SaveFailed  bool // the last snapshot could not be written
	// Clients are connected now, of MaxClients at most; so many more were turned away since the server was started.
	Clients, MaxClients, TurnedAway int
	// Missing are the commands of the cache that this user may not send, or the server does not know.
	Missing []string
	// Settings are what CONFIG GET tells of those that are asked for; nil: it may not be asked.
	Settings map[string]string
}

// Examine asks the server, or every master of a cluster, what it is, how it is set, and what it would refuse. It changes nothing
// and does not ask the breaker.
func (s *Store) Examine(ctx context.Context, budget time.Duration, settings []string) ([]Examined, error) {
	return callAnyway(ctx, s, budget, func(ctx context.Context) ([]Examined, error) {
		var mu sync.Mutex
		var all []Examined
		err := s.eachMaster(ctx, func(ctx context.Context, node redis.UniversalClient, addr string) error {
			pipe := node.Pipeline()
			parts := []*redis.StringCmd{pipe.Info(ctx, "server"), pipe.Info(ctx, "memory"), pipe.Info(ctx, "stats"), pipe.Info(ctx, "replication"), pipe.Info(ctx, "persistence"), pipe.Info(ctx, "clients")}
			set := make([]*redis.MapStringStringCmd, len(settings))
			for i, name := range settings {
				set[i] = pipe.ConfigGet(ctx, name) // several names at once are for Redis 7
			}
			if _, err := pipe.Exec(ctx); err != nil && !isReply(err) {
				return err
			}
			var text strings.Builder
			e := Examined{Addr: addr}
			for _, part := range parts {
				text.WriteString(part.Val() + "\n")
				if part.Err() != nil {
					e.Refused = part.Err()
				}
			}
			info := text.String()
			e.Version, e.Role = infoField(info, "redis_version"), infoField(info, "role")
			e.Policy, e.Evicted = infoField(info, "maxmemory_policy"), infoField(info, "evicted_keys")
			e.MaxMemory, _ = strconv.ParseUint(infoField(info, "maxmemory"), 10, 64) // what is not told is 0
			e.Replicas, _ = strconv.Atoi(infoField(info, "connected_slaves"))
			e.MinReplicas = infoField(info, "min_slaves_good_slaves") != "" // told only where it is set
			e.Clients, _ = strconv.Atoi(infoField(info, "connected_clients"))
			e.MaxClients, _ = strconv.Atoi(infoField(info, "maxclients"))
			e.TurnedAway, _ = strconv.Atoi(infoField(info, "rejected_connections"))
			e.SaveFailed = infoField(info, "rdb_last_bgsave_status") == "err"
			for i, name := range settings {
				if value, told := set[i].Val()[name]; told {
					if e.Settings == nil {
						e.Settings = map[string]string{}
					}
					e.Settings[name] = value
				}
			}
			var err error
			if e.Missing, err = s.refused(ctx, node); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e)
			return nil
		})
		return all, err
	})
}
