package near

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// wire is stretched across one key of Redis. All values that hang on the key share it. Once it is cut it stays so; whoever
// comes later stretches a new one.
type wire struct {
	key   string
	cut   atomic.Bool
	state atomic.Uint64 // in which the values that hang on it found the key; 0: not known
	refs  int           // guarded by the shard
}

func whole(all []*wire) bool {
	for _, w := range all {
		if w.cut.Load() {
			return false
		}
	}
	return true
}

const wireShards = 64

// wires holds the wire of each key that somebody hangs on.
type wires struct {
	seed   maphash.Seed
	shards [wireShards]wireShard
}

type wireShard struct {
	mu    sync.Mutex
	byKey map[string]*wire
	_     [40]byte // a cache line each
}

func (ws *wires) init() {
	ws.seed = maphash.MakeSeed()
	for i := range ws.shards {
		ws.shards[i].byKey = map[string]*wire{}
	}
}

func (ws *wires) shard(key string) *wireShard {
	return &ws.shards[maphash.String(ws.seed, key)%wireShards]
}

// Stretched are wires that nobody hangs on yet. Release ends them, unless a value has taken them over.
type Stretched struct {
	of     *wires
	wires  []*wire
	weight uint64 // of the wires that are new
}

// wireWeight is what a wire costs besides its key: itself and its place in the map. Measured by TestWeightIsMemory.
const wireWeight = 100

func (ws *wires) stretch(lists [][]string) *Stretched {
	n := 0
	for _, keys := range lists {
		n += len(keys)
	}
	s := &Stretched{of: ws, wires: make([]*wire, 0, n), weight: uint64(8 * n)}
	for _, keys := range lists {
		for _, key := range keys {
			w, isNew := ws.across(key)
			if isNew {
				s.weight += wireWeight + uint64(len(key))
			}
			s.wires = append(s.wires, w)
		}
	}
	return s
}

func (ws *wires) across(key string) (w *wire, isNew bool) {
	shard := ws.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	w, ok := shard.byKey[key]
	if !ok || w.cut.Load() {
		ok = false
		key = strings.Clone(key) // it is a part of all that the request asks for
		w = &wire{key: key}
		shard.byKey[key] = w
	}
	w.refs++
	return w, !ok
}

// take hands the wires over to a value.
func (s *Stretched) take() []*wire {
	taken := s.wires
	s.wires = nil
	return taken
}

// Release ends the wires that were not taken over. A nil Stretched has none.
func (s *Stretched) Release() {
	if s != nil {
		s.of.release(s.take())
	}
}

func (ws *wires) release(all []*wire) {
	for _, w := range all {
		shard := ws.shard(w.key)
		shard.mu.Lock()
		if w.refs--; w.refs == 0 && shard.byKey[w.key] == w {
			delete(shard.byKey, w.key)
		}
		shard.mu.Unlock()
	}
}

// cut cuts the wire across key, if there is one.
func (ws *wires) cut(key string) {
	shard := ws.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if w, ok := shard.byKey[key]; ok {
		w.cut.Store(true)
		delete(shard.byKey, key)
	}
}

// cutAll cuts every wire.
func (ws *wires) cutAll() {
	for i := range ws.shards {
		shard := &ws.shards[i]
		shard.mu.Lock()
		for _, w := range shard.byKey {
			w.cut.Store(true)
		}
		clear(shard.byKey)
		shard.mu.Unlock()
	}
}

// stretched reports whether somebody hangs on key.
func (ws *wires) stretched(key string) bool {
	shard := ws.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	_, ok := shard.byKey[key]
	return ok
}

// differs reports whether values hang on key that found it in another state.
func (ws *wires) differs(key string, state uint64) bool {
	shard := ws.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	w, ok := shard.byKey[key]
	if !ok {
		return false
	}
	known := w.state.Load()
	return known != 0 && known != state
}

// found notes in which state a value found the key. Where an earlier one found it in another, it changed without a word.
func (w *wire) found(state uint64) {
	if state != 0 && !w.state.CompareAndSwap(0, state) && w.state.Load() != state {
		w.cut.Store(true)
	}
}
