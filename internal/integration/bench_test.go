package integration_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/codec"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// What is compared: a hit of a Bound node in Redis, and a GET with go-redis of the same value in the same encoding,
// decoded by the same codec. Both use one client as recommended, one connection at a time, over loopback to a
// redis-server of the benchmark's own. The calls alternate one by one, because what else the machine does between two
// rounds differs by more than what is to be seen; the tenth that took longest and the tenth that took shortest are left
// out on each side. A third way in turn, an MGET of the very keys that a hit reads with nothing done with the reply, tells
// how much of the difference is the client's and the server's, and how much the cache's.

type volumeRow struct {
	ID int64 `bun:"id,pk"`
}

// Volume is a struct of an ordinary size.
type Volume struct {
	ID      int64
	Title   string
	Authors []string
	Price   float64
	Written time.Time
}

// VolumeByID depends on so many rows of one table, and so on their table's token and its class's as well.
type VolumeByID struct {
	cacheme.Node[Volume]
	ID   int64 `cacheme:"field"`
	Rows int64 `cacheme:"field"`
}

func (VolumeByID) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "volume:<id>:<rows>", TTL: time.Hour}
}

func (v VolumeByID) InvalidNodes() []cacheme.Invalid {
	rows := make([]cacheme.Invalid, v.Rows)
	for i := range rows {
		rows[i] = VolumeChanged{ID: v.ID + int64(i)}
	}
	return rows
}

type VolumeChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (VolumeChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*volumeRow)(nil)} }

var volume = Volume{
	ID: 7, Title: "The Left Hand of Darkness", Authors: []string{"Ursula K. Le Guin"}, Price: 12.5,
	Written: time.Date(1969, 3, 1, 0, 0, 0, 0, time.UTC),
}

// lane is what is measured: the same value by either way.
type lane struct {
	rdb   redis.UniversalClient
	codec *codec.CBOR
	bound *cacheme.Bound[VolumeByID, Volume]
	node  VolumeByID
	keys  []string // what a hit reads
}

const rawKey = "raw:volume"

func newLane(b testing.TB, rows int64) lane {
	b.Helper()
	rdb := kit.Redis(b).Client()
	prefix := suite.Prefix()
	c := suite.NewCache(b, rdb, suite.Patient(cacheme.Options{Prefix: prefix}), VolumeByID{}, VolumeChanged{})
	l := lane{rdb: rdb, codec: codec.NewCBOR(), node: VolumeByID{ID: 7, Rows: rows}}
	var err error
	l.bound, err = cacheme.Bind(c, func(context.Context, VolumeByID) (Volume, error) { return volume, nil })
	if err != nil {
		b.Fatal(err)
	}
	for tries := 0; ; tries++ {
		r, err := l.bound.GetResult(b.Context(), l.node)
		if err != nil || tries > 10 {
			b.Fatalf("GetResult() = %+v, %v, want a hit", r, err)
		}
		if r.Tier == cacheme.TierRedis {
			break
		}
	}
	raw, err := l.codec.Marshal(volume)
	if err != nil {
		b.Fatal(err)
	}
	if err := rdb.Set(b.Context(), rawKey, raw, time.Hour).Err(); err != nil {
		b.Fatal(err)
	}
	entry := prefix + fmt.Sprintf("{volume:7:%d}", rows)
	l.keys, err = rdb.Keys(b.Context(), prefix+"*:invalid").Result()
	if err != nil || len(l.keys) != tokens(rows) {
		b.Fatalf("Keys() = %v, %v, want %d tokens", l.keys, err, tokens(rows))
	}
	l.keys = append([]string{entry, entry + ":lease"}, l.keys...)
	return l
}

// tokens counts the rows, their table, and the class.
func tokens(rows int64) int {
	if rows == 0 {
		return 1
	}
	return int(rows) + 2
}

func (l lane) bare(b testing.TB) {
	if err := l.rdb.MGet(b.Context(), l.keys...).Err(); err != nil {
		b.Fatal(err)
	}
}

func (l lane) hit(b testing.TB) {
	r, err := l.bound.GetResult(b.Context(), l.node)
	if err != nil || r.Tier != cacheme.TierRedis {
		b.Fatalf("GetResult() = %+v, %v, want a hit", r, err)
	}
}

func (l lane) raw(b testing.TB) {
	bytes, err := l.rdb.Get(b.Context(), rawKey).Bytes()
	if err != nil {
		b.Fatal(err)
	}
	var v Volume
	if err := l.codec.Unmarshal(bytes, &v); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRemoteHit reports how long a hit takes in terms of a raw GET, in "x", and how long the bare MGET, in "bare-x".
func BenchmarkRemoteHit(b *testing.B) {
	for _, rows := range []int64{0, 1, 3, 6, 8} {
		b.Run(fmt.Sprintf("%d rows", rows), func(b *testing.B) {
			l := newLane(b, rows)
			ways := []func(testing.TB){l.hit, l.raw, l.bare}
			took := make([][]time.Duration, len(ways))
			b.ResetTimer()
			for i := range b.N {
				// Who comes first takes turns too: the second finds the server awake.
				for k := range ways {
					way := (i + k) % len(ways)
					began := time.Now()
					ways[way](b)
					took[way] = append(took[way], time.Since(began))
				}
			}
			b.StopTimer()
			hit, raw, bare := suite.TrimmedMean(took[0]), suite.TrimmedMean(took[1]), suite.TrimmedMean(took[2])
			b.ReportMetric(0, "ns/op") // of all together: it says nothing
			b.ReportMetric(hit, "hit-ns")
			b.ReportMetric(raw, "raw-ns")
			b.ReportMetric(hit/raw, "x")
			b.ReportMetric(bare/raw, "bare-x")
		})
	}
}

// BenchmarkRemoteAloneHit and BenchmarkRemoteAloneRaw are for a profiler, which cannot tell the two apart above.
func BenchmarkRemoteAloneHit(b *testing.B) {
	l := newLane(b, 3)
	b.ReportAllocs()
	for b.Loop() {
		l.hit(b)
	}
}

func BenchmarkRemoteAloneRaw(b *testing.B) {
	l := newLane(b, 3)
	b.ReportAllocs()
	for b.Loop() {
		l.raw(b)
	}
}
