package hostile

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// besides spoils what stands beside the entry: tokens, the lease, the record of losses.
func besides(t *testing.T, open suite.Open) {
	server := open(t)
	token := func(w *world) string { return w.prefix + "row:word_row:1:invalid" }
	t.Run("a token that is garbage costs a load and no more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		w.fresh(t)
		good, err := w.rdb.Get(t.Context(), token(w)).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			"", "t", "t|", "garbage", strings.Repeat("|", 200), good[:len(good)-1], good[:20], "x" + good[1:],
			good + "|", strings.Replace(good, "t|", "h|", 1), good + "|0000000000000000|AAAAAAAAAAA|9999999999999999|0|zzz", strings.Repeat("9", 1<<16),
		} {
			if err := w.rdb.Set(t.Context(), token(w), text, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			w.reloads(t, text)
		}
	})
	t.Run("a token of another type costs a load and no more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		w.fresh(t)
		if err := w.rdb.Del(t.Context(), token(w)).Err(); err != nil {
			t.Fatal(err)
		}
		if err := w.rdb.HSet(t.Context(), token(w), "a", "b").Err(); err != nil {
			t.Fatal(err)
		}
		w.reloads(t, "a hash")
		if err := w.cache.Invalidate(t.Context(), WordsChanged{ID: 1}); err != nil {
			t.Errorf("Invalidate() = %v", err)
		}
		w.reloads(t, "after Invalidate")
	})
	t.Run("a token that is garbage can be invalidated and held", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		w.fresh(t)
		if err := w.rdb.Set(t.Context(), token(w), "garbage", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		hold, err := w.cache.Hold(t.Context(), WordsChanged{ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.rdb.Set(t.Context(), token(w), "garbage", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if err := hold.Commit(t.Context()); err != nil {
			t.Errorf("Commit() = %v", err)
		}
		w.reloads(t, "after the hold")
	})
	t.Run("a lease of another type keeps nobody from loading", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		w.plant(t, []byte("garbage"))
		if err := w.rdb.RPush(t.Context(), w.prefix+entryKey+":lease", "a").Err(); err != nil {
			t.Fatal(err)
		}
		w.survives(t, "a list for a lease", cacheme.EventGarbage)
	})
	t.Run("a lease that nobody has, and that lives for long, delays by two leases", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		const lease = 200 * time.Millisecond
		c := suite.NewCache(t, server.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: w.prefix, Lease: lease}), Words{}, WordsChanged{})
		if err := w.rdb.Set(t.Context(), w.prefix+entryKey+":lease", "garbage", time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := cacheme.GetFrom(t.Context(), c, Words{ID: 1}, func(context.Context, Words) ([]string, error) { return value, nil }); err != nil {
			t.Errorf("Get() = %v", err)
		}
		if took := time.Since(began); took > 2*lease+5*time.Second {
			t.Errorf("Get took %v, want about two leases of %v", took, lease)
		}
	})
	t.Run("a record of losses that is garbage costs no more than a probation", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		w.fresh(t)
		for _, text := range []string{"", "garbage", "1|2|3|4", "||||"} {
			if err := w.rdb.Set(t.Context(), w.prefix+"meta:watch", text, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			if err := w.rdb.Del(t.Context(), token(w)).Err(); err != nil {
				t.Fatal(err)
			}
			w.reloads(t, text)
		}
	})
}

// reloads wants one load, and then a hit: there may be an entry, but what it hangs on is not to be trusted.
func (w *world) reloads(t testing.TB, what string) {
	t.Helper()
	b := w.bound(t)
	for i, want := range []cacheme.Tier{cacheme.TierSource, cacheme.TierRedis} {
		r, err := b.GetResult(t.Context(), Words{ID: 1})
		if err != nil || r.Tier != want || len(r.Value) != len(value) {
			t.Errorf("%.80q: GetResult() number %d = %+v, %v, want it from %q", what, i+1, r, err, want)
		}
	}
}
