package cacheme_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/suite"
)

// refusal is an error that a server answers.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) RedisError()     {}

// unread has the reads of entries fail, and everything else pass.
type unread struct {
	on    atomic.Bool
	with  error // nil: nothing is found
	trips atomic.Int64
}

func (*unread) DialHook(next redis.DialHook) redis.DialHook { return next }

func (u *unread) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if get, ok := cmd.(*redis.StringSliceCmd); ok && u.on.Load() && cmd.Name() == "mget" {
			u.trips.Add(1)
			get.SetVal(make([]string, len(get.Val())))
		}
		return err
	}
}

func (u *unread) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if key, _ := cmd.Args()[len(cmd.Args())-1].(string); u.on.Load() && cmd.Name() == "get" && strings.Contains(key, "hot:1") {
				u.trips.Add(1)
				cmd.SetErr(u.with)
			}
		}
		return err
	}
}

// oneOfACluster is a client of a cluster that has one server.
func oneOfACluster(t *testing.T, s *embedded.Server) *redis.ClusterClient {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{
		ContextTimeoutEnabled: true,
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: "embedded:1"}}}}, nil
		},
		NewClient: func(o *redis.Options) *redis.Client {
			return s.Client(func(own *redis.Options) { own.Addr = o.Addr })
		},
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestGet_where_a_cluster_fails_to_read_an_entry(t *testing.T) {
	t.Parallel()
	for _, with := range []refusal{"MOVED 7 elsewhere:1", "ERR something that nobody expects", "NOPERM this user has no permissions"} {
		t.Run(strings.Fields(string(with))[0], func(t *testing.T) {
			t.Parallel()
			server, err := embedded.Start(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			hook := &unread{with: with}
			rdb := oneOfACluster(t, server)
			rdb.AddHook(hook)
			c := suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix(), Hold: 100 * time.Millisecond}), hotPage{}, goodChange{})
			loads := 0
			get := func() {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if _, err := cacheme.GetFrom(ctx, c, hotPage{ID: 1}, func(context.Context, hotPage) (int64, error) { loads++; return 1, nil }); err != nil {
					t.Fatalf("Get() = %v after %d looks", err, hook.trips.Load())
				}
			}
			get()
			hook.on.Store(true)
			get()
			if loads != 2 || hook.trips.Load() > 2 {
				t.Errorf("%d loads and %d looks, want 2 loads, and one look that fails", loads, hook.trips.Load())
			}
		})
	}
}

// Something between the client and Redis has reads find nothing, and scripts run where the data is: a proxy that reads from
// replicas which lag.
func TestGet_where_reads_find_nothing_of_what_scripts_see(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	hook := &unread{}
	rdb := server.Client()
	rdb.AddHook(hook)
	const lease = time.Second
	c := suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix(), Lease: lease}), hotPage{}, goodChange{})
	get := func(get func(context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		hook.trips.Store(0)
		began := time.Now()
		if err := get(ctx); err != nil {
			t.Fatalf("Get() = %v after %d looks in %v", err, hook.trips.Load(), time.Since(began))
		}
		if n := hook.trips.Load(); n > 60 {
			t.Errorf("%d looks in %v, want pauses between them", n, time.Since(began))
		}
	}
	load := func(_ context.Context, p hotPage) (int64, error) { return p.ID, nil }
	one := func(ctx context.Context) error {
		_, err := cacheme.GetFrom(ctx, c, hotPage{ID: 1}, load)
		return err
	}
	get(one)
	hook.on.Store(true)
	get(one)
	get(func(ctx context.Context) error {
		_, err := cacheme.GetManyFrom(ctx, c, []hotPage{{ID: 1}, {ID: 2}}, func(_ context.Context, nodes []hotPage) (map[hotPage]int64, error) {
			all := map[hotPage]int64{}
			for _, n := range nodes {
				all[n] = n.ID
			}
			return all, nil
		})
		return err
	})
}
