package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// letApp gives the user app of each server these rights.
func letApp(t testing.TB, rights string, servers ...*kit.RedisServer) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "app", "on", ">secret"}
	for rule := range strings.FieldsSeq(rights) {
		args = append(args, rule)
	}
	for _, s := range servers {
		if err := kit.Admin(t, s.Addr()).Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func asApp(o *redis.Options) { o.Username, o.Password = "app", "secret" }

// refused is what servers have refused somebody, by their own account.
func refused(t *testing.T, servers ...*kit.RedisServer) (all []string) {
	t.Helper()
	for _, s := range servers {
		entries, err := kit.Admin(t, s.Addr()).ACLLog(t.Context(), 100).Result()
		check(t, err)
		for _, e := range entries {
			all = append(all, fmt.Sprint(e.Reason, " ", e.Context, " ", e.Object))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// useAll does with two processes and a tool what there is to be done to a Redis.
func useAll(t *testing.T, client func() redis.UniversalClient, o cacheme.Options) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	one, two := suite.NewCache(t, client(), o, page{}, nearPage{}, pageChanged{}), suite.NewCache(t, client(), o, page{}, nearPage{}, pageChanged{})
	loads := 0
	load := func(context.Context, page) (int64, error) { loads++; return 1, nil }
	// A primary is not believed before its replicas are seen to follow it.
	for before := -1; before != loads && ctx.Err() == nil; {
		before = loads
		_, err := cacheme.GetFrom(ctx, one, page{ID: 1}, load)
		check(t, err)
	}
	if ctx.Err() != nil {
		t.Error("no Get is a hit")
	}
	loads = 0
	started := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := cacheme.GetFrom(ctx, one, page{ID: 2}, func(context.Context, page) (int64, error) {
			close(started)
			time.Sleep(300 * time.Millisecond)
			return 1, nil
		})
		ended <- err
	}()
	<-started
	_, err := cacheme.GetFrom(ctx, two, page{ID: 2}, load) // waits
	check(t, err)
	check(t, <-ended)
	if loads != 0 {
		t.Errorf("%d loads, want 0: another process was at work", loads)
	}
	nearLoad := func(context.Context, nearPage) (int64, error) { return 1, nil }
	for _, c := range []*cacheme.Cache{one, two} {
		for c.Stats().NearHits == 0 && ctx.Err() == nil {
			_, err := cacheme.GetFrom(ctx, c, nearPage{ID: 3}, nearLoad)
			check(t, err)
			time.Sleep(10 * time.Millisecond)
		}
		if c.Stats().NearHits == 0 {
			t.Error("nothing is near")
		}
	}
	check(t, one.Invalidate(ctx, pageChanged{ID: 1}))
	h, err := one.Hold(ctx, pageChanged{ID: 1})
	check(t, err)
	check(t, h.Rollback(ctx))
	h, err = one.Hold(ctx, pageChanged{ID: 1})
	check(t, err)
	check(t, h.Commit(ctx))
	_, err = cacheme.GetFrom(ctx, one, page{ID: 4}, load)
	check(t, err)
	check(t, one.Remove(ctx, page{ID: 4}))
	_, err = one.RemovePattern(ctx, "page:*")
	check(t, err)
	check(t, one.Publish(ctx))
	tool, err := cacheme.Attach(ctx, client(), cacheme.Options{Prefix: o.Prefix, Budget: o.Budget, WriteBudget: o.WriteBudget})
	check(t, err)
	for _, k := range []*cacheme.Console{tool, one.Console()} {
		_, err = k.Browse(ctx, cacheme.Look{})
		check(t, err)
		_, err = k.Explain(ctx, "near:3")
		check(t, err)
		_, err = k.Value(ctx, "near:3")
		check(t, err)
		_, err = k.Fleet(ctx)
		check(t, err)
		_, err = k.Journal(ctx, 10)
		check(t, err)
	}
	_, err = cacheme.Doctor(ctx, one)
	check(t, err)
	check(t, tool.Cache().Close(ctx))
}

// A user with exactly the rights that Doctor prints does all that there is, and the server says that it refused nothing but
// what Doctor says that it asks for itself, CONFIG GET and MULTI.
func TestDoctor_names_rights_for_everything(t *testing.T) {
	t.Parallel()
	grant := func(t *testing.T, o cacheme.Options, rdb redis.UniversalClient, servers ...*kit.RedisServer) {
		t.Helper()
		letApp(t, diagnoseFor(t, rdb, o).ACL, servers...)
		for _, s := range servers {
			check(t, kit.Admin(t, s.Addr()).Do(t.Context(), "ACL", "LOG", "RESET").Err())
		}
	}
	judge := func(t *testing.T, servers ...*kit.RedisServer) {
		t.Helper()
		for _, r := range refused(t, servers...) {
			if !slices.ContainsFunc([]string{"config|get", "multi", "discard"}, func(own string) bool { return strings.HasSuffix(r, " "+own) }) {
				t.Errorf("the server refused: %s", r)
			}
		}
	}
	for name, o := range map[string]cacheme.Options{
		"plain": {}, "tracking": {Near: cacheme.NearOptions{Tracking: cacheme.On}}, "replicas": {WaitReplicas: 1},
	} {
		o = suite.Patient(o)
		o.Prefix = suite.Prefix()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kit.Redis(t)
			if o.WaitReplicas > 0 {
				s.Replica(t)
				awaitReplica(t, s)
			}
			grant(t, o, s.Client(), s)
			useAll(t, func() redis.UniversalClient { return s.Client(asApp) }, o)
			judge(t, s)
		})
	}
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		o := suite.Patient(cacheme.Options{Prefix: suite.Prefix()})
		c := kit.Cluster(t, noFailover)
		grant(t, o, c.Client(), c.Servers()...)
		useAll(t, func() redis.UniversalClient { return c.Client(asApp) }, o)
		judge(t, c.Servers()...)
	})
}
