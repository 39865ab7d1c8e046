package cacheme_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type tracedKey struct{}

func TestAroundLoad(t *testing.T) {
	t.Parallel()
	fails := errors.New("the database is away")
	// load asks for page 1 with what the option's func makes of the context, and returns what the loader found in it.
	load := func(t *testing.T, around func(context.Context, cacheme.Loading) (context.Context, func(error)), err error) (inside any) {
		t.Helper()
		c := cachetest.NewWith(t, cacheme.Options{AroundLoad: around}, hotPage{}, goodChange{})
		_, got := cacheme.GetFrom(t.Context(), c.Cache, hotPage{ID: 1}, func(ctx context.Context, _ hotPage) (int64, error) {
			inside = ctx.Value(tracedKey{})
			return 1, err
		})
		if !errors.Is(got, err) {
			t.Errorf("Get() = %v, want %v", got, err)
		}
		return inside
	}
	t.Run("gives the loader its context and gets its error", func(t *testing.T) {
		t.Parallel()
		var told cacheme.Loading
		var ended []error
		around := func(ctx context.Context, l cacheme.Loading) (context.Context, func(error)) {
			told = l
			return context.WithValue(ctx, tracedKey{}, "span"), func(err error) { ended = append(ended, err) }
		}
		if inside := load(t, around, fails); inside != "span" {
			t.Errorf("the loader's context has %v, want what was put there", inside)
		}
		if diff := cmp.Diff(cacheme.Loading{Node: "cacheme_test.hotPage", Keys: []string{"hot:1"}}, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if len(ended) != 1 || !errors.Is(ended[0], fails) {
			t.Errorf("the end was told with %v, want once with %v", ended, fails)
		}
	})
	t.Run("is no error where nothing was found", func(t *testing.T) {
		t.Parallel()
		told := errors.New("nobody")
		load(t, func(ctx context.Context, _ cacheme.Loading) (context.Context, func(error)) {
			return ctx, func(err error) { told = err }
		}, cacheme.ErrNotFound)
		if told != nil {
			t.Errorf("the end was told with %v, want nil", told)
		}
	})
	t.Run("fails no load by being wrong", func(t *testing.T) {
		t.Parallel()
		for name, around := range map[string]func(context.Context, cacheme.Loading) (context.Context, func(error)){
			"a panic": func(context.Context, cacheme.Loading) (context.Context, func(error)) { panic("no tracer") },
			"a panic at the end": func(ctx context.Context, _ cacheme.Loading) (context.Context, func(error)) {
				return ctx, func(error) { panic("no span") }
			},
			"nothing": func(context.Context, cacheme.Loading) (context.Context, func(error)) { return nil, nil },
			"a context of its own": func(context.Context, cacheme.Loading) (context.Context, func(error)) {
				return context.Background(), nil
			},
		} {
			if inside := load(t, around, nil); inside != nil {
				t.Errorf("%s: the loader's context has %v", name, inside)
			}
		}
	})
}
