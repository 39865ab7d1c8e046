package scenarios

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func constant[N any](value string) func(context.Context, N) (string, error) {
	return func(context.Context, N) (string, error) { return value, nil }
}

func expiry(t *testing.T, open suite.Open) {
	ctx := context.Background()
	p := start(t, open(t), cacheme.Options{TTL: 30 * time.Minute, Hold: time.Hour})
	get(p, Owner{Book: 1}, constant[Owner]("Ann"))
	get(p, Part{Book: 1}, constant[Part]("one"))
	get(p, Short{Book: 2}, constant[Short]("short"), cacheme.TTL(time.Minute))
	get(p, Short{Book: 1}, constant[Short]("short"))
	get(p, Kept{Book: 1}, constant[Kept]("kept"))
	get(p, Kept{Book: 2}, constant[Kept]("kept"), cacheme.Stale(-1))
	for key, ttl := range map[string]time.Duration{
		"CM:{book:1}>owner": 30 * time.Minute, // the option's
		"CM:{book:1}>part":  twoSecond,        // the node's, beside another part
		"CM:{short:2}":      time.Minute,      // the call's
		"CM:{short:1}":      shortly,
		"CM:{kept:1}":       shortly + aLittle, // it may stand in
		"CM:{kept:2}":       shortly,           // but not for whoever loaded this one
	} {
		left, err := p.rdb.PTTL(ctx, key).Result()
		if err != nil || left > ttl {
			t.Errorf("PTTL(%s) = %v, %v, want at most %v", key, left, err, ttl)
		}
		// A tenth of jitter, and what has passed since.
		if ttl > time.Minute/2 && left < ttl*9/10-10*time.Second {
			t.Errorf("PTTL(%s) = %v, want at least nine tenths of %v", key, left, ttl)
		}
	}
	await(t, "short-lived entries leave the store without any access", func() bool {
		return exist(p, "CM:{short:1}", "CM:{kept:1}", "CM:{book:1}>part") == 0
	})
	want(t, "entries that still live", exist(p, "CM:{book:1}>owner", "CM:{short:2}"), 2)
	want(t, "tier of the expired", result(p, Short{Book: 1}, constant[Short]("again")).Tier, cacheme.TierSource)
	want(t, "tier of the part that lives", result(p, Owner{Book: 1}, constant[Owner]("again")).Tier, cacheme.TierRedis)

	keys := stored(p, "*")
	if len(keys) == 0 {
		t.Fatal("there is no key")
	}
	for _, key := range keys {
		if left := p.rdb.PTTL(ctx, key).Val(); left <= 0 {
			t.Errorf("PTTL(%s) = %v: nothing in Redis lives for ever", key, left)
		}
	}
}

func ttlAndInvalidation(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	var loads atomic.Int64
	load := func(context.Context, Title) (string, error) { return fmt.Sprint(loads.Add(1)), nil }
	title := func() string { return get(p, Title{Book: 1}, load, cacheme.TTL(shortly)) }
	want(t, "first", title(), "1")
	p.invalidate(BookChanged{ID: 1})
	want(t, "made wrong before it expires", title(), "2")
	await(t, "it expires all the same", func() bool {
		return p.rdb.Exists(context.Background(), "CM:{title:1}").Val() == 0
	})
	want(t, "expired", title(), "3")
}

func skip(t *testing.T, open suite.Open) {
	p := start(t, open(t), cacheme.Options{})
	var loads atomic.Int64
	load := func(_ context.Context, v Visitor) (string, error) {
		loads.Add(1)
		return fmt.Sprint("page of ", v.User), nil
	}
	for range 3 {
		want(t, "anonymous", get(p, Visitor{}, load), "page of 0")
	}
	want(t, "loads for three anonymous visitors", loads.Swap(0), 3)
	want(t, "entries of anonymous visitors", p.rdb.Exists(context.Background(), "CM:{visitor:0}").Val(), 0)
	for range 3 {
		want(t, "signed in", get(p, Visitor{User: 7}, load), "page of 7")
	}
	want(t, "loads for three visits of a user", loads.Load(), 1)
	want(t, "bypassed", p.StatsOf(Visitor{}).Bypassed, 3)
}

func hitAndMiss(t *testing.T, open suite.Open) {
	server := open(t)
	p, other := start(t, server, cacheme.Options{}), start(t, server, cacheme.Options{})
	j := &journal{}
	told := Told{ID: 1, journal: j}
	lines := func(when string, want map[string]int) {
		t.Helper()
		if diff := cmp.Diff(want, j.taken()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}

	get(p, told, constant[Told]("one"))
	lines("cold", map[string]int{"miss told:1": 1})
	get(p, told, constant[Told]("one"))
	get(other, told, constant[Told]("one"))
	lines("two hits", map[string]int{"hit told:1 one": 2})

	// A load that takes its time, with a stale hit beside it.
	other.invalidate(BookChanged{ID: 1})
	release := hold(p, told, "two")
	lines("the load", map[string]int{"miss told:1": 1})
	want(t, "stale", result(p, told, constant[Told]("never")).Stale, true)
	lines("a stale hit", map[string]int{"hit told:1 one": 1})
	release()

	// Waiters, in the process of the load and in another one, who both come to nothing but a miss at first.
	told.ID = 2
	release = hold(p, told, "three")
	j.taken()
	var wg sync.WaitGroup
	const waiters = 6
	for i := range waiters {
		wg.Go(func() { get([]*process{p, other}[i%2], told, constant[Told]("never")) })
	}
	await(t, "the waiters have looked", func() bool { return j.count("miss told:2") == waiters })
	release()
	wg.Wait()
	lines("each waiter once", map[string]int{"miss told:2": waiters})

	// What the call says comes before the node's.
	var calls journal
	onHit := cacheme.OnHit(func(_ context.Context, key string, value any) { calls.note(fmt.Sprint("hit ", key, " ", value)) })
	onMiss := cacheme.OnMiss(func(_ context.Context, key string) { calls.note("miss " + key) })
	told.ID = 3
	get(p, told, constant[Told]("four"), onHit, onMiss)
	get(p, told, constant[Told]("four"), onHit, onMiss)
	lines("the node's, where the call has its own", nil)
	if diff := cmp.Diff(map[string]int{"miss told:3": 1, "hit told:3 four": 1}, calls.taken()); diff != "" {
		t.Errorf("the call's own (-want +got):\n%s", diff)
	}
	get(p, told, constant[Told]("four"), onMiss)
	lines("only Miss is overridden", map[string]int{"hit told:3 four": 1})

	_, _ = resultIn(cacheme.Bypass(context.Background()), p, told, constant[Told]("five"))
	lines("a bypass", nil)
}

// hold starts a load that goes on until the returned func is called, which waits for its end.
func hold(p *process, told Told, value string) (release func()) {
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		get(p, told, func(context.Context, Told) (string, error) {
			close(entered)
			<-leave
			return value, nil
		})
	}()
	<-entered
	return func() {
		close(leave)
		<-done
	}
}
