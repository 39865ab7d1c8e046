package outage

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func recovers(t *testing.T, open suite.Open) {
	t.Run("is found by the cache itself, which leaves nothing behind", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) { backAgain(t, w, way) })
	})
	t.Run("has what was being loaded at the beginning be loadable by others", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) { leasesEnd(t, w, way) })
	})
	t.Run("is found as often as it comes", func(t *testing.T) {
		w := newWorld(t, open, settings[0].set)
		c := w.warm(cacheme.Options{})
		for range suite.Count(40) {
			for _, way := range ways {
				way.by(w.wire)
				w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
				w.heal()
				before := c.Stats().Hits
				w.eventually("a read comes from the cache again", func() bool { w.get(c); return c.Stats().Hits > before })
			}
		}
		if away, back := w.events.count(cacheme.EventAway), w.events.count(cacheme.EventBack); away != back {
			t.Errorf("%d events %q and %d events %q", away, cacheme.EventAway, back, cacheme.EventBack)
		}
	})
}

// leasesEnd has Redis go away during a load, whose lease would last longer than the test waits, and come back.
func leasesEnd(t *testing.T, w *world, way broken) {
	t.Helper()
	c := w.cache(w.client(), cacheme.Options{Lease: 50 * time.Second}) // as long as is believed of others
	v, err := cacheme.GetFrom(t.Context(), c, Price{Shop: 1}, func(ctx context.Context, p Price) (int64, error) {
		way.by(w.wire)
		return w.read(ctx, p)
	})
	if v != 1 || err != nil {
		t.Errorf("Get() = %d, %v, want the 1 that was loaded", v, err)
	}
	w.heal()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if v, err := cacheme.GetFrom(ctx, w.cache(w.client(), cacheme.Options{}), Price{Shop: 1}, w.read); v != 1 || err != nil {
		t.Errorf("Get() in another process = %d, %v, want 1", v, err)
	}
}

// backAgain takes a cache through an outage to its end.
func backAgain(t *testing.T, w *world, way broken) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	rdb := w.client()
	c := w.cache(rdb, cacheme.Options{})
	w.eventually("the first value is cached", func() bool { w.get(c); return c.Stats().Hits > 0 })

	way.by(w.wire)
	w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
	_ = c.Invalidate(t.Context(), ShopChanged{ID: 1}) // an error by its nature
	w.heal()
	began, hits := time.Now(), c.Stats().Hits
	w.eventually("a read comes from the cache again", func() bool { w.get(c); return c.Stats().Hits > hits })
	t.Logf("back after %v", time.Since(began))

	if s := c.Stats(); s.Away || s.Pending != 0 {
		t.Errorf("Stats() = %+v after the outage, want Redis here and nothing pending", s)
	}
	order := w.events.order(cacheme.EventAway, cacheme.EventBack)
	if want := []cacheme.EventKind{cacheme.EventAway, cacheme.EventBack}; !slices.Equal(order, want) {
		t.Errorf("events = %v, want %v", order, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Errorf("Close() = %v after the outage, want nil", err)
	}
	if err := rdb.Close(); err != nil {
		t.Errorf("the client's own Close() = %v", err)
	}
	// The wire is the test's own, and listens and carries on for the other caches of the test.
	const toxiproxy = "github.com/Shopify/toxiproxy/v2"
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction(toxiproxy+".(*Proxy).server"), goleak.IgnoreAnyFunction(toxiproxy+".(*Proxy).freeBlocker"),
		goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).read"), goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).write"),
		goleak.IgnoreAnyFunction(toxiproxy+"/toxics.(*ToxicStub).Run"))
}
