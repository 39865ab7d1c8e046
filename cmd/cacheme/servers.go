package main

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// eachMaster calls f with the server, or with each master of a cluster, one after the other.
func eachMaster(ctx context.Context, rdb redis.UniversalClient, f func(server redis.UniversalClient) error) error {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return f(rdb)
	}
	var one sync.Mutex // the client calls for all masters at the same time
	return cluster.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
		one.Lock()
		defer one.Unlock()
		return f(master)
	})
}
