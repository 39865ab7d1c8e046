package cacheme

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// The moments of the table, in Redis's time.
const (
	began   = uint64(1_000_000_000) // the load of the entry
	seconds = uint64(1_000_000)
	ttl     = 100 * seconds
)

var (
	epoch = store.Epoch{1}
	under = envelope.Token{Time: began - 1, Nonce: 7} // what the entry was loaded under
	other = envelope.Token{Time: began + 10*seconds, Nonce: 8}
)

// right is an entry that is fresh, looked at 20 s after its load.
func right() sight {
	return sight{
		entry: &envelope.Entry{
			Epoch: epoch, Kind: envelope.Value, Loaded: began, TTL: ttl,
			Declared: []envelope.Token{under}, Results: []envelope.Named{{Name: "row:book:1", Token: under}},
		},
		tokens:  []store.Dependency{{Exists: true, Token: under}},
		results: []store.Dependency{{Exists: true, Token: under}},
		epoch:   epoch,
		now:     began + 20*seconds,
	}
}

// wrong is an invalidation 10 s after the load.
var wrong = store.Dependency{Exists: true, Token: other, First: began + 10*seconds, Base: under.Nonce}

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*sight)
		fresh  bool
		// wrongFor is for how long it has been wrong when it may stand in, in seconds; -1: it must not, ever.
		wrongFor int
	}{
		{"as loaded", func(*sight) {}, true, 0},
		{"no entry", func(s *sight) { s.entry = nil }, false, -1},
		{"entry of another run", func(s *sight) { s.epoch = store.Epoch{2} }, false, -1},
		{"token invalidated", func(s *sight) { s.tokens[0] = wrong }, false, 10},
		{"result token invalidated", func(s *sight) { s.results[0] = wrong }, false, 10},
		{"both invalidated, the result earlier", func(s *sight) {
			s.tokens[0], s.results[0] = wrong, wrong
			s.results[0].First = began + 5*seconds
		}, false, 15},
		{"token missing", func(s *sight) { s.tokens[0] = store.Dependency{} }, false, -1},
		{"result token missing", func(s *sight) { s.results[0] = store.Dependency{} }, false, -1},
		{"token of which nobody knows when it changed", func(s *sight) { s.tokens[0] = wrong; s.tokens[0].Base = 99 }, false, -1},
		{"token invalidated in the future: the clock was set back", func(s *sight) { s.tokens[0] = wrong; s.tokens[0].First = s.now + 3600*seconds }, false, -1},
		{"held, perhaps right again", func(s *sight) { s.tokens[0].Held = true }, false, 0},
		{"held and dirty", func(s *sight) {
			s.tokens[0] = store.Dependency{Exists: true, Held: true, Dirty: true, Token: under, First: began + 12*seconds, Base: under.Nonce}
		}, false, 8},
		{"held and dirty since nobody knows when", func(s *sight) {
			s.tokens[0] = store.Dependency{Exists: true, Held: true, Dirty: true, Token: under}
		}, false, -1},
		{"zero token on both sides", func(s *sight) {
			s.tokens[0].Token, s.entry.Declared[0] = store.Token{}, envelope.Token{}
		}, false, 0},
		{"another list of dependencies", func(s *sight) { s.entry.Declared = nil }, false, -1},
		{"at its end", func(s *sight) { s.now = began + ttl }, false, 0},
		{"just before its end", func(s *sight) { s.now = began + ttl - 1 }, true, 0},
		{"past its end", func(s *sight) { s.now = began + ttl + 30*seconds }, false, 30},
		{"past its end and invalidated before", func(s *sight) {
			s.now = began + ttl + 30*seconds
			s.tokens[0] = wrong
		}, false, 120},
		{"without end", func(s *sight) { s.entry.TTL, s.now = 0, math.MaxInt64 }, true, 0},
		{"Redis's time not known", func(s *sight) { s.now = 0 }, false, -1},
		{"born invalid", func(s *sight) { s.entry.Born = true }, false, 20},
		{"not found", func(s *sight) { s.entry.Kind = envelope.NotFound }, true, -1},
		{"not found, invalidated", func(s *sight) { s.entry.Kind, s.tokens[0] = envelope.NotFound, wrong }, false, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := right()
			c.change(&s)
			checkDecisions(t, s, c.fresh, c.wrongFor)
		})
	}
}

// checkDecisions asks decide in every surrounding: lease or none, busy or not, own write or not, stale ages around the
// time for which the entry has been wrong.
func checkDecisions(t *testing.T, s sight, fresh bool, wrongFor int) {
	t.Helper()
	ages := map[time.Duration]bool{0: false, -1: false, math.MaxInt64 / 2: wrongFor >= 0}
	if wrongFor > 0 {
		ages[time.Duration(wrongFor)*time.Second] = true
		ages[time.Duration(wrongFor)*time.Second-time.Microsecond] = false
	}
	for age, mayStandIn := range ages {
		if !fresh {
			if got := s.standsIn(age); got != mayStandIn {
				t.Errorf("standsIn(%v) = %v, want %v", age, got, mayStandIn)
			}
		}
		for i := range 8 {
			lease, busy, ownWrite := i&1 != 0, i&2 != 0, i&4 != 0
			s.lease = ""
			if lease {
				s.lease = "somebody"
			}
			want := wait
			switch {
			case fresh:
				want = serve
			case (lease || busy) && !ownWrite && mayStandIn:
				want = serveStale
			case !lease:
				want = load // which joins the flight of this process, if there is one
			}
			if got := decide(s, policy{stale: age}, busy, ownWrite, 0); got != want {
				t.Errorf("stale %v, lease %v, busy %v, own write %v: %v, want %v", age, lease, busy, ownWrite, got, want)
			}
		}
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(serve, serveStale, load, wait); got != "serve serve stale load wait" {
		t.Errorf("verdicts print as %q", got)
	}
}

func TestAgeIsNeverNegative(t *testing.T) {
	t.Parallel()
	s := right()
	if got := s.age(); got != 20*time.Second {
		t.Errorf("age() = %v, want 20s", got)
	}
	s.now = began - 1
	if got := s.age(); got != 0 {
		t.Errorf("age() = %v of an entry that the clock says is from the future, want 0", got)
	}
}

func TestHerdPause(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		wait    time.Duration
		retries int
		want    []time.Duration
	}{
		{20 * ms, 5, []time.Duration{20 * ms, 20 * ms, 20 * ms, 20 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 250 * ms, 250 * ms}},
		{20 * ms, 1, []time.Duration{20 * ms, 40 * ms, 80 * ms, 160 * ms, 250 * ms}},
		{time.Second, 5, []time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second}},
		{time.Nanosecond, 1, []time.Duration{1, 2, 4, 8}},
	} {
		for n, want := range c.want {
			if got := herdPause(c.wait, c.retries, n); got != want {
				t.Errorf("herdPause(%v, %d, %d) = %v, want %v", c.wait, c.retries, n, got, want)
			}
		}
		for _, n := range []int{100, 1 << 20, math.MaxInt / 2} {
			if got := herdPause(c.wait, c.retries, n); got <= 0 || got > max(c.wait, longestPause) {
				t.Errorf("herdPause(%v, %d, %d) = %v, out of bounds", c.wait, c.retries, n, got)
			}
		}
	}
}

func TestJitterShortensByATenthAtMost(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, 1, 9, 10, 11, time.Millisecond, time.Hour, math.MaxInt64} {
		low, high := d, time.Duration(0)
		for range 2000 {
			j := jittered(d)
			low, high = min(low, j), max(high, j)
		}
		if low < d-d/10 || high > d {
			t.Errorf("jittered(%v) lies in [%v, %v], want within a tenth below", d, low, high)
		}
		if d >= time.Millisecond && (low > d-d/20 || high < d-d/20) {
			t.Errorf("jittered(%v) lies in [%v, %v]: it does not spread", d, low, high)
		}
	}
}
