package integration_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/freshness"
)

// diagnose is what Doctor says of a Redis.
func diagnose(t testing.TB, rdb redis.UniversalClient, prefix string) cacheme.Diagnosis {
	t.Helper()
	return diagnoseFor(t, rdb, cacheme.Options{Prefix: prefix})
}

func diagnoseFor(t testing.TB, rdb redis.UniversalClient, o cacheme.Options) cacheme.Diagnosis {
	t.Helper()
	d, err := cacheme.Doctor(t.Context(), suite.NewCache(t, rdb, o))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDoctor_finds_what_is_wrong_and_says_the_remedy(t *testing.T) {
	t.Parallel()
	g := kit.Sentinel(t, noFailover)
	primary := kit.Admin(t, g.Primary().Addr())
	set := func(name, value string) func(context.Context) error {
		return func(ctx context.Context) error { return primary.ConfigSet(ctx, name, value).Err() }
	}
	for _, c := range []struct {
		name, want string
		do         func(context.Context) error
	}{
		{"no maxmemory", "set maxmemory,", func(context.Context) error { return nil }},
		{"replicas without a minimum", "set min-replicas-to-write 1", func(context.Context) error { return nil }},
		{"a replica that counts", "min-replicas-to-write is set", set("min-replicas-to-write", "1")},
		{"a full server that refuses", "noeviction, maxmemory 100 MB", set("maxmemory", "100mb")},
		{"a policy by chance", "allkeys-random, maxmemory 100 MB", set("maxmemory-policy", "allkeys-random")},
		{"a policy that is right", "a token that is evicted costs a load", set("maxmemory-policy", "allkeys-lru")},
		{"min-replicas-max-lag", "set min-replicas-max-lag to 10 or less", set("min-replicas-max-lag", "60")},
		{"replicas that take writes", "set replica-read-only yes", set("replica-read-only", "no")},
		{"replicas that answer while they load", "answers from its old data while it loads", set("repl-diskless-load", "swapdb")},
		{"a file of all writes", "set appendonly no", set("appendonly", "yes")},
		{"snapshots", `set save ""`, set("save", "3600 1")},
		{"no snapshots that could stop writes", "there are no snapshots that could fail", func(ctx context.Context) error {
			return errors.Join(set("save", "")(ctx), set("stop-writes-on-bgsave-error", "yes")(ctx))
		}},
		{"snapshots that stop writes", "set stop-writes-on-bgsave-error no", set("save", "3600 1")},
		{"snapshots that stop nobody", "a snapshot that cannot be written stops nobody", set("stop-writes-on-bgsave-error", "no")},
		{"connections that are closed early", "set timeout 0", set("timeout", "20")},
		{"a small buffer for subscribers", "set client-output-buffer-limit pubsub 32mb", set("client-output-buffer-limit", "pubsub 65536 32768 10")},
		{"notifications of keys", `set notify-keyspace-events ""`, set("notify-keyspace-events", "KEA")},
		{"settings that it does not tell", "+config|get", func(ctx context.Context) error {
			return primary.Do(ctx, "ACL", "SETUSER", "default", "-config|get").Err()
		}},
		{"a server that does not tell", "allow INFO", func(ctx context.Context) error {
			return primary.Do(ctx, "ACL", "SETUSER", "default", "-info").Err()
		}},
	} {
		check(t, c.do(t.Context()))
		if text := diagnose(t, g.Client(suite.PatientClient), suite.Prefix()).String(); !strings.Contains(text, c.want) {
			t.Errorf("%s: Doctor says\n%s\nwant %q in it", c.name, text, c.want)
		}
	}
	check(t, primary.Do(t.Context(), "ACL", "SETUSER", "default", "+info", "+config").Err())

	for waits, want := range map[int]string{
		1: "a primary that was replaced is not read from for longer than a second",
		2: "add a replica, so that one may be gone",
		3: "there are too few",
	} {
		d := diagnoseFor(t, g.Client(suite.PatientClient), cacheme.Options{Prefix: suite.Prefix(), WaitReplicas: waits})
		if text := d.String(); !strings.Contains(text, want) || !strings.Contains(d.ACL, "+wait") {
			t.Errorf("WaitReplicas %d of two: Doctor says\n%s\nwant %q in it, and +wait among the rights", waits, text, want)
		}
	}

	var replica *kit.RedisServer
	for _, s := range g.Servers() {
		if s != g.Primary() {
			replica = s
		}
	}
	if text := diagnose(t, replica.Client(suite.PatientClient), suite.Prefix()).String(); !strings.Contains(text, "client of the primary") {
		t.Errorf("a replica: Doctor says\n%s", text)
	}
}

// user is a Redis whose clients have the least rights that Doctor names.
type user struct{ suite.Server }

func (u user) Client(with ...func(*redis.Options)) redis.UniversalClient {
	return u.Server.Client(append([]func(*redis.Options){asApp}, with...)...)
}

// What Doctor calls the least rights suffices for the freshness suite.
func TestDoctor_names_rights_that_suffice(t *testing.T) {
	t.Parallel()
	grant := func(t testing.TB, server suite.Server, all ...*kit.RedisServer) suite.Server {
		t.Helper()
		// The suite makes a prefix for each test, all of which begin with T.
		rules := strings.ReplaceAll(diagnose(t, server.Client(suite.PatientClient), "T").ACL, "&Twake", "&T*")
		letApp(t, rules+" +keys", all...) // by which the suite takes keys away
		return user{server}
	}
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		freshness.NoStaleFill(t, func(t testing.TB) suite.Server {
			t.Helper()
			s := kit.Redis(t)
			return grant(t, s, s)
		})
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		if !suite.Torture() {
			t.Skip("not run: only in make torture")
		}
		c := kit.Cluster(t, noFailover)
		server := grant(t, c, c.Servers()...)
		freshness.NoStaleFill(t, func(testing.TB) suite.Server { return server })
	})
}
