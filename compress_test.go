package cacheme_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// sizeStored is how many bytes Redis has of a value, which has to come back as it was.
func sizeStored(t *testing.T, value string, compress cacheme.Switch, o cacheme.Options) int {
	t.Helper()
	cache := cachetest.NewWith(t, o)
	memo := cacheme.MustMemo(cache.Cache, cacheme.Memoized[string, string]{Meta: cacheme.Meta{Key: "sized", Compress: compress}},
		func(_ context.Context, value string) (string, error) { return value, nil })
	for _, tier := range []cacheme.Tier{cacheme.TierSource, cacheme.TierRedis} {
		if r, err := memo.GetResult(within(t), value); r.Value != value || r.Tier != tier || err != nil {
			t.Fatalf("GetResult() = %d bytes from %s, %v, want %d from %s", len(r.Value), r.Tier, err, len(value), tier)
		}
	}
	e, err := cache.Explain(within(t), memo.Node(value))
	if err != nil {
		t.Fatal(err)
	}
	return e.Size
}

func TestValuesAreCompressedOverAThresholdAndOnlyWhereThatMakesThemSmaller(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("It is a truth universally acknowledged. ", 100)
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 4000)
	for i := range noise {
		noise[i] = byte(r.UintN(128)) // a string that the codec takes
	}
	on, off := cacheme.Options{Compress: true}, cacheme.Options{}
	for _, c := range []struct {
		name     string
		value    string
		compress cacheme.Switch
		options  cacheme.Options
		shrinks  bool
	}{
		{"not asked for", text, cacheme.Default, off, false},
		{"by the option", text, cacheme.Default, on, true},
		{"by the node", text, cacheme.On, off, true},
		{"not by the node", text, cacheme.Off, on, false},
		{"below the default threshold", text[:900], cacheme.On, off, false},
		{"over the default threshold", text[:1100], cacheme.On, off, true},
		{"below a threshold", text, cacheme.On, cacheme.Options{CompressOver: 5000}, false},
		{"over a threshold", text[:200], cacheme.On, cacheme.Options{CompressOver: 100}, true},
		{"what does not shrink", string(noise), cacheme.On, off, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plain, stored := sizeStored(t, c.value, cacheme.Off, off), sizeStored(t, c.value, c.compress, c.options)
			if shrinks := stored < plain; shrinks != c.shrinks || stored > plain {
				t.Errorf("%d bytes are stored in %d, plain in %d; want them to be fewer: %v", len(c.value), stored, plain, c.shrinks)
			}
		})
	}
}
