package main

import (
	"testing"
	"time"
)

func TestMeans(t *testing.T) {
	t.Parallel()
	ten := []float64{1000, 2, 2, 2, 2, 4, 4, 4, 4, 0}
	if got := trimmedMean(ten); got != 3 {
		t.Errorf("trimmedMean(%v) = %v, want 3: neither the longest nor the shortest", ten, got)
	}
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}, {nil, 0}} {
		if got := median(c.of); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.of, got, c.want)
		}
	}
}

func TestRounds_are_compared_one_by_one(t *testing.T) {
	t.Parallel()
	r := rounds{"floor": {10, 100, 1000}, "peer": {20, 100, 500}}
	if got := r.over("peer", "floor"); *got.Value != 1 || len(got.Raw) != 3 {
		t.Errorf("over() = %v of %v, want the median 1 of the ratios 2, 1 and 0.5", *got.Value, got.Raw)
	}
	if got := r.over("peer", ""); got.Value != nil {
		t.Errorf("over() = %v where there is no floor, want nothing", *got.Value)
	}
}

// TestPeers_keep_what_they_load holds each peer to what all workloads take for granted.
func TestPeers_keep_what_they_load(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	s, err := startServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range contenders() {
		if err := s.rdb.FlushAll(t.Context()).Err(); err != nil { // all have one prefix
			t.Fatal(err)
		}
		source := newSource(0)
		lanes, done, err := open(t.Context(), s, []contender{c}, source, tiny().hold)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		get := func(want int64) {
			t.Helper()
			item, err := lanes[0].peer.Get(t.Context(), 7)
			if err != nil || item.ID != 7 || item.Version != want || len(item.Body) != bodySize {
				t.Errorf("%s: Get() = item %d, version %d, %d bytes, %v, want version %d of item 7", c.name, item.ID, item.Version, len(item.Body), err, want)
			}
		}
		source.loads.Store(0) // some have loaded to settle
		before := int64(-1)
		for tries := 0; source.loads.Load() != before && tries < 10_000; tries++ {
			before = source.loads.Load()
			get(0)
		}
		if before == 0 || before > 1 && c.tier != inFront { // those may have cached that there is nothing
			t.Errorf("%s: %d loads until it was a hit, want 1", c.name, before)
		}
		for until := time.Now().Add(10 * time.Second); c.behind && time.Now().Before(until); time.Sleep(time.Millisecond) {
			if n, err := s.rdb.DBSize(t.Context()).Result(); n > 0 || err != nil {
				break // what it stores later would stay, whatever is told
			}
		}
		source.write(7)
		get(0)
		if err := lanes[0].peer.Invalidate(t.Context(), 7); err != nil {
			t.Errorf("%s: Invalidate() = %v", c.name, err)
		}
		if c.tier != inFront { // what the server tells those may still be on its way
			get(1)
		}
		done()
	}
}
