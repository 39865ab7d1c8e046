package near

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Frail is a Redis that can be broken, and a way to it that can be broken apart from it.
type Frail interface {
	suite.Server
	ByWire(o *redis.Options)
	BlackHole()
	Heal() error
	Pause()
	Continue()
	Kill()
	Start()
}

// Faults break what carries the word of writes, and the server itself. A process is never behind for longer than Lag,
// and near again when it is over.
func Faults(t *testing.T, open func(testing.TB) Frail) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Frail){
		"a link on which nothing arrives": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 2, cacheme.Options{Budget: 100 * time.Millisecond}, broken{first: server.ByWire})
			x, y := w.processes[0], w.processes[1]
			x.warm(1)
			server.BlackHole()
			x.sees(1, y.write(1), lag+slack)
			if r := x.get(1); r.Tier == cacheme.TierNear {
				t.Errorf("it came from %s", r.Tier)
			}
			if err := server.Heal(); err != nil {
				t.Fatal(err)
			}
			x.warm(1)
		},
		"a subscription that is killed": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 2, cacheme.Options{}, broken{})
			x, y := w.processes[0], w.processes[1]
			for range suite.Count(200) {
				x.warm(1)
				if err := y.rdb.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
					t.Fatal(err)
				}
				x.sees(1, y.write(1), lag+slack)
			}
		},
		"a subscriber that is too slow": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 2, cacheme.Options{Budget: 100 * time.Millisecond}, broken{first: server.ByWire})
			x, y := w.processes[0], w.processes[1]
			x.warm(1)
			y.warm(1)
			overrun(w, y, server)
			x.sees(1, y.write(1), lag+slack)
			if err := server.Heal(); err != nil {
				t.Fatal(err)
			}
			x.warm(1)
			x.sees(1, y.write(1), lag+slack)
		},
		"a server that stands still": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 2, cacheme.Options{Budget: 100 * time.Millisecond}, broken{})
			x := w.processes[0]
			x.warm(1)
			server.Pause()
			w.until("nothing is near", func() bool { return x.get(1).Tier != cacheme.TierNear })
			server.Continue()
			x.warm(1)
		},
		"a server that comes back empty": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 2, cacheme.Options{Budget: 100 * time.Millisecond}, broken{})
			x, y := w.processes[0], w.processes[1]
			x.warm(1)
			server.Kill()
			server.Start()
			want := w.row(1).Add(1)
			_ = y.Invalidate(t.Context(), rowOf(1)) // kept, while it is away
			x.sees(1, want, lag+slack)
			x.warm(1)
			x.sees(1, y.write(1), lag+slack)
		},
		"FLUSHALL": func(t *testing.T, server Frail) {
			w := newWorld(t, server, 1, cacheme.Options{}, broken{})
			x := w.processes[0]
			x.warm(1)
			loads := w.loads.Load()
			if err := x.rdb.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			w.until("it is loaded again", func() bool { x.get(1); return w.loads.Load() > loads })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// overrun has somebody say more than the server keeps for the first process, which reads nothing any more.
func overrun(w *world, y *process, server Frail) {
	w.t.Helper()
	ctx := context.Background()
	channels, err := y.rdb.PubSubChannels(ctx, w.prefix+"*").Result()
	if err != nil || len(channels) != 1 {
		w.t.Fatalf("there are the channels %v, %v; want the one of the near caches", channels, err)
	}
	if err := y.rdb.ConfigSet(ctx, "client-output-buffer-limit", "pubsub 4mb 0 0").Err(); err != nil {
		w.t.Fatal(err)
	}
	server.BlackHole()
	noise := strings.Repeat("x", 256<<10)
	w.until("the server has ended the subscription", func() bool {
		n, err := y.rdb.Publish(ctx, channels[0], noise).Result()
		return err == nil && n == 1 // the other one keeps up
	})
}

// Tracking has the server itself tell of changes, where nobody says anything.
func Tracking(t *testing.T, open suite.Open) {
	t.Helper()
	server := open(t)
	o := cacheme.Options{Near: cacheme.NearOptions{Lag: 30 * time.Second, Tracking: cacheme.On}}
	soon := 5 * time.Second // long before a pulse
	for name, deed := range map[string]func(x *process) error{
		"a token that is evicted or expires": func(x *process) error { return x.rdb.PExpire(t.Context(), x.token(), time.Millisecond).Err() },
		"a token that somebody writes":       func(x *process) error { return x.rdb.Set(t.Context(), x.token(), "garbage", time.Minute).Err() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, server, 2, o, broken{})
			x := w.processes[0]
			x.warm(1)
			want := w.row(1).Add(1)
			if err := deed(x); err != nil {
				t.Fatal(err)
			}
			x.sees(1, want, soon)
		})
	}
	t.Run("what loads write to tokens ends nothing", func(t *testing.T) {
		w := newWorld(t, server, 2, o, broken{})
		x, y := w.processes[0], w.processes[1]
		x.warm(1)
		for id := range int64(100) {
			y.get(id + 2) // touches the class's token
		}
		before := x.Stats().NearHits
		for range 100 {
			x.get(1)
			time.Sleep(time.Millisecond)
		}
		if n := x.Stats().NearHits - before; n < 95 {
			t.Errorf("of 100 hits %d were near", n)
		}
	})
	t.Run("after the connection was broken, and beside another cache of the client", func(t *testing.T) {
		o := o
		o.Near.Lag = lag
		w := newWorld(t, server, 1, o, broken{})
		x := w.processes[0]
		o.Prefix = suite.Prefix()
		beside := suite.NewCache(t, x.rdb, suite.Patient(o), item{})
		w.until("the other cache is near", func() bool {
			_, err := cacheme.GetFrom(t.Context(), beside, item{ID: 1}, w.load)
			return err == nil && beside.Stats().NearHits > 0
		})
		for range 3 {
			x.warm(1)
			want := w.row(1).Add(1)
			if err := x.rdb.PExpire(t.Context(), x.token(), time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			x.sees(1, want, soon)
			x.events.Clear()
			x.wire.cut()
			w.until("it is near again", func() bool {
				x.get(1)
				_, told := x.events.Load(cacheme.EventNear)
				return told
			})
		}
	})
	t.Run("writes are heard of as without", func(t *testing.T) {
		w := newWorld(t, server, 2, o, broken{})
		x, y := w.processes[0], w.processes[1]
		for range suite.Count(1000) {
			x.warm(1)
			x.sees(1, y.write(1), soon)
		}
	})
	t.Run("FLUSHALL", func(t *testing.T) {
		w := newWorld(t, server, 1, o, broken{})
		x := w.processes[0]
		x.warm(1)
		want := w.row(1).Add(1)
		if err := x.rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		x.sees(1, want, soon)
	})
}
