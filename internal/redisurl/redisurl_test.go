package redisurl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/redisurl"
)

func TestParse_knows_each_way_to_run_Redis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, name string
		is        func(redis.UniversalClient) bool
	}{
		{"redis://:secret@one:6379/2", "one:6379", is[*redis.Client]},
		{"redis://:secret@s1:26379?master_name=main&addr=s2:26379", "main of the sentinels at s1:26379, s2:26379", is[*redis.Client]},
		{"redis://:secret@n1:6379?addr=n2:6379", "the cluster of n1:6379, n2:6379", is[*redis.ClusterClient]},
	} {
		s, err := redisurl.Parse(c.url, time.Minute)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.url, err)
			continue
		}
		rdb := s.Dial()
		if s.Name != c.name || !c.is(rdb) {
			t.Errorf("Parse(%q) = %q, a %T; want %q", c.url, s.Name, rdb, c.name)
		}
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestParse_waits_as_long_as_it_is_told(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]time.Duration{"redis://one": time.Minute, "redis://one?read_timeout=2s": 2 * time.Second} {
		s, err := redisurl.Parse(url, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		rdb := s.Dial().(*redis.Client)
		if o := rdb.Options(); o.ReadTimeout != want || o.DialTimeout != time.Minute {
			t.Errorf("Parse(%q) waits %v for a reply and %v for a connection, want %v and a minute", url, o.ReadTimeout, o.DialTimeout, want)
		}
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	}
}

func is[C redis.UniversalClient](rdb redis.UniversalClient) bool {
	_, ok := rdb.(C)
	return ok
}

func TestParse_repeats_no_password(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"redis://:secret@one:63a79", "http://:secret@one", "redis://:secret@one:6379?addr=a&x=y", "redis://:secret@one/%zz",
		"redis://:secret@one:6379?master_name=m&db=secretive", "redis://:secret@one\x7f", "://:secret@",
		// What is special in a URL ends a password where nobody meant it to.
		"redis://:sec/ret@one:6379", "redis://:12/secret@one:6379", "redis://:12?secret@one:6379", "redis://:sec#ret@one:6379", "redis://:%secret@one",
		"redis:secret@one:6379", "redis://one:6379?master_name=m&password=12&secret", "redis://user:sec]ret@one:6379",
	} {
		if _, err := redisurl.Parse(text, 0); err == nil || strings.Contains(err.Error(), "sec") || strings.Contains(err.Error(), "ret@") {
			t.Errorf("Parse(%q) = %v, want an error without the URL", text, err)
		}
	}
	// Without a password it is said what is wrong.
	for text, want := range map[string]string{"one:6379": "slashes", "http://one": "scheme", "redis://one:port": "port", "redis://one?databse=2": "databse", "redis:one:6379": "slashes"} {
		if _, err := redisurl.Parse(text, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want one about the %s", text, err, want)
		}
	}
}
