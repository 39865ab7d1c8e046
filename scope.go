package cacheme

import (
	"context"
	"sync"

	"github.com/cacheme/cacheme/internal/envelope"
)

// scope is a load under way, as its context knows it. What is got inside the load hands its dependencies up, so that
// the outer entry is wrong whenever an inner one is.
type scope struct {
	outer *scope
	cache *Cache
	plan  *nodePlan       // of the nodes that it loads; nil where nothing is stored
	keys  map[string]bool // Redis keys that it loads
	early bool            // see work.early

	observation *Observation // nil: nobody wants to know what it reads

	mu    sync.Mutex
	inner inner
	over  bool // what a goroutine gets that the load left behind no longer counts
}

// inner is what was got inside a load.
type inner struct {
	handed  map[string]envelope.Token // dependency to the token that the inner value was loaded under
	spoiled string                    // why the outer entry may not be stored; empty: it may
	private string                    // why the value is for its caller alone; empty: it is for all
	behind  bool                      // a replica was read
	expires uint64                    // Redis's time at which the first inner entry expires; 0: none does

	seen     seen     // what the load read itself
	observed []string // what it depends on by that, with Auto
}

type scopeKey struct{}

func newScope(c *Cache, outer *scope, ws []*work) *scope {
	s := &scope{outer: outer, cache: c, keys: make(map[string]bool, len(ws)), inner: inner{handed: map[string]envelope.Token{}}}
	for _, w := range ws {
		s.keys[w.r.entry] = true
	}
	if len(ws) > 0 {
		s.plan = ws[0].r.plan
		s.observation = newObservation(s.plan)
		s.early = ws[0].early || outer.renews()
	}
	return s
}

func (s *scope) into(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// loading reports whether the key is being loaded by the load or one that it runs inside of.
func (s *scope) loading(c *Cache, entry string) bool {
	for ; s != nil; s = s.outer {
		if s.cache == c && s.keys[entry] && !s.isOver() {
			return true
		}
	}
	return false
}

// hand takes over the dependencies of an inner value. Where two inner values were loaded under different tokens of one
// dependency, one of them is old: the zero token equals nothing. Tokens of another cache mean nothing in this one.
func (s *scope) hand(c *Cache, names []string, tokens []envelope.Token, expires uint64) {
	if s == nil {
		return
	}
	if s.cache != c {
		s.spoil("an inner Get asked another cache")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	for i, name := range names {
		if known, ok := s.inner.handed[name]; ok && known != tokens[i] {
			s.inner.handed[name] = envelope.Token{}
			continue
		}
		s.inner.handed[name] = tokens[i]
	}
	if expires != 0 && (s.inner.expires == 0 || expires < s.inner.expires) {
		s.inner.expires = expires
	}
}

// spoil keeps the outer value from being stored: an inner value came without tokens.
func (s *scope) spoil(reason string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.inner.spoiled = reason
	}
}

func (s *scope) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// end returns what was got inside, and takes no more.
func (s *scope) end() inner {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.inner.seen = s.observation.end()
	return s.inner
}
