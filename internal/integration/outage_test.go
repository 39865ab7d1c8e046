package integration_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/outage"
)

func TestOutage(t *testing.T) {
	outage.Run(t, func(t testing.TB) suite.Server {
		t.Helper()
		return breakable(t)
	})
}

// proxied is a Redis with two ways to it: one that breaks, for the clients that ask for it, and its own.
type proxied struct {
	*kit.RedisServer
	*kit.Proxy
}

// breakable starts one of the test's own.
func breakable(t testing.TB) *proxied {
	t.Helper()
	server := kit.Redis(t)
	return &proxied{RedisServer: server, Proxy: kit.NewProxy(t, server.Addr())}
}

// Addr is the server's own address.
func (p *proxied) Addr() string { return p.RedisServer.Addr() }

// ByWire makes the clients' way the one that breaks.
func (p *proxied) ByWire(o *redis.Options) { o.Addr = p.Proxy.Addr() }
