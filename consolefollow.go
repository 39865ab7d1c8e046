package cacheme

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// Followed is something that was just made wrong, by a write that is committed; or an entry that was removed.
type Followed struct {
	// Name is the dependency, kind:key, and At when it was made wrong, by Redis's clock. Of an entry that was removed there is the Key
	// alone, and At is about when that was heard; zero: that is not known yet.
	Name string    `json:"name,omitempty"`
	Key  string    `json:"key,omitempty"`
	At   time.Time `json:"at,omitzero"`
	// LastWrite, OneOf and Note say who did it, as in DependencyState.
	LastWrite *Write  `json:"last_write,omitempty"`
	OneOf     []Write `json:"one_of,omitempty"`
	Note      string  `json:"note,omitempty"`
}

// Follow tells what is made wrong from now on, by whichever process, some at a time and each within a second, until ctx ends,
// and returns nil then. It listens to what is published for near caches: so it costs Redis nothing while nothing is written,
// and otherwise two reads in 200 ms. missed is how many were too many to be looked up. What is written while the connection is
// broken is not told, nor is a transaction that is rolled back, or open for longer than holds last.
func (k *Console) Follow(ctx context.Context, tell func(some []Followed, missed int)) error {
	f := follower{c: k.c, heard: map[string]uint64{}, gone: map[string]farewell{}, told: map[string]uint64{}}
	servers, err := k.c.store.Servers(ctx)
	if ctx.Err() != nil {
		return nil
	} else if err != nil {
		return wrap("follow", "servers", err)
	}
	var listening sync.WaitGroup
	defer listening.Wait()
	for addr, server := range servers {
		sub := server.Subscribe(ctx, k.c.store.NearChannel())
		defer sub.Close()
		_, err := sub.Receive(ctx) // that it is subscribed
		if ctx.Err() != nil {
			return nil
		} else if err != nil {
			return wrap("follow", "writes", err)
		}
		words := sub.Channel()
		listening.Go(func() { f.listen(addr, words) })
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		// Within its own budget: that ctx ends in the middle of a look is no fault.
		some, missed, err := f.look(context.WithoutCancel(ctx))
		switch {
		case err != nil:
			return wrap("follow", "writes", err)
		case len(some) > 0 || missed > 0:
			tell(some, missed)
		}
	}
}

const (
	followEvery = 200 * time.Millisecond
	// followRoom bounds what is looked up at a time, and remembered: one trip of a fast server.
	followRoom = 10_000
	// farewellAge is how much later than another a server may tell of a removal: for so long two removals of a key may be one.
	farewellAge = time.Second
	// followSlack is how far the estimates of Redis's clock here may be off.
	followSlack = uint64(time.Second / time.Microsecond)
)

// follower collects what is heard, and looks up what became of it.
type follower struct {
	c *Cache

	mu      sync.Mutex
	heard   map[string]uint64 // dependencies that were written or held, and when by Redis's clock; 0: that was not known yet
	removed []string
	gone    map[string]farewell // the removals of the last second
	missed  int

	told map[string]uint64 // nonces of the tokens that were told last
}

// farewell is a removal as it was heard.
type farewell struct {
	server string
	at     time.Time
}

// listen takes in what one server tells. Each server of a cluster tells what any of them was told.
func (f *follower) listen(server string, words <-chan *redis.Message) {
	for word := range words {
		name, isToken := store.TokenNameOf(f.c.options.Prefix, word.Payload)
		key, isEntry := f.c.store.DisplayKey(word.Payload)
		f.mu.Lock()
		switch {
		case !isToken && !isEntry: // a near cache that tries whether it hears
		case isEntry && f.gone[key].heardElsewhere(server):
		case len(f.heard)+len(f.removed) >= followRoom:
			f.missed++
		case isEntry:
			f.removed = append(f.removed, key)
			f.gone[key] = farewell{server, time.Now()}
		default:
			f.heard[name] = f.c.store.Now()
		}
		f.mu.Unlock()
	}
}

func (f farewell) isNew() bool { return time.Since(f.at) < farewellAge }

// heardElsewhere reports whether another server has told of the same removal.
func (f farewell) heardElsewhere(server string) bool { return f.server != server && f.isNew() }

// look tells what has become of what was heard. What is still held waits for the next look.
func (f *follower) look(ctx context.Context) (some []Followed, missed int, err error) {
	f.mu.Lock()
	heard, removed := maps.Clone(f.heard), f.removed
	missed, f.missed, f.removed = f.missed, 0, nil
	maps.DeleteFunc(f.gone, func(_ string, last farewell) bool { return !last.isNew() })
	f.mu.Unlock()
	for _, key := range removed {
		one := Followed{Key: key}
		if now := f.c.store.Now(); now != 0 {
			one.At = atMicro(now)
		}
		some = append(some, one)
	}
	if len(heard) == 0 {
		return some, missed, nil
	}
	names := slices.Sorted(maps.Keys(heard))
	values, err := f.c.store.Read(ctx, f.c.options.WriteBudget, f.c.tokenKeys(names))
	if err != nil {
		return nil, 0, err
	}
	var nonces []uint64
	written := map[string]store.Dependency{}
	for i, name := range names {
		d := values.Dependency(i)
		longest := uint64(2 * f.c.store.Hold() / time.Microsecond)
		if d.Held && f.c.store.Now() < heard[name]+longest {
			delete(heard, name) // it stays in f.heard
			continue
		}
		// After a rollback the token is the one before.
		if d.Exists && !d.Held && store.OriginOf(d.Token.Nonce) != store.ByLoad && f.told[name] != d.Token.Nonce && d.Token.Time+followSlack >= heard[name] {
			written[name] = d
			nonces = append(nonces, d.Token.Nonce)
		}
	}
	slices.Sort(nonces)
	records, err := f.c.store.Records(ctx, f.c.options.WriteBudget, slices.Compact(nonces))
	if err != nil {
		return nil, 0, err
	}
	f.forget(heard)
	for _, name := range names {
		d, ok := written[name]
		if !ok {
			continue
		}
		f.told[name] = d.Token.Nonce
		said := f.c.explainToken(name, glimpse{records: records}, d, store.Token{})
		some = append(some, Followed{Name: name, At: atMicro(d.Token.Time), LastWrite: said.LastWrite, OneOf: said.OneOf, Note: said.Note})
	}
	return some, missed, nil
}

// forget drops what was looked up, unless it was heard again meanwhile.
func (f *follower) forget(done map[string]uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, at := range done {
		if f.heard[name] == at {
			delete(f.heard, name)
		}
	}
	if len(f.told) > followRoom {
		clear(f.told)
	}
}
