package freshness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// deed is one way to write.
type deed string

const (
	invalidate deed = "invalidate"
	commit     deed = "hold and commit"
	rollback   deed = "hold and roll back"
	doubt      deed = "hold, invalidate by another, roll back"
)

// mix is what happens in the rounds of one kind.
type mix struct {
	name      string
	subject   subject
	instances int
	readers   int
	deeds     []deed
	ids       int64 // over how many rows the rounds are spread: few, and most loads are reloads
	// slow makes all pauses longer than a round trip, those of loads and of the ends of holds so many times as long, and
	// spreads the readers; 0: it does not.
	slow int
	// wrong makes the entry wrong before each round, so that the first reader loads; else he is served.
	wrong bool
	// far are the trips whose replies take a while to arrive.
	far []trip
	// losses are the keys of which Redis loses all in a round, at a random time.
	losses []string
}

// mixes are the rounds of the acceptance: three readers in two instances, two updates.
func mixes() []mix {
	m := func(name string, s subject, ids int64, deeds ...deed) mix {
		return mix{name: name, subject: s, instances: 2, readers: 3, deeds: deeds, ids: ids}
	}
	const many = 1 << 40
	return []mix{
		m("declared rows, invalidated", row(), 8, invalidate),
		m("declared rows, first loads", row(), many, invalidate),
		m("declared rows, written in transactions", row(), 8, commit, rollback, doubt, invalidate),
		m("entries removed", exact(), 8, invalidate),
		m("results, invalidated", result(), 8, invalidate),
		m("results, first loads", result(), many, invalidate),
		m("results, written in transactions", result(), 8, commit, rollback, doubt, invalidate),
		m("nested loads, written in transactions", nestedSubject(), 8, commit, rollback, invalidate),
		crowded(m("declared rows, a crowd and losses", row(), 8, commit, rollback, doubt, invalidate)),
		crowded(m("results, a crowd and losses", result(), 8, commit, rollback, doubt, invalidate)),
		crowded(m("nested loads, a crowd and losses", nestedSubject(), 8, commit, rollback, doubt, invalidate)),
	}
}

// crowded makes the rounds harder than what is promised to be played: more readers, slow loads, slow replies, and a
// Redis that loses leases, tokens, or all that it has.
func crowded(m mix) mix {
	m.readers, m.slow = 8, 3
	m.far = []trip{look, begin, late, fill}
	m.losses = []string{"*" + leaseSuffix, "*" + tokenSuffix, "*"}
	return m
}

// nestedSubject is an outer node whose loads get an inner one.
func nestedSubject() subject {
	s := subjectOf("nested", func(id int64) outer { return outer{ID: id} }, rowOf)
	plain := s.bind
	s.bind = func(t testing.TB, c *cacheme.Cache) func(context.Context, question) (int64, error) {
		get := plain(t, c)
		return func(ctx context.Context, q question) (int64, error) {
			load := q.load
			q.load = func(ctx context.Context) (int64, error) {
				return cacheme.GetFrom(ctx, c, inner{ID: q.id}, func(ctx context.Context, _ inner) (int64, error) { return load(ctx) })
			}
			return get(ctx, q)
		}
	}
	return s
}

// RandomRounds lets three readers and two updates run into each other at random times, again and again.
func RandomRounds(t *testing.T, open suite.Open) {
	server := open(t)
	kinds := mixes()
	plain := 0 // the others come on top of the rounds that are promised to be played
	for _, m := range kinds {
		if m.losses == nil {
			plain++
		}
	}
	for _, m := range kinds {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			rounds := max(1, suite.Count(10_000)/plain)
			if n, broke := playRounds(t, server, m, broken{}, rounds, rand.Uint64()); broke != nil {
				t.Errorf("round %d: %s", n, strings.Join(broke, "\n"))
			}
		})
	}
}

// playRounds plays rounds until a promise breaks. The timing is drawn from seed, which a breach names; what the
// scheduler makes of it is its own.
func playRounds(t *testing.T, server suite.Server, m mix, b broken, rounds int, seed uint64) (round int, broke []string) {
	w := newWorld(t, server, m.subject, m.instances, b, cacheme.Options{HerdWait: time.Millisecond})
	if m.far != nil {
		for _, i := range w.instances {
			i.linger = func(t trip) {
				if slices.Contains(m.far, t) {
					<-time.After(rand.N(2 * slowSpan))
				}
			}
		}
	}
	for n := range rounds {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		w.playRound(m, int64(n)%m.ids+1, random)
		if broke := w.broke(); broke != nil || t.Failed() {
			return n, append(broke, fmt.Sprintf("seed %d", seed))
		}
	}
	return rounds, nil
}

// playRound is one round: all begin at once, each after a pause of its own.
func (w *world) playRound(m mix, id int64, random *rand.Rand) {
	span := spans[random.IntN(len(spans))]
	if m.slow > 0 {
		span = slowSpan
	}
	if m.wrong {
		w.write(w.instances[0], id)
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for n := range m.readers {
		i := w.instances[n%len(w.instances)]
		begin, before, after := pauseOf(random, span), pauseOf(random, span), pauseOf(random, span)
		if m.slow > 0 {
			begin, after = begin.times(random.IntN(max(4, m.slow))+1), after.times(m.slow)
		}
		all.Go(func() {
			<-start
			begin.pass()
			w.readAtRandom(i, id, fmt.Sprintf("reader %d of instance %d", n, n%len(w.instances)), before, after)
		})
	}
	for n := range 2 {
		i := w.instances[n%len(w.instances)]
		begin, between := pauseOf(random, span), pauseOf(random, span)
		last := between
		if m.slow > 0 {
			last = between.times(m.slow)
		}
		d := m.deeds[random.IntN(len(m.deeds))]
		all.Go(func() {
			<-start
			begin.pass()
			w.do(d, i, id, between, last)
		})
	}
	if m.losses != nil {
		begin, pattern := pauseOf(random, span).times(2), m.losses[random.IntN(len(m.losses))]
		all.Go(func() {
			<-start
			begin.pass()
			w.lose(pattern)
		})
	}
	close(start)
	all.Wait()
	w.atRest(id)
}

// readAtRandom is a Get whose loader reads the database in its midst.
func (w *world) readAtRandom(i *instance, id int64, who string, before, after pause) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r := w.record(id)
	floor := r.promised.Load()
	v, err := i.get(ctx, question{id: id, missed: func() {}, load: func(context.Context) (int64, error) {
		before.pass()
		v := r.version.Load()
		after.pass()
		return v, nil
	}})
	switch {
	case err != nil:
		w.t.Errorf("%s: Get = %v", who, err)
	case v < floor:
		w.breach("%s was given version %d, and %d had been promised before it began", who, v, floor)
	}
}

// do writes. What it does between placing a hold and ending it takes as long as the first pause, and as long as the last one
// where another writes under the hold.
func (w *world) do(d deed, i *instance, id int64, between, last pause) {
	ctx := context.Background()
	fail := func(what string, err error) {
		if err != nil {
			w.t.Errorf("%s = %v", what, err)
		}
	}
	write := func(deliver func() error) {
		r := w.record(id)
		v := r.version.Add(1)
		between.pass()
		fail("write", deliver())
		r.promise(v)
	}
	if d == invalidate {
		write(func() error { return w.subject.write(ctx, i.cache, id) })
		return
	}
	h, err := i.cache.Hold(ctx, w.subject.wrong(id))
	fail("Hold", err)
	between.pass()
	switch d {
	case commit:
		write(func() error { return h.Commit(ctx) })
	case rollback:
		fail("Rollback", h.Rollback(ctx))
	case doubt:
		write(func() error { return w.subject.write(ctx, i.cache, id) })
		last.pass()
		fail("Rollback", h.Rollback(ctx))
	}
}

// spans are the lengths of pauses: shorter than a round trip, as long, and longer.
var spans = []time.Duration{20 * time.Microsecond, 200 * time.Microsecond, time.Millisecond}

// slowSpan is longer than a round trip on a machine with other things to do.
const slowSpan = 2 * time.Millisecond

// pause is a wait of a random length: for a timer, or by giving the processor away, which is finer.
type pause struct {
	length time.Duration
	timer  bool
}

func pauseOf(random *rand.Rand, span time.Duration) pause {
	if random.IntN(4) == 0 {
		return pause{}
	}
	return pause{length: time.Duration(random.Int64N(int64(span))), timer: random.IntN(2) == 0}
}

func (p pause) pass() {
	if p.timer {
		<-time.After(p.length)
		return
	}
	for end := time.Now().Add(p.length); time.Now().Before(end); {
		runtime.Gosched()
	}
}

// times is a longer pause, for a timer: many who spin for long would keep each other from running.
func (p pause) times(n int) pause { return pause{length: p.length * time.Duration(n), timer: true} }
