package cachetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// Hot is loaded again behind its readers.
type Hot struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (Hot) Meta() cacheme.Meta { return cacheme.Meta{Key: "hot:<id>", TTL: ttl, Refresh: 0.5} }

// What a test leaves under way in the background is over when it ends: TestMain looks for goroutines.
func TestEarlyLoadsOfATestEndWithIt(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, Hot{})
	load := func(context.Context, Hot) (int, error) {
		time.Sleep(10 * time.Millisecond)
		return 1, nil
	}
	for range 2 {
		for id := range int64(20) {
			get(t, cache, Hot{ID: id}, load)
		}
		cache.Advance(ttl * 6 / 10)
	}
}
