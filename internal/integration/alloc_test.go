package integration_test

import "testing"

func TestRemoteHit_allocates_no_more_than_counted(t *testing.T) {
	// The server is another process: what is counted is the client's and the cache's.
	const hits, raws = 44, 13
	l := newLane(t, 3)
	if n := testing.AllocsPerRun(1000, func() { l.hit(t) }); n > hits {
		t.Errorf("a hit with 3 declared dependencies allocates %v times, want at most %d", n, hits)
	} else {
		t.Logf("a hit with 3 declared dependencies allocates %v times", n)
	}
	if n := testing.AllocsPerRun(1000, func() { l.raw(t) }); n > raws {
		t.Errorf("a raw GET and its decoding allocate %v times, want at most %d: the comparison has changed", n, raws)
	}
}
