package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "nowhere:1"})
	s := store.New(rdb, store.Options{Prefix: "CM:", Hold: time.Second})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = rdb.Close()
	})

	t.Run("they_have_their_documented_form", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct{ got, want string }{
			{s.EntryKey("book:7", ""), "CM:{book:7}"},
			{s.EntryKey("book:7", ">owner"), "CM:{book:7}>>owner"},
			{s.EntryKey("book:7", "owner"), "CM:{book:7}>owner"},
			{store.LeaseKey(s.EntryKey("book:7", "")), "CM:{book:7}:lease"},
			{store.LeaseKey(s.EntryKey("book:7", "owner")), "CM:{book:7}>owner:lease"},
			{s.TokenKey("row:book:7"), "CM:row:book:7:invalid"},
		} {
			if c.got != c.want {
				t.Errorf("key %q, want %q", c.got, c.want)
			}
		}
	})
	t.Run("DisplayKey_knows_entries_from_everything_else", func(t *testing.T) {
		t.Parallel()
		for key, want := range map[string]string{
			s.EntryKey("book:7", ""):                      "book:7",
			s.EntryKey("book:7", "owner"):                 "book:7>owner",
			s.EntryKey("", ""):                            "",
			store.LeaseKey(s.EntryKey("book:7", "")):      "none",
			store.LeaseKey(s.EntryKey("book:7", "owner")): "none",
			s.TokenKey("row:book:7"):                      "none",
			"CM:meta:watch":                               "none",
			"CM:wake":                                     "none",
			"CM:{book:7":                                  "none",
			"other:{book:7}":                              "none",
			"CM:":                                         "none",
			"":                                            "none",
		} {
			got, ok := s.DisplayKey(key)
			if !ok {
				got = "none"
			}
			if got != want {
				t.Errorf("DisplayKey(%q) = %q, want %q", key, got, want)
			}
		}
	})
	t.Run("owners_are_never_the_same", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for range 10_000 {
			seen[store.NewOwner()] = true
		}
		if len(seen) != 10_000 {
			t.Errorf("10000 owners have %d names", len(seen))
		}
	})
}
