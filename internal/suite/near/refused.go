package near

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// refusal is a server that refuses what a client sends, or never answers it.
type refusal struct {
	command  func(context.Context, redis.Cmder) error // nil: is sent
	pipeline func() error
}

func (refusal) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r refusal) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if r.command != nil {
			if err := r.command(ctx, cmd); err != nil {
				cmd.SetErr(err)
				return err
			}
		}
		return next(ctx, cmd)
	}
}

func (r refusal) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if r.pipeline != nil {
			if err := r.pipeline(); err != nil {
				for _, cmd := range cmds {
					cmd.SetErr(err)
				}
				return err
			}
		}
		return next(ctx, cmds)
	}
}

var errRefused = errors.New("OOM command not allowed")

// mute is a process that may listen and not publish: it is not near, and says why.
func mute(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	x.rdb.AddHook(refusal{command: func(_ context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "publish" {
			return errRefused
		}
		return nil
	}})
	w.until("it is told", func() bool {
		if r := x.get(1); r.Tier == cacheme.TierNear {
			t.Fatal("it is near")
		}
		_, told := x.events.Load(cacheme.EventNearAway)
		return told
	})
	if e, _ := x.events.Load(cacheme.EventNearAway); !errors.Is(e.(cacheme.Event).Err, errRefused) {
		t.Errorf("it was told as %+v", e)
	}
}

// hangs has a client that heeds no context, whose server answers nothing any more.
func hangs(t *testing.T, server suite.Server) {
	rdb := server.Client()
	hung, goOn := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	rdb.AddHook(refusal{command: func(_ context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "publish" && once.CompareAndSwap(false, true) {
			close(hung)
			<-goOn
		}
		return nil
	}})
	c := suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix()}), item{})
	if _, err := cacheme.GetFrom(t.Context(), c, item{ID: 1}, func(context.Context, item) (int64, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := cacheme.GetFrom(t.Context(), c, item{ID: 1}, func(context.Context, item) (int64, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	<-hung
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		closed <- c.Close(ctx)
	}()
	select {
	case err := <-closed:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close() = %v; want that it did not come to its end", err)
		}
	case <-time.After(slack):
		t.Error("Close() waits for longer than its context")
	}
	close(goOn)
}

// pausing is a codec that stops the next Unmarshal.
type pausing struct {
	next          atomic.Bool
	reached, goOn chan struct{}
}

func (*pausing) Name() string { return "pausing" }

func (*pausing) Marshal(v any) ([]byte, error) {
	return strconv.AppendInt(nil, v.(int64), 10), nil
}

func (p *pausing) Unmarshal(b []byte, v any) (err error) {
	if p.next.CompareAndSwap(true, false) {
		close(p.reached)
		<-p.goOn
	}
	*v.(*int64), err = strconv.ParseInt(string(b), 10, 64)
	return err
}

// undelivered has a reader look while a write of the same process is on its way to a server that is going to refuse it,
// and keep what it saw when that is known.
func undelivered(t *testing.T, server suite.Server) {
	codec := &pausing{reached: make(chan struct{}), goOn: make(chan struct{})}
	w := newWorld(t, server, 1, cacheme.Options{Codec: codec}, broken{})
	x := w.processes[0]
	x.warm(2) // so that the connection is proven
	x.get(1)
	var full atomic.Bool
	sent, refuse := make(chan struct{}, 100), make(chan struct{})
	x.rdb.AddHook(refusal{pipeline: func() error {
		if !full.Load() {
			return nil
		}
		sent <- struct{}{}
		<-refuse
		return errRefused
	}})
	full.Store(true)
	want := w.row(1).Add(1)
	written := make(chan error)
	go func() { written <- x.Invalidate(context.Background(), rowOf(1)) }()
	<-sent
	codec.next.Store(true)
	got := make(chan struct{})
	go func() { defer close(got); x.get(1) }()
	<-codec.reached
	close(refuse)
	var kept *cacheme.UndeliveredError
	if err := <-written; !errors.As(err, &kept) {
		t.Errorf("Invalidate() = %v; want it kept", err)
	}
	close(codec.goOn)
	<-got
	if r := x.get(1); r.Value != want {
		t.Errorf("it wrote %d and got %+v", want, r)
	}
	full.Store(false)
}

// passed is loaded past the cache.
type passed struct {
	cacheme.Node[cacheme.Tier]
	ID int64 `cacheme:"field"`
}

func (passed) Meta() cacheme.Meta { return cacheme.Meta{Key: "passed:<id>"} }

func (passed) Skip(context.Context) bool { return true }

// skipped has a loader that is called past the cache ask for what is near.
func skipped(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	if err := x.Register(passed{}); err != nil {
		t.Fatal(err)
	}
	x.warm(1)
	one, err := cacheme.GetFrom(t.Context(), x.Cache, passed{ID: 1}, func(ctx context.Context, p passed) (cacheme.Tier, error) {
		r, err := x.items.GetResult(ctx, item{ID: p.ID})
		return r.Tier, err
	})
	if err != nil || one == cacheme.TierNear {
		t.Errorf("a load got what it is made of from %s, %v", one, err)
	}
	many, err := cacheme.GetManyFrom(t.Context(), x.Cache, []passed{{ID: 1}}, func(ctx context.Context, all []passed) (map[passed]cacheme.Tier, error) {
		r, err := x.items.GetResult(ctx, item{ID: all[0].ID})
		return map[passed]cacheme.Tier{all[0]: r.Tier}, err
	})
	if err != nil || many[0] == cacheme.TierNear {
		t.Errorf("a load of many got what it is made of from %s, %v", many, err)
	}
}
