package cacheme_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

func TestNew_refuses_clients_that_give_old_replies(t *testing.T) {
	t.Parallel()
	for option, client := range map[string]redis.UniversalClient{
		"ClientSideCacheConfig": redis.NewClient(&redis.Options{Addr: "nowhere:1", ClientSideCacheConfig: &redis.ClientSideCacheConfig{}}),
		"ReadOnly":              redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"nowhere:1"}, ReadOnly: true}),
		"RouteByLatency":        redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"nowhere:1"}, RouteByLatency: true}),
		"RouteRandomly":         redis.NewFailoverClusterClient(&redis.FailoverOptions{SentinelAddrs: []string{"nowhere:1"}, RouteRandomly: true}),
	} {
		t.Cleanup(func() { _ = client.Close() })
		var usage *cacheme.UsageError
		if _, err := cacheme.New(client, cacheme.Options{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), option) || !strings.Contains(err.Error(), "leave it out") {
			t.Errorf("New with %s = %v, want a *UsageError that names it and says the remedy", option, err)
		}
	}
	plain := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"nowhere:1"}})
	t.Cleanup(func() { _ = plain.Close() })
	c, err := cacheme.New(plain, cacheme.Options{})
	if err != nil {
		t.Fatalf("New with a client of masters = %v", err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
