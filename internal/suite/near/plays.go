package near

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func heard(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	x, y := w.processes[0], w.processes[1]
	for range suite.Count(1000) {
		x.warm(1)
		x.sees(1, y.write(1), lag+slack)
	}
	if s := x.Stats(); !s.Near || s.NearHits == 0 || s.Hits < s.NearHits || s.NearValues != 1 || s.NearBytes == 0 {
		t.Errorf("Stats() = %+v; want what is near told", s)
	}
	if s := x.StatsOf(item{}); s.NearHits == 0 {
		t.Errorf("StatsOf(item) = %+v; want its near hits", s)
	}
}

func own(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	for range suite.Count(1000) {
		x.warm(1)
		want := x.write(1)
		if got := x.get(1).Value; got != want {
			t.Fatalf("it wrote %d and got %d", want, got)
		}
	}
}

func held(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	x, y := w.processes[0], w.processes[1]
	x.warm(1)
	hold, err := y.Hold(t.Context(), rowOf(1))
	if err != nil {
		t.Fatal(err)
	}
	w.until("what is held is not near", func() bool { return x.get(1).Tier != cacheme.TierNear })
	for range 20 {
		if r := x.get(1); r.Tier == cacheme.TierNear {
			t.Error("what is held is near")
		}
	}
	loads := w.loads.Load()
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.warm(1)
	if n := w.loads.Load() - loads; n != 0 {
		t.Errorf("after a rollback it was loaded %d times", n)
	}
	hold, err = y.Hold(t.Context(), rowOf(1))
	if err != nil {
		t.Fatal(err)
	}
	want := w.row(1).Add(1)
	if err := hold.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.sees(1, want, lag+slack)
	x.warm(1)
}

// dead is a writer that is killed between its COMMIT and the end of its hold: nobody says that the hold has ended.
func dead(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{Hold: time.Second}, broken{})
	x, y := w.processes[0], w.processes[1]
	x.warm(1)
	if _, err := y.Hold(t.Context(), rowOf(1)); err != nil {
		t.Fatal(err)
	}
	want := w.row(1).Add(1)
	x.sees(1, want, lag+slack)
	x.warm(1)
}

func cut(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	x, y := w.processes[0], w.processes[1]
	for range suite.Count(100) {
		x.warm(1)
		x.wire.cut()
		x.sees(1, y.write(1), lag+slack)
	}
	x.warm(1)
}

func flushed(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	x.warm(1)
	// What a flush of this world alone would do: other tests are on the server.
	keys, err := suite.Keys(t.Context(), x.rdb, w.prefix+"*")
	if err == nil {
		_, err = suite.Drop(t.Context(), x.rdb, keys...)
	}
	if err != nil {
		t.Fatal(err)
	}
	loads := w.loads.Load()
	w.until("after a flush it is loaded again", func() bool { x.get(1); return w.loads.Load() > loads })
	x.warm(1)
}

// token is the Redis key of what makes item 1 wrong.
func (p *process) token() string {
	x, err := p.Explain(context.Background(), item{ID: 1})
	if err != nil || len(x.Dependencies) == 0 {
		p.w.t.Fatalf("Explain() = %v, %v", x, err)
	}
	return p.w.prefix + x.Dependencies[len(x.Dependencies)-1].Name + ":invalid"
}

func replaced(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	y := w.processes[1]
	for name, deed := range map[string]func(id, v int64) error{
		"Remove":  func(id, _ int64) error { return y.Remove(t.Context(), item{ID: id}) },
		"Set":     func(id, v int64) error { return y.items.Set(t.Context(), item{ID: id}, v) },
		"Refresh": func(id, _ int64) error { _, err := y.items.Refresh(t.Context(), item{ID: id}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			id := int64(len(name))
			for _, p := range w.processes {
				p.warm(id)
				want := w.row(id).Add(1) // nobody is told of this
				if err := deed(id, want); err != nil {
					t.Fatal(err)
				}
				p.sees(id, want, lag+slack)
			}
		})
	}
}

func results(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	load := func(_ context.Context, c chain) ([]int64, error) {
		next := c.First + 1
		return []int64{next, w.row(next).Load()}, nil
	}
	x, y := w.processes[0], w.processes[1]
	get := func() cacheme.Result[[]int64] {
		b, err := cacheme.Bind(x.Cache, load)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.GetResult(t.Context(), chain{First: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 3 {
		w.until("the chain is near", func() bool { return get().Tier == cacheme.TierNear })
		v := y.write(2)
		w.until("the chain is new", func() bool { return slices.Equal(get().Value, []int64{2, v}) })
	}
}

func expires(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	loads := 0
	get := func() cacheme.Result[int64] {
		r, err := cacheme.Bind(x.Cache, func(context.Context, brief) (int64, error) { loads++; return int64(loads), nil })
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.GetResult(t.Context(), brief{ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	w.until("it is near", func() bool { return get().Tier == cacheme.TierNear })
	was := get()
	w.until("it expires", func() bool { return get().Value > was.Value })
	if was.Age <= 0 || was.Age > time.Second {
		t.Errorf("its age was told as %v", was.Age)
	}
}

func past(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	x := w.processes[0]
	x.warm(1)
	w.row(1).Add(1) // told to nobody: what is cached is old now
	for name, c := range map[string]struct {
		ctx  context.Context
		opts []cacheme.CallOption
		tier cacheme.Tier
	}{
		"plain":     {t.Context(), nil, cacheme.TierNear},
		"an option": {t.Context(), []cacheme.CallOption{cacheme.TTL(time.Minute)}, cacheme.TierRedis},
		"Bypass":    {cacheme.Bypass(t.Context()), nil, cacheme.TierSource},
	} {
		if r, err := x.items.GetResult(c.ctx, item{ID: 1}, c.opts...); err != nil || r.Tier != c.tier {
			t.Errorf("%s: GetResult() = %+v, %v; want it from %s", name, r, err, c.tier)
		}
	}
	x.Disable()
	if r := x.get(1); r.Tier != cacheme.TierSource {
		t.Errorf("disabled it came from %s", r.Tier)
	}
	x.Enable()
	if r := x.get(1); r.Tier != cacheme.TierNear {
		t.Errorf("enabled again it came from %s", r.Tier)
	}
	off := newWorld(t, server, 1, cacheme.Options{Near: cacheme.NearOptions{Off: true}}, broken{}).processes[0]
	for range 10 {
		if r := off.get(1); r.Tier == cacheme.TierNear {
			t.Error("with Near.Off it is near")
		}
	}
}

func negative(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	b, err := cacheme.Bind(w.processes[0].Cache, func(_ context.Context, m maybe) (int64, error) {
		w.loads.Add(1)
		return 0, cacheme.ErrNotFound
	})
	if err != nil {
		t.Fatal(err)
	}
	w.until("that there is nothing is near", func() bool {
		r, err := b.GetResult(t.Context(), maybe{ID: 1})
		if !errors.Is(err, cacheme.ErrNotFound) {
			t.Fatalf("GetResult() = %+v, %v", r, err)
		}
		return r.Tier == cacheme.TierNear
	})
	if n := w.loads.Load(); n != 1 {
		t.Errorf("it was loaded %d times", n)
	}
}

func pointed(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{}, broken{})
	b, err := cacheme.Bind(w.processes[0].Cache, func(_ context.Context, p pointer) (int64, error) { return *p.ID * 10, nil })
	if err != nil {
		t.Fatal(err)
	}
	id := int64(1)
	w.until("it is near", func() bool {
		r, err := b.GetResult(t.Context(), pointer{ID: &id})
		return err == nil && r.Tier == cacheme.TierNear && r.Value == 10
	})
	id = 2 // the same pointer means another row now
	if r, err := b.GetResult(t.Context(), pointer{ID: &id}); err != nil || r.Value != 20 {
		t.Errorf("GetResult() = %+v, %v; want 20", r, err)
	}
	other := int64(1) // another pointer to the same row
	if r, err := b.GetResult(t.Context(), pointer{ID: &other}); err != nil || r.Tier != cacheme.TierNear || r.Value != 10 {
		t.Errorf("GetResult() = %+v, %v; want 10 from near", r, err)
	}
}

func many(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 2, cacheme.Options{}, broken{})
	x, y := w.processes[0], w.processes[1]
	asked := 0
	get := func(ids ...int64) []int64 {
		nodes := make([]item, len(ids))
		for i, id := range ids {
			nodes[i].ID = id
		}
		values, err := cacheme.GetManyFrom(t.Context(), x.Cache, nodes, func(_ context.Context, all []item) (map[item]int64, error) {
			found := map[item]int64{}
			for _, i := range all {
				asked++
				found[i] = 100*i.ID + w.row(i.ID).Load()
			}
			return found, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	before := x.Stats().NearHits
	w.until("all are near", func() bool {
		get(1, 2, 3, 2)
		now := x.Stats().NearHits
		all := now-before == 4
		before = now
		return all
	})
	asked = 0
	if got, want := get(3, 4, 1, 3), []int64{300, 400, 100, 300}; !slices.Equal(got, want) || asked != 1 {
		t.Errorf("GetMany() = %v with %d loads; want %v with 1", got, asked, want)
	}
	v := y.write(3)
	w.until("the new one comes", func() bool { return slices.Equal(get(1, 3, 2), []int64{100, 300 + v, 200}) })
}

func shared(t *testing.T, server suite.Server) {
	w := newWorld(t, server, 1, cacheme.Options{Near: cacheme.NearOptions{Watch: true}}, broken{})
	x := w.processes[0]
	copies, err := cacheme.Bind(x.Cache, func(context.Context, ownList) ([]string, error) { return []string{"a"}, nil })
	if err != nil {
		t.Fatal(err)
	}
	w.until("it is near", func() bool {
		r, err := copies.GetResult(t.Context(), ownList{ID: 1})
		if err != nil || r.Value[0] != "a" {
			t.Fatalf("GetResult() = %v, %v; want a copy that nobody has changed", r, err)
		}
		r.Value[0] = "changed"
		return r.Tier == cacheme.TierNear
	})
	lists, err := cacheme.Bind(x.Cache, func(context.Context, list) ([]string, error) { return []string{"a"}, nil })
	if err != nil {
		t.Fatal(err)
	}
	w.until("a caller that changes what is shared is told of", func() bool {
		r, err := lists.GetResult(t.Context(), list{ID: 1})
		if err != nil || r.Value[0] != "a" {
			t.Fatalf("GetResult() = %v, %v; want what was stored", r, err)
		}
		if r.Tier == cacheme.TierNear {
			r.Value[0] = "changed"
		}
		_, told := x.events.Load(cacheme.EventChanged)
		return told
	})
	if e, _ := x.events.Load(cacheme.EventChanged); e.(cacheme.Event).Node == "" || e.(cacheme.Event).Reason == "" {
		t.Errorf("it was told as %+v", e)
	}
}
