package store

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// eachMaster does something on the server, or at once on every master of a cluster as the cluster says now: the client
// itself keeps to what it knew for up to a minute, and dials a master that is dead until then. addr is empty on a single
// server.
func (s *Store) eachMaster(ctx context.Context, do func(ctx context.Context, node redis.UniversalClient, addr string) error) error {
	if s.cluster == nil {
		return do(ctx, s.rdb, "")
	}
	return s.cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		return do(ctx, node, node.Options().Addr)
	})
}

func (k *epochKeeper) watch(rdb redis.UniversalClient, cluster *redis.ClusterClient, rules guard.Set, confirms bool) {
	k.own, k.rules = processEpoch(), rules
	hook := dialHook{k, confirms}
	if cluster == nil {
		rdb.AddHook(hook)
		return
	}
	cluster.OnNewNode(func(node *redis.Client) { node.AddHook(nodeHook{hook, node.Options().Addr}) })
}

// dialHook counts connections, and has writes confirmed on them where that is asked for.
type dialHook struct {
	keeper   *epochKeeper
	confirms bool
}

func (h dialHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil { // where there is no connection, nothing else answers either
			// Counted before the connection can carry a reply.
			h.keeper.dials.Add(1)
		}
		return conn, err
	}
}

func (dialHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h dialHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	if !h.confirms {
		return next
	}
	return h.keeper.confirming(next)
}

// nodeHook also watches who answers. The client of a cluster has connections to replicas, by which it asks for the map of
// slots: one that is promoted answers without any dial.
type nodeHook struct {
	dialHook
	addr string
}

func (h nodeHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		h.keeper.answered(h.addr, cmd)
		return err
	}
}

func (h nodeHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	next = h.dialHook.ProcessPipelineHook(next)
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		h.keeper.answered(h.addr, cmds...)
		return err
	}
}

// answered makes the epoch unknown where it does not know the server as a master. Only what may be believed counts: the
// map of slots, for one, is asked of replicas too.
func (k *epochKeeper) answered(addr string, cmds ...redis.Cmder) {
	known := k.known.Load()
	if known == nil || known.masters[addr] || k.rules.Off(guard.EpochKnowsMasters) {
		return
	}
	for _, cmd := range cmds {
		switch cmd.Name() {
		case "get", "evalsha":
			k.dials.Add(1)
			return
		}
	}
}

// epochPause is the least time between two looks at the run id that nothing but a foreign record asks for.
const epochPause = time.Second

// notice looks at the run id again where a record is of another run than this process knows: what changes a replication id
// (the first replica of a server, an hour without any) breaks no connection, and processes that disagree on the run would
// make each other's tokens anew for ever.
func (s *Store) notice(raw []string, run epochText) {
	for _, text := range raw {
		if len(text) < shortSize || text[1] != '|' || text[0] != 't' && text[0] != 'h' || text[epochAt:timeAt-1] == string(run[:]) {
			continue
		}
		if k := s.epoch.known.Load(); k != nil && !k.blind && time.Since(k.at) > epochPause {
			s.epoch.dials.Add(1)
		}
		return
	}
}
