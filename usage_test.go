package cacheme_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type unregistered struct{ cacheme.Node[int64] }

func (unregistered) Meta() cacheme.Meta { return cacheme.Meta{Key: "unregistered"} }

type unregisteredChange struct{ cacheme.InvalidNode }

func (unregisteredChange) Meta() cacheme.Meta { return cacheme.Meta{Key: "unregistered"} }

// badSource depends on whatever it is given.
type badSource struct {
	cacheme.Node[int64]
	sources []cacheme.Invalid
}

func (badSource) Meta() cacheme.Meta { return cacheme.Meta{Key: "source"} }

func (b badSource) InvalidNodes() []cacheme.Invalid { return b.sources }

// Every call that cannot work says so, in these words, before anything is loaded.
func TestCallsSayWhatIsWrong(t *testing.T) {
	former := cacheme.DefaultCache()
	cacheme.SetDefault(nil)
	t.Cleanup(func() { cacheme.SetDefault(former) })
	ctx := context.Background()
	cache := cachetest.New(t, goodNode{}, goodChange{}, badSource{}, badBase{})
	load := func(context.Context, goodNode) (int64, error) { return 1, nil }
	must := func(context.Context, unregistered) (int64, error) { t.Error("it is loaded"); return 0, nil }
	source := func(i cacheme.Invalid) error {
		_, err := cacheme.GetFrom(ctx, cache.Cache, badSource{sources: []cacheme.Invalid{i}}, func(context.Context, badSource) (int64, error) {
			t.Error("it is loaded")
			return 0, nil
		})
		return err
	}
	_, noDefault := cacheme.Get(ctx, goodNode{}, load)
	_, noDefaultMany := cacheme.GetMany(ctx, []goodNode{{}}, func(context.Context, []goodNode) (map[goodNode]int64, error) { return nil, nil })
	_, noDefaultPeek := cacheme.Peek(ctx, goodNode{})
	_, noCache := cacheme.GetFrom(ctx, nil, goodNode{}, load)
	_, noLoader := cacheme.GetFrom(ctx, cache.Cache, goodNode{}, nil)
	_, noBatch := cacheme.GetManyFrom[goodNode](ctx, cache.Cache, []goodNode{{}}, nil)
	_, strange := cacheme.GetFrom(ctx, cache.Cache, unregistered{}, must)
	_, pointer := cacheme.GetFrom(ctx, cache.Cache, &goodNode{}, func(context.Context, *goodNode) (int64, error) { t.Error("it is loaded"); return 0, nil })
	_, pattern := cache.RemovePattern(ctx, "a[")
	const unknown = "is not registered with this cache; call Register("
	const nothing = "cacheme: cacheme: has no default cache; call cacheme.SetDefault(cache) at start-up, or use GetFrom"
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"Get without a default cache", noDefault, nothing},
		{"GetMany without a default cache", noDefaultMany, nothing},
		{"Peek without a default cache", noDefaultPeek, nothing},
		{"Set without a default cache", cacheme.Set(ctx, goodNode{}, 1), nothing},
		{"Invalidate without a default cache", cacheme.Invalidate(ctx, goodChange{}), nothing},
		{"nil cache", noCache, "cacheme: cacheme_test.goodNode: is asked from a nil cache; give it what cacheme.New returned"},
		{"nil loader", noLoader, "cacheme: cacheme_test.goodNode: has a nil loader; give it a func(context.Context, cacheme_test.goodNode) that loads the value"},
		{"nil batch loader", noBatch, "cacheme: cacheme_test.goodNode: has a nil loader; give it a func(context.Context, cacheme_test.goodNode) that loads the value"},
		{"unregistered node", strange, "cacheme: cacheme_test.unregistered: " + unknown + "cacheme_test.unregistered{}) at start-up"},
		{"pointer to a node", pointer, "cacheme: *cacheme_test.goodNode: is a pointer; write the value cacheme_test.goodNode{...}"},
		{"unregistered invalid node", cache.Invalidate(ctx, unregisteredChange{}), "cacheme: cacheme_test.unregisteredChange: " + unknown + "cacheme_test.unregisteredChange{}) at start-up"},
		{"pointer to an invalid node", cache.Invalidate(ctx, &goodChange{}), "cacheme: *cacheme_test.goodChange: is a pointer; write the value cacheme_test.goodChange{...}"},
		{"nil invalid node", cache.Invalidate(ctx, nil), "cacheme: cacheme.Invalidate: names a nil invalid node; leave it out"},
		{"nil among InvalidNodes", source(nil), "cacheme: cacheme_test.badSource: names a nil invalid node; leave it out"},
		{"stranger among InvalidNodes", source(unregisteredChange{}), "cacheme: cacheme_test.unregisteredChange: " + unknown + "cacheme_test.unregisteredChange{}) at start-up"},
		{"pointer to remove", cache.Remove(ctx, &goodNode{}), "cacheme: *cacheme_test.goodNode: is a pointer; write the value cacheme_test.goodNode{...}"},
		{"nil to remove", cache.Remove(ctx, nil), "cacheme: nil: is no node; write a value such as Shelf{User: 7}"},
		{"bad pattern", pattern, `cacheme: cacheme.RemovePattern: got the pattern "a[", which has an unclosed [; close it, or write \[`},
	} {
		var usage *cacheme.UsageError
		if !errors.As(c.err, &usage) || c.err.Error() != c.want {
			t.Errorf("%s:\n%v (%T), want a *UsageError\n%s", c.name, c.err, c.err, c.want)
		}
	}
}

func TestLoadThatAsksForItselfIsToldSo(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{}, badBase{})
	ctx := context.Background()
	var load func(context.Context, goodNode) (int64, error)
	load = func(ctx context.Context, n goodNode) (int64, error) {
		// By way of another node, which is no cycle by itself.
		_, err := cacheme.GetFrom(ctx, cache.Cache, badBase{}, func(ctx context.Context, _ badBase) (int, error) {
			_, err := cacheme.GetFrom(ctx, cache.Cache, n, load)
			return 0, err
		})
		return 0, err
	}
	_, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 7}, load)
	var cycle *cacheme.CycleError
	const want = "cacheme: the load of good:7 (cacheme_test.goodNode) asks for itself; call the function that loads it instead of Get"
	if !errors.As(err, &cycle) || cycle.Key != "good:7" || err.Error() != want {
		t.Errorf("GetFrom = %v, want %s", err, want)
	}
	if v, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: 7}, func(context.Context, goodNode) (int64, error) { return 3, nil }); v != 3 || err != nil {
		t.Errorf("GetFrom afterwards = %d, %v, want 3", v, err)
	}
}
