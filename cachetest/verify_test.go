package cachetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// What verifies hits ends with the test: goleak looks at what is left.
func TestVerifiedHitsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	cache := cachetest.NewWith(t, cacheme.Options{Verify: cacheme.VerifyOptions{Share: 1, Settle: time.Hour}}, Detail{}, BookChanged{})
	loads, second := 0, make(chan struct{})
	load := func(context.Context, Detail) (Book, error) {
		if loads++; loads == 2 {
			close(second)
		}
		return Book{ID: int64(loads)}, nil // another one each time, so that it has to settle
	}
	for range 2 {
		if b, err := cacheme.GetFrom(t.Context(), cache.Cache, Detail{ID: 1}, load); b.ID != 1 || err != nil {
			t.Fatalf("GetFrom = %+v, %v, want the first book", b, err)
		}
	}
	<-second
	if err := cache.Close(t.Context()); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if s := cache.Stats(); s.Verified+s.Violations != 0 || s.Unverified != 1 {
		t.Errorf("Stats() = %+v, want a sample of which nothing can be told", s)
	}
}
