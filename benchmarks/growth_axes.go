package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cacheme/cacheme"
)

// grown is cacheme or the bare client with much of something; get has an id of keysOfAHit.
type grown struct {
	Peer

	get func(ctx context.Context, id int64) error
}

// Get gives no item: what is read is not the same everywhere.
func (g grown) Get(ctx context.Context, id int64) (Item, error) { return Item{}, g.get(ctx, id) }

// oneOf spreads an id over n keys so that goroutines keep to keys of their own.
func oneOf(id int64, n int) int64 {
	return (id + keysOfAHit*rand.Int64N(max(1, int64(n)/keysOfAHit))) % int64(n)
}

// shortHold is cacheme's option here: there are many caches to settle, and a hit does not depend on it.
const shortHold = time.Second

// caches opens cacheme and the bare client on a server of their own, and waits until cacheme has settled.
func (g *growing) caches(ctx context.Context, n int) (*server, *viaCacheme, *raw, error) {
	server, err := startServer(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	g.closes = append(g.closes, func() { _ = server.close() })
	var both []Peer
	for k, open := range []func(place) (Peer, error){openCacheme(commonRows, false), openRaw(asCBOR())} {
		p, err := open(place{addr: server.addr, prefix: fmt.Sprintf("N%d:%d:", n, k), source: g.source, hold: cmp.Or(g.hold, shortHold)})
		if err != nil {
			return nil, nil, nil, err
		}
		g.closes = append(g.closes, func() { _ = p.Close() })
		both = append(both, p)
	}
	mine := both[0].(*viaCacheme)
	return server, mine, both[1].(*raw), mine.Settle(ctx)
}

// pair gives the two lanes of a size.
func pair(n int, mine *viaCacheme, mineGet func(context.Context, int64) error, bare *raw, bareGet func(context.Context, int64) error) [2]*lane {
	return [2]*lane{
		{contender{name: fmt.Sprintf("%s, %d", ours, n)}, grown{mine, mineGet}},
		{contender{name: fmt.Sprintf("go-redis, %d", n)}, grown{bare, bareGet}},
	}
}

// bytesOfBoth is more than two entries take, cacheme's and the bare one.
const bytesOfBoth = 700

// manyEntries has servers with n entries each. Only one of them is loaded: the others are copies of its bytes, which hold nothing of
// their key, made by the server itself.
func manyEntries(ctx context.Context, g *growing, n int) (both [2]*lane, why string, err error) {
	if free, ok := available(); ok && float64(n)*bytesOfBoth > free/2 {
		return both, fmt.Sprintf("they would take about %d MB, and half of what the machine has free is %.0f MB", n/1_000_000*bytesOfBoth, free/2e6), nil
	}
	if expected := g.perEntry * time.Duration(n); expected > longestFill {
		return both, fmt.Sprintf("it would take %v to store them", expected.Round(time.Second)), nil
	}
	server, mine, bare, err := g.caches(ctx, n)
	if err != nil {
		return both, "", err
	}
	began := time.Now()
	defer func() { g.perEntry = time.Since(began) / time.Duration(n) }()
	memo, err := g.memo(mine, "small:<id>", ItemInGroup{}.InvalidNodes)
	if err != nil {
		return both, "", err
	}
	key := func(id int64) (string, error) {
		key, err := mine.cache.KeyOf(memo.Node(id))
		return mine.p.prefix + "{" + key + "}", err // as Redis has it
	}
	if err := loadedOnce(ctx, g, func(ctx context.Context) error { return errorOf(memo.Get(ctx, 0)) }); err != nil {
		return both, "", err
	}
	if err := copies(ctx, server, key, n); err != nil {
		return both, "", err
	}
	if err := bareSet(ctx, bare, 0); err != nil {
		return both, "", err
	}
	if err := copies(ctx, server, func(id int64) (string, error) { return keyOf(bare.p.prefix, id), nil }, n); err != nil {
		return both, "", err
	}
	return pair(n, mine, func(ctx context.Context, id int64) error { return errorOf(memo.Get(ctx, oneOf(id, n))) },
		bare, func(ctx context.Context, id int64) error { return errorOf(bare.Get(ctx, oneOf(id, n))) }), "", nil
}

// memo is a node of items that are next to nothing, all of which depend on the same.
func (g *growing) memo(mine *viaCacheme, key string, on func() []cacheme.Invalid) (*cacheme.Bound[int64, Item], error) {
	return cacheme.Memo(mine.cache, cacheme.Memoized[int64, Item]{
		Meta:         cacheme.Meta{Key: key},
		Values:       func(id int64) []any { return []any{id} },
		InvalidNodes: func(int64) []cacheme.Invalid { return on() },
	}, g.small)
}

// small is the loader of items that are next to nothing.
func (g *growing) small(context.Context, int64) (Item, error) {
	g.source.loads.Add(1)
	return Item{}, nil
}

// loadedOnce asks until nothing is loaded any more.
func loadedOnce(ctx context.Context, g *growing, get func(context.Context) error) error {
	for range 10 {
		before := g.source.loads.Load()
		if err := get(ctx); err != nil {
			return err
		}
		if g.source.loads.Load() == before {
			return nil
		}
	}
	return fmt.Errorf("what was loaded nine times is still not stored")
}

// copyScript stores what KEYS[1] holds under ARGV[1] .. i .. ARGV[2] as well, for all i from ARGV[3] to ARGV[4]. It names keys that it
// was not given, so that it cannot run in a cluster.
const copyScript = `local value = redis.call('GET', KEYS[1])
for i = tonumber(ARGV[3]), tonumber(ARGV[4]) do
	redis.call('SET', ARGV[1] .. string.format('%d', i) .. ARGV[2], value, 'PX', ARGV[5])
end
return 1`

// copies stores the bytes of key 0 under all keys below n.
func copies(ctx context.Context, server *server, key func(int64) (string, error), n int) error {
	const mark = 9_876_543_210 // no part of a key holds it by chance
	first, err := key(0)
	if err != nil {
		return err
	}
	pattern, err := key(mark)
	if err != nil {
		return err
	}
	before, after, ok := strings.Cut(pattern, strconv.Itoa(mark))
	if !ok {
		return fmt.Errorf("the key %q does not hold its id", pattern)
	}
	const atOnce = 10_000 // some hundredths of a second of the server's
	for from := 1; from < n; from += atOnce {
		to := min(from+atOnce, n) - 1
		err := server.rdb.Eval(ctx, copyScript, []string{first}, before, after, from, to, lifetime.Milliseconds()).Err()
		if err != nil {
			return err
		}
	}
	return nil
}

// manyDependencies has entries of nodes with n rows that they share, and tokens as it has for the bare client, whose MGET is as long.
func manyDependencies(ctx context.Context, g *growing, n int) (both [2]*lane, why string, err error) {
	server, mine, bare, err := g.caches(ctx, n)
	if err != nil {
		return both, "", err
	}
	wrong := make([]cacheme.Invalid, n)
	keys := make([]string, n+2) // the table's token and the class's too
	for i := range wrong {
		wrong[i] = RowChanged{ID: int64(i)}
	}
	for i := range keys {
		keys[i] = fmt.Sprintf("%stoken:%d", bare.p.prefix, i)
		if err := server.rdb.Set(ctx, keys[i], "a value as long as that of a cacheme token", lifetime).Err(); err != nil {
			return both, "", err
		}
	}
	memo, err := g.memo(mine, "small:<id>", func() []cacheme.Invalid { return wrong })
	if err != nil {
		return both, "", err
	}
	for id := range int64(keysOfAHit) {
		if err := loadedOnce(ctx, g, func(ctx context.Context) error { return errorOf(memo.Get(ctx, id)) }); err != nil {
			return both, "", err
		}
		if err := bareSet(ctx, bare, id); err != nil {
			return both, "", err
		}
	}
	return pair(n, mine, func(ctx context.Context, id int64) error { return errorOf(memo.Get(ctx, id)) },
		bare, func(ctx context.Context, id int64) error {
			return bare.rdb.MGet(ctx, append([]string{keyOf(bare.p.prefix, id)}, keys...)...).Err()
		}), "", nil
}

func bareSet(ctx context.Context, bare *raw, id int64) error {
	b, err := bare.codec.marshal(Item{})
	if err != nil {
		return err
	}
	return bare.rdb.Set(ctx, keyOf(bare.p.prefix, id), b, lifetime).Err()
}

// manyNodes has a cache with n nodes and at least one entry of each. The nodes are made on the fly: each is a declaration of
// its own, with a key and a class of its own, as a type would be.
func manyNodes(ctx context.Context, g *growing, n int) (both [2]*lane, why string, err error) {
	_, mine, bare, err := g.caches(ctx, n)
	if err != nil {
		return both, "", err
	}
	memos := make([]*cacheme.Bound[int64, Item], n)
	began := time.Now()
	for i := range memos {
		if memos[i], err = g.memo(mine, fmt.Sprintf("node%d:<id>", i), ItemInGroup{}.InvalidNodes); err != nil {
			return both, "", err
		}
	}
	progressf("  registering %s nodes took %v", grouping(n), time.Since(began).Round(time.Millisecond))
	entries := max(n, keysOfAHit)
	get := func(ctx context.Context, id int64) error { return errorOf(memos[id%int64(n)].Get(ctx, id)) }
	for id := range int64(entries) {
		if err := loadedOnce(ctx, g, func(ctx context.Context) error { return get(ctx, id) }); err != nil {
			return both, "", err
		}
		if err := bareSet(ctx, bare, id); err != nil {
			return both, "", err
		}
	}
	return pair(n, mine, func(ctx context.Context, id int64) error { return get(ctx, oneOf(id, entries)) },
		bare, func(ctx context.Context, id int64) error { return errorOf(bare.Get(ctx, oneOf(id, entries))) }), "", nil
}

// available is how many bytes of memory the machine has free, where Linux tells.
func available() (float64, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "MemAvailable:"); found {
			kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kilobytes * 1024, err == nil
		}
	}
	return 0, false
}
