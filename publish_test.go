package cacheme_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

// publishing is a program that publishes, in a bubble of time, and the prefix's keys.
func publishing(t *testing.T, test func(t *testing.T, server *embedded.Server, cache *cacheme.Cache)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := embedded.Start(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		cache, err := cacheme.New(server.Client(), cacheme.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cache.MustRegister(SongPage{}, SongChanged{})
		if err := cache.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, server, cache)
		if err := cache.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// attachedNodes are those that another program is told of; nil: nobody has published.
func attachedNodes(t *testing.T, server *embedded.Server) (names []string) {
	t.Helper()
	k, err := cacheme.Attach(t.Context(), server.Client(), cacheme.Options{})
	if errors.Is(err, cacheme.ErrNotPublished) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range k.Nodes() {
		names = append(names, n.Node)
	}
	if err := k.Cache().Close(context.Background()); err != nil {
		t.Error(err)
	}
	return names
}

func TestPublishFollowsWhatIsRegisteredLaterAndComesBackAfterAFlush(t *testing.T) {
	t.Parallel()
	publishing(t, func(t *testing.T, server *embedded.Server, cache *cacheme.Cache) {
		if got := attachedNodes(t, server); !slices.Equal(got, []string{"cacheme_test.SongPage"}) {
			t.Errorf("nodes = %q", got)
		}
		cache.MustRegister(Playlist{}, Likes{})
		time.Sleep(11 * time.Second)
		both := []string{"cacheme_test.Playlist", "cacheme_test.SongPage"}
		if got := attachedNodes(t, server); !slices.Equal(got, both) {
			t.Errorf("nodes = %q after ten seconds, want %q", got, both)
		}
		server.FlushAll()
		if got := attachedNodes(t, server); got != nil {
			t.Errorf("nodes = %q at once after a flush", got)
		}
		time.Sleep(11 * time.Second)
		if got := attachedNodes(t, server); !slices.Equal(got, both) {
			t.Errorf("nodes = %q ten seconds after a flush, want %q", got, both)
		}
	})
}

func TestPublishThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	publishing(t, func(t *testing.T, server *embedded.Server, _ *cacheme.Cache) {
		other, err := cacheme.New(server.Client(), cacheme.Options{})
		if err != nil {
			t.Fatal(err)
		}
		other.MustRegister(Playlist{}, Likes{})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := other.Publish(over); !errors.Is(err, context.Canceled) {
			t.Errorf("Publish() = %v, want %v", err, context.Canceled)
		}
		time.Sleep(11 * time.Second)
		if got := attachedNodes(t, server); !slices.Equal(got, []string{"cacheme_test.Playlist"}) {
			t.Errorf("nodes = %q, want those of the last one that called", got)
		}
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatAProcessPublishedGoesAMinuteAfterIt(t *testing.T) {
	t.Parallel()
	publishing(t, func(t *testing.T, server *embedded.Server, cache *cacheme.Cache) {
		other, err := cacheme.New(server.Client(), cacheme.Options{})
		if err != nil {
			t.Fatal(err)
		}
		fleet := func() int {
			all, err := other.Console().Fleet(t.Context())
			if err != nil {
				t.Error(err)
			}
			return len(all)
		}
		time.Sleep(5 * time.Minute)
		if n := fleet(); n != 1 {
			t.Errorf("%d caches after five minutes, want 1", n)
		}
		if err := cache.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := fleet(); n != 0 {
			t.Errorf("%d caches after it was closed, want 0", n)
		}
		if err := cache.Publish(t.Context()); !errors.Is(err, cacheme.ErrClosed) {
			t.Errorf("Publish() = %v after Close, want ErrClosed", err)
		}
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
