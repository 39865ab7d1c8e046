package integration_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/store"
)

// step is a moment in a write and in a load that goes on beside it.
type step struct {
	name   string
	script string // empty: none is near
	after  bool
}

// The steps at which no script runs.
const (
	committing = "at the COMMIT"
	loading    = "while the loader runs"
)

var steps = []step{
	{name: "before the hold", script: "hold"},
	{name: "after the hold", script: "hold", after: true},
	{name: committing},
	{name: "before the release", script: "release"},
	{name: "after the release", script: "release", after: true},
	{name: "before the lease", script: "begin"},
	{name: "after the lease", script: "begin", after: true},
	{name: loading},
	{name: "before the fill", script: "fill"},
	{name: "after the fill", script: "fill", after: true},
}

// flushedAtEachStep plays a write and a load that began under its hold and brings what was before the COMMIT. All steps
// are played at once, each on a Redis of its own: most of the time is spent on holds.
func flushedAtEachStep(t *testing.T) {
	t.Parallel()
	var plays []*play
	for _, s := range steps {
		plays = append(plays, newPlay(t, s, false, 0))
		if s.script != "release" {
			plays = append(plays, newPlay(t, s, true, 0))
		}
	}
	calm(plays...)
	var all sync.WaitGroup
	for _, p := range plays {
		all.Go(func() {
			p.play()
			if n := p.old.Load(); n != 0 {
				t.Errorf("FLUSHALL %s, the writer dies: %v: %d reads were old", p.step.name, p.dies, n)
			}
		})
	}
	all.Wait()
}

// play is one write and one load, and a Redis that forgets everything at a step.
type play struct {
	*fleet
	step  step
	dies  bool // before its release
	armed atomic.Bool
	flush func() // once
}

func newPlay(t *testing.T, s step, dies bool, off guard.Set) *play {
	t.Helper()
	server := kit.Redis(t)
	admin := kit.Admin(t, server.Addr())
	p := &play{step: s, dies: dies, flush: sync.OnceFunc(func() {
		if err := admin.FlushAll(context.Background()).Err(); err != nil {
			t.Error(err)
		}
	})}
	p.fleet = newFleetOf(t, 1, 2, cacheme.Options{Hold: hold, Budget: 10 * time.Second, WriteBudget: 10 * time.Second}, func() redis.UniversalClient {
		rdb := server.Client(func(o *redis.Options) { o.ReadTimeout, o.WriteTimeout = 10*time.Second, 10*time.Second })
		rdb.AddHook(p)
		return &guard.Client{UniversalClient: rdb, Rules: off}
	})
	return p
}

// calm makes entries that live, see settle.
func calm(plays ...*play) {
	for _, p := range plays {
		p.hits()
	}
	time.Sleep(hold + hold/5)
	for _, p := range plays {
		p.hits()
		p.armed.Store(true)
	}
}

func (p *play) play() {
	ctx := context.Background()
	reader, writer := p.caches[0], p.caches[1]
	h, err := writer.Hold(ctx, pageChanged{})
	if err != nil {
		p.t.Error(err)
		return
	}
	loaded, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		began := false
		_, err := cacheme.GetFrom(ctx, reader, page{}, func(context.Context, page) (int64, error) {
			v := p.versions[0].Load()
			if !began {
				began = true
				close(loaded)
				<-goOn
			}
			return v, nil
		})
		if err != nil {
			p.t.Error(err)
		}
	}()
	<-loaded
	if p.step.name == loading {
		p.flush()
	}
	deadline := h.Deadline()
	if err := p.commit(writer, 0, func(ctx context.Context) error {
		if p.step.name == committing {
			p.flush()
		}
		if p.dies {
			close(goOn)
			<-done
			return context.Canceled // it tells nobody
		}
		return h.Commit(ctx)
	}); err != nil && !p.dies {
		p.t.Error(err)
	}
	if p.dies {
		time.Sleep(time.Until(deadline) + hold/5)
		p.promised[0].Store(p.versions[0].Load())
	} else {
		close(goOn) // those who read now meet what it brings
		p.both()
		<-done
	}
	p.both()
	time.Sleep(hold / 5)
	p.both()
}

// both has both processes read twice: what the first may have stored, the second is served.
func (p *play) both() {
	for _, c := range append(p.caches, p.caches...) {
		p.read(c, 0)
	}
}

func (p *play) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p *play) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return p.around([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (p *play) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return p.around(cmds, func() error { return next(ctx, cmds) })
	}
}

func (p *play) around(cmds []redis.Cmder, send func() error) error {
	here := p.armed.Load() && slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool {
		args := cmd.Args()
		return len(args) > 1 && cmd.Name() == "evalsha" && p.step.script != "" && scripts[args[1].(string)] == p.step.script
	})
	if here && !p.step.after {
		p.flush()
	}
	err := send()
	if here && p.step.after {
		p.flush()
	}
	return err
}

var scripts = store.ScriptNames()
