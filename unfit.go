package cacheme

import (
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// unfit says why a client may give old replies, empty if it does not: it keeps some itself, or asks replicas. A replica is behind
// its primary, so that a token read there may be one that was made wrong before a write returned. A client of one server tells
// nothing of where it leads: the server itself is asked, see internal/store.
func unfit(rdb redis.UniversalClient) string {
	client, _, _ := guard.Unwrap(rdb)
	if one, ok := client.(*redis.Client); ok {
		if o := one.Options(); o.ClientSideCacheConfig != nil || o.ClientSideCache != nil {
			return "got a client with client-side caching (ClientSideCacheConfig), which answers from memory what a write elsewhere has made wrong; " +
				"leave it out for the cache, and set Meta.Near for nodes that are to be answered by the process"
		}
		return ""
	}
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return ""
	}
	o := cluster.Options()
	const remedy = ": replicas are behind, and what a write has made wrong would be served; " +
		"leave it out for the cache, and use a client of its own for what may read replicas"
	switch {
	case o.RouteByLatency:
		return "got a client with RouteByLatency, which reads from replicas" + remedy
	case o.RouteRandomly:
		return "got a client with RouteRandomly, which reads from replicas" + remedy
	case o.ReadOnly:
		return "got a client with ReadOnly, which reads from replicas" + remedy
	}
	return ""
}
