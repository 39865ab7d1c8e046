package near

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

// Guards plays a schedule for each rule, with the rule in and with it out: only then is something old served.
func Guards(t *testing.T, open suite.Open) {
	t.Helper()
	server := open(t)
	for _, g := range []struct {
		rule string
		off  broken
		play func(w *world) (old bool)
	}{
		{"whoever invalidates says so", withoutTell("invalidate"), unheard},
		{"whoever holds says so", withoutTell("hold"), unheardHold},
		{"wires are stretched before the look", broken{rules: guard.Without(guard.NearBeforeLook)}, lateWires},
		{"only what is proven is served", broken{rules: guard.Without(guard.NearOnlyProven)}, silent},
		{"loads do not use it", broken{rules: guard.Without(guard.NearNotInLoads)}, insideLoad},
	} {
		t.Run(g.rule, func(t *testing.T) {
			t.Parallel()
			if g.play(newWorld(t, server, 2, cacheme.Options{Budget: 200 * time.Millisecond}, broken{})) {
				t.Error("with the rule in, something old was served")
			}
			if !g.play(newWorld(t, server, 2, cacheme.Options{Budget: 200 * time.Millisecond}, g.off)) {
				t.Error("with the rule out, nothing old was served: nothing here needs the rule")
			}
		})
	}
}

func withoutTell(script string) broken {
	return broken{rewrite: func(name, source string) string {
		if name != script {
			return source
		}
		before, after, found := strings.Cut(source, "tell(r, KEYS[1],")
		_, rest, ends := strings.Cut(after, "\n")
		if !found || !ends {
			panic(script + ".lua does not call tell any more")
		}
		return before + "\n" + rest
	}}
}

// old reports whether the process still serves something older than v when Lag is over.
func (p *process) old(id, v int64) bool {
	_, ok := p.turns(id, v, lag+lag/2)
	return !ok
}

func unheard(w *world) bool {
	x, y := w.processes[0], w.processes[1]
	x.warm(1)
	return x.old(1, y.write(1))
}

func unheardHold(w *world) bool {
	x, y := w.processes[0], w.processes[1]
	x.warm(1)
	if _, err := y.Hold(context.Background(), rowOf(1)); err != nil {
		w.t.Fatal(err)
	}
	return x.old(1, w.row(1).Add(1)) // committed, and then the writer died
}

// lateWires has a write come, and be heard of, while what was read before it is on its way.
func lateWires(w *world) bool {
	x, y := w.processes[0], w.processes[1]
	x.warm(2) // so that the connection is proven
	x.get(1)
	pause := &afterLook{key: "{item:1}", looked: make(chan struct{}), goOn: make(chan struct{})}
	x.rdb.AddHook(pause)
	got := make(chan struct{})
	go func() { defer close(got); x.get(1) }()
	<-pause.looked
	v := y.write(1)
	y.write(2)
	x.sees(2, w.row(2).Load(), lag+slack) // the word before it has come too
	close(pause.goOn)
	<-got
	return x.old(1, v)
}

// afterLook stops the first look at a key when its reply is there.
type afterLook struct {
	key          string
	once         sync.Once
	looked, goOn chan struct{}
}

func (h *afterLook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *afterLook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h *afterLook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if args := cmd.Args(); cmd.Name() == "mget" && strings.HasSuffix(args[1].(string), h.key) {
			h.once.Do(func() {
				close(h.looked)
				<-h.goOn
			})
		}
		return err
	}
}

// silent has a connection on which nothing arrives any more, and nobody is told.
func silent(w *world) bool {
	x, y := w.processes[0], w.processes[1]
	x.warm(1)
	x.wire.silent.Store(true)
	defer x.wire.cut()
	defer x.wire.silent.Store(false)
	return x.old(1, y.write(1))
}

// insideLoad makes a page, which is not near, of an item that is, while nothing arrives at this process but what it asks for.
func insideLoad(w *world) bool {
	x := w.processes[0]
	x.warm(1)
	v := w.row(1).Add(1)
	// As if the word were still on its way: told to Redis, not to the process.
	if err := x.rdb.Del(context.Background(), x.token()).Err(); err != nil {
		w.t.Fatal(err)
	}
	got, err := cacheme.GetFrom(context.Background(), x.Cache, page{ID: 1}, func(ctx context.Context, p page) (int64, error) {
		return x.items.Get(ctx, item{ID: p.ID})
	})
	if err != nil {
		w.t.Error(err)
	}
	return got < v
}
