package cacheme

import (
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// sight is what one look at Redis showed of a key.
type sight struct {
	entry   *envelope.Entry             // of the node's present type and version; nil: there is none that can be read
	plain   string                      // its payload, unless it is in the entry
	head    string                      // the first bytes under the entry's key, whatever they are
	lease   string                      // its owner; empty: free
	tokens  []store.Dependency          // of the declared dependencies, in their order
	results []store.Dependency          // of entry.Results, in their order
	known   map[string]store.Dependency // by name, of the result dependencies that were guessed
	epoch   store.Epoch
	value   any           // of the entry, where it is near: all who look at once share it
	now     uint64        // Redis's time, estimated; 0: not known yet
	left    time.Duration // of the budget of the Get that looked
}

// decoded is the value of the entry.
func (s sight) decoded(p *nodePlan) (any, error) {
	if s.value != nil {
		return s.value, nil
	}
	if _, own := p.codec.(cborCodec); !own || s.entry.Payload != nil {
		return p.carrier.decode(p.codec, s.payload())
	}
	// cacheme's own codec keeps nothing of what it decodes; of a user's nobody knows.
	scratch, b := envelope.Borrow(s.plain)
	defer scratch.Return()
	return p.carrier.decode(p.codec, b)
}

// payload is the encoded value of the entry.
func (s sight) payload() []byte {
	if s.entry.Payload != nil {
		return s.entry.Payload
	}
	return []byte(s.plain)
}

// unknownResults are the names of the entry's result dependencies whose tokens are not known yet.
func (s sight) unknownResults() (names []string) {
	if s.entry == nil {
		return nil
	}
	for _, result := range s.entry.Results {
		if _, ok := s.known[result.Name]; !ok {
			names = append(names, result.Name)
		}
	}
	return names
}

// verdict is what to do with a sight.
type verdict int

const (
	serve      verdict = iota // the entry is fresh
	serveStale                // it is not, but may stand in while somebody loads
	load                      // nobody loads
	wait                      // somebody does
)

func (v verdict) String() string {
	return [...]string{"serve", "serve stale", "load", "wait"}[v]
}

// decide is the whole policy of a read. busy says that a load of the key is under way in this process, which the lease
// may not show yet; ownWrite that this process itself made the entry wrong. There is no I/O in it.
func decide(s sight, p policy, busy, ownWrite bool, rules guard.Set) verdict {
	if s.fresh(rules) {
		return serve
	}
	atWork := s.lease != "" || busy
	switch {
	case atWork && !ownWrite && s.standsIn(p.stale):
		return serveStale
	case s.lease == "":
		return load
	}
	return wait
}

// fresh: of this run of Redis, not expired, and every token there, not held, and equal.
func (s sight) fresh(rules guard.Set) bool {
	e := s.entry
	if !s.readable(rules) || e.Born || s.expired() || len(e.Declared) != len(s.tokens) {
		return false
	}
	for i, d := range s.tokens {
		if !equal(d, e.Declared[i], rules) {
			return false
		}
	}
	for i, d := range s.results {
		if !equal(d, e.Results[i].Token, rules) {
			return false
		}
	}
	return true
}

// equal is the judgement on one dependency: validity is equality of tokens, never the absence of a mark.
func equal(d store.Dependency, loadedUnder store.Token, rules guard.Set) bool {
	switch {
	case !d.Exists:
		return rules.Off(guard.AbsentIsNotFresh)
	case d.Held && !rules.Off(guard.HeldIsNotFresh):
		return false
	case rules.Off(guard.EqualTokens):
		return true
	}
	return d.Token.Matches(loadedUnder)
}

func (s sight) readable(rules guard.Set) bool {
	return s.entry != nil && (s.entry.Epoch == [6]byte(s.epoch) || rules.Off(guard.EpochBinds))
}

// expired reports whether the entry is past its TTL: Redis may keep it for longer, to stand in as stale. While Redis's
// time is not known it counts as expired.
func (s sight) expired() bool {
	return s.entry.TTL != 0 && (s.now == 0 || s.now >= s.entry.Loaded+s.entry.TTL)
}

// standsIn reports whether the entry, not fresh, became wrong at most age ago.
func (s sight) standsIn(age time.Duration) bool {
	if age <= 0 || !s.readable(0) || s.entry.Kind != envelope.Value || s.now == 0 {
		return false
	}
	since, known := s.wrongSince()
	return known && s.now <= since+uint64(age.Microseconds())
}

// wrongSince returns when the entry became wrong, at the earliest. It is not known where a token is gone, or was
// replaced more often than its record tells.
func (s sight) wrongSince() (since uint64, known bool) {
	e := s.entry
	since = s.now
	if e.TTL != 0 {
		since = min(since, e.Loaded+e.TTL)
	}
	if e.Born {
		return min(since, e.Loaded), true
	}
	if len(e.Declared) != len(s.tokens) {
		return 0, false
	}
	for i, d := range s.tokens {
		if since, known = earlier(since, s.now, d, e.Declared[i]); !known {
			return 0, false
		}
	}
	for i, d := range s.results {
		if since, known = earlier(since, s.now, d, e.Results[i].Token); !known {
			return 0, false
		}
	}
	return since, true
}

// inFuture is by how many microseconds the estimate of Redis's time may be behind it. What became wrong later than that did
// so before the clock was set back, nobody knows how long ago.
const inFuture = uint64(time.Second / time.Microsecond)

func earlier(since, now uint64, d store.Dependency, loadedUnder store.Token) (uint64, bool) {
	switch {
	case !d.Exists:
		return 0, false
	case d.Token == loadedUnder && !d.Dirty:
		return since, true // right, or held and perhaps right again
	case d.Base == loadedUnder.Nonce && d.First != 0 && d.First <= now+inFuture:
		return min(since, d.First), true
	}
	return 0, false
}

// age is how long ago the entry's load began.
func (s sight) age() time.Duration {
	if s.now <= s.entry.Loaded {
		return 0
	}
	return time.Duration(s.now-s.entry.Loaded) * time.Microsecond
}
