package cacheme_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// What is loaded at one moment does not expire at one moment, nor is it due at one: the lives of entries spread over a tenth
// of their TTL.
func TestEntriesThatWereLoadedTogetherDoNotExpireTogether(t *testing.T) {
	t.Parallel()
	const ttl, crowd = 10 * time.Minute, 300
	for name, found := range map[string]bool{"values": true, "not found": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := cachetest.NewWith(t, cacheme.Options{Lease: time.Minute}, hotPage{}, goodChange{})
			nodes := make([]hotPage, crowd)
			for i := range nodes {
				nodes[i].ID = int64(i)
			}
			_, err := cacheme.GetManyFrom(within(t), cache.Cache, nodes, func(_ context.Context, nodes []hotPage) (map[hotPage]int64, error) {
				all := map[hotPage]int64{}
				for _, n := range nodes {
					if found {
						all[n] = n.ID
					}
				}
				return all, nil
			})
			if (err == nil) != found {
				t.Fatal(err)
			}
			lives := make([]time.Duration, crowd)
			for i, n := range nodes {
				e, err := cache.Explain(within(t), n)
				if err != nil {
					t.Fatal(err)
				}
				lives[i] = e.Age + e.Left
			}
			slices.Sort(lives)
			if first, last := lives[0], lives[crowd-1]; first < ttl*9/10 || last > ttl || last-first < ttl/20 {
				t.Errorf("lives are of %v to %v, want them spread over the last tenth of %v", first, last, ttl)
			}
			// In a window of a hundredth of the TTL a tenth of them is to be expected.
			const window, most = ttl / 100, crowd / 5
			for i := range lives[:crowd-most] {
				if lives[i+most]-lives[i] < window {
					t.Fatalf("more than %d of %d expire within %v of %v", most, crowd, window, lives[i])
				}
			}
		})
	}
}
