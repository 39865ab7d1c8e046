package cacheme

import (
	"context"
	"log/slog"
)

// Loading is a load that is about to run, see Options.AroundLoad.
type Loading struct {
	Node string   // its Go type; safe as a label
	Keys []string // what is loaded: several for a batch. They may name a person: keep them out of labels
	// Behind: nobody waits for it. It is an early refresh, a refill after a write, or a verification.
	Behind bool
}

// aroundLoad asks Options.AroundLoad. Nobody's load fails because somebody traces it badly: what panics, and a context
// that is not made of the one that was given, count as nothing.
func (c *Cache) aroundLoad(ctx context.Context, rs []*request, behind bool) (_ context.Context, done func([]loaded)) {
	nothing := func([]loaded) {}
	if c.options.AroundLoad == nil {
		return ctx, nothing
	}
	keys := make([]string, len(rs))
	for i, r := range rs {
		keys[i] = r.key
	}
	traced, end := ctx, (func(error))(nil)
	c.heed(ctx, func() {
		traced, end = c.options.AroundLoad(ctx, Loading{Node: rs[0].plan.name, Keys: keys, Behind: behind}) //nolint:fatcontext // it is called once
	})
	if traced == nil || scopeOf(traced) != scopeOf(ctx) {
		traced = ctx
		c.log(ctx, slog.LevelError, "cacheme AroundLoad returned a context that is not made of the one that it was given")
	}
	if end == nil {
		return traced, nothing
	}
	return traced, func(all []loaded) {
		var first error
		for _, l := range all {
			if first == nil && !isNotFound(l.err) {
				first = l.err
			}
		}
		c.heed(ctx, func() { end(first) })
	}
}

func (c *Cache) heed(ctx context.Context, f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.log(ctx, slog.LevelError, "cacheme AroundLoad panicked", slog.Any("err", p))
		}
	}()
	f()
}
