package main

import (
	"context"
	"time"
)

// Peer is one instance of one way to keep items in front of their source: what one process of a fleet would have.
type Peer interface {
	// Get returns the item, loaded from the source where the peer does not have it.
	Get(ctx context.Context, id int64) (Item, error)
	// Invalidate tells that the rows of these items have been written.
	Invalidate(ctx context.Context, ids ...int64) error
	// Close ends the instance and what it holds open.
	Close() error
}

// grouped is a Peer with which entries can depend on one common thing, or whose users help themselves.
type grouped interface {
	// FillGroup stores items that all depend on one thing.
	FillGroup(ctx context.Context, ids []int64) error
	// InvalidateGroup tells that this thing was written. Peers that do not know what depends on it are told.
	InvalidateGroup(ctx context.Context, ids []int64) error
}

// settler is a Peer that behaves otherwise for a while after it is first used on a server; Settle waits for that.
type settler interface {
	Settle(ctx context.Context) error
}

// candid is a Peer that knows whether it has got through to Redis; Trouble is empty if it always has.
type candid interface {
	Trouble() string
}

// place is where an instance of a peer works.
type place struct {
	addr   string // of the redis-server
	prefix string // of all its keys
	source *source
	hold   time.Duration // cacheme's option; 0 is its default
	ttl    time.Duration // of the raw client's and cacheme's entries; 0 is lifetime
}

// tier is where a peer's hits come from.
type tier string

const (
	inRedis   tier = "Redis"
	inFront   tier = "in process, before Redis"
	inProcess tier = "in process, no Redis"
)

// contender is a peer as it takes part.
type contender struct {
	name   string
	tier   tier
	codec  string // of its values on the way, if they travel
	floor  string // the raw client with the same codec; empty where there is none
	group  string // how it finds what depends on one thing, for a Peer that is grouped
	behind bool   // it stores what was loaded after its Get has returned
	about  string // what else is to be said of it
	module string // whose version is told
	open   func(p place) (Peer, error)
}

// The floors: a GET and the decoding of what it gave, in each codec that a peer uses.
const (
	rawCBOR    = "go-redis, raw GET (CBOR)"
	rawMsgpack = "go-redis, raw GET (msgpack)"
	rawJSON    = "go-redis, raw GET (JSON)"
)

const (
	ours          = "cacheme"
	oursPipelined = "cacheme, AutoPipeline"
	oursNear      = "cacheme, near"
	oursTracked   = "cacheme, near, tracking"
)

// contenders are all that take part, floors first and ours last. Each is set up as its own documentation advises; the
// file of each says where that is. A peer that leaves the encoding to its user has cacheme's.
func contenders() []contender {
	const goredis, rueidis = "github.com/redis/go-redis/v9", "github.com/redis/rueidis"
	cbor := asCBOR()
	return []contender{
		{name: rawCBOR, tier: inRedis, codec: "CBOR", floor: rawCBOR, group: "a set of its members", module: goredis, open: openRaw(cbor)},
		{name: rawMsgpack, tier: inRedis, codec: "msgpack", floor: rawMsgpack, module: goredis, open: openRaw(asMsgpack())},
		{name: rawJSON, tier: inRedis, codec: "JSON", floor: rawJSON, module: goredis, open: openRaw(asJSON())},
		{name: "go-redis, AutoPipeline GET", tier: inRedis, codec: "CBOR", floor: rawCBOR, module: goredis, open: openPipelined(cbor)},
		{name: "go-redis, client-side caching", tier: inFront, codec: "CBOR", floor: rawCBOR, module: goredis, open: openTracked(cbor)},
		{name: "go-redis/cache", tier: inRedis, codec: "msgpack", floor: rawMsgpack, group: "one Delete an entry, keys known", module: "github.com/go-redis/cache/v9", open: openRedisCache(false)},
		{name: "go-redis/cache, TinyLFU", tier: inFront, codec: "msgpack", floor: rawMsgpack, module: "github.com/go-redis/cache/v9", open: openRedisCache(true)},
		{name: "rueidis, raw GET", tier: inRedis, codec: "CBOR", floor: rawCBOR, module: rueidis, open: openRueidis(cbor, false)},
		{name: "rueidis, client-side caching", tier: inFront, codec: "CBOR", floor: rawCBOR, module: rueidis, open: openRueidis(cbor, true)},
		{name: "go-zero cache", tier: inRedis, codec: "JSON", floor: rawJSON, group: "one DEL, keys known", module: "github.com/zeromicro/go-zero", open: openGoZero},
		{name: "rockscache", tier: inRedis, codec: "CBOR", floor: rawCBOR, group: "one script, keys known", module: "github.com/dtm-labs/rockscache", open: openRocks(cbor)},
		{name: "gocache", tier: inRedis, codec: "CBOR", floor: rawCBOR, group: "a tag: a set of its members", behind: true, module: "github.com/eko/gocache/lib/v4", open: openGoCache(cbor)},
		{name: "sturdyc", tier: inProcess, module: "github.com/viccon/sturdyc", open: openSturdyc},
		{name: "otter", tier: inProcess, module: "github.com/maypok86/otter/v2", open: openOtter},
		{name: ours, tier: inRedis, codec: "CBOR", floor: rawCBOR, group: "one token", module: "github.com/cacheme/cacheme", open: openCacheme(ownRows, false)},
		{name: oursNear, tier: inFront, codec: "CBOR", floor: rawCBOR, module: "github.com/cacheme/cacheme", open: openNear},
		{name: oursPipelined, tier: inRedis, codec: "CBOR", floor: rawCBOR, module: "github.com/cacheme/cacheme", open: openCacheme(ownRows, true)},
	}
}

// absent are the peers that belong here and are not, and why.
func absent() [][2]string {
	return [][2]string{
		{"jetcache-go (github.com/mgtv-tech/jetcache-go)", "the module proxy serves either no version of it or none that the checksum database knows, to the machine on which this module was written"},
		{"rueidisaside (github.com/redis/rueidis/rueidisaside)", "the module proxy serves no version of it to the machine on which this module was written"},
	}
}

// lifetime is the TTL of every entry of every peer: no run is that long.
const lifetime = time.Hour
