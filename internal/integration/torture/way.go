package torture

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// Way is how a process comes to its Redis.
type Way struct {
	Addrs   []string // of the servers, or of the sentinels
	Master  string   // the name that sentinels know it by; empty: there are none
	Cluster bool
	Through map[string]string // addresses of servers to those of the proxies in front of them
}

// client has the settings recommended for a cache.
func (w Way) client() (redis.UniversalClient, error) {
	if len(w.Addrs) == 0 {
		return nil, errors.New("a way to Redis without an address")
	}
	const patience = 250 * time.Millisecond
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: w.Addrs, MasterName: w.Master, IsClusterMode: w.Cluster,
		DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, PoolSize: 16,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if proxy, ok := w.Through[addr]; ok {
				addr = proxy
			}
			return (&net.Dialer{Timeout: patience}).DialContext(ctx, network, addr)
		},
	}), nil
}
