package admin

import (
	"slices"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// The tests of this file are inside: what pages write numbers with has no other way in.

func TestWords(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0": grouped(0), "999": grouped(999), "1\u202f234\u202f567": grouped(uint64(1234567)), "−12\u202f345": grouped(-12345),
		"1023 B": sized(1023), "1.0 KiB": sized(1024), "2.5 MiB": sized(int64(5 << 19)),
		"20 ms": spoken(20 * time.Millisecond), "1.5 s": spoken(1500 * time.Millisecond), "42 s": spoken(42 * time.Second), "5 µs": spoken(5 * time.Microsecond),
		"2 min 3 s": spoken(123 * time.Second), "3 d 4 h": spoken(76*time.Hour + time.Minute), "−1 h": spoken(-time.Hour),
		"–": percent(0, 0), "99.9 %": percent(99999, 100000), "100.0 %": percent(5, 5), "33.3 %": percent(1, 3),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTimeline_counts_between_samples_and_stays_small(t *testing.T) {
	t.Parallel()
	l := newTimeline(3)
	at := func(hits uint64) []cacheme.Process {
		return []cacheme.Process{{ID: "a", Nodes: map[string]cacheme.Stats{"n": {Hits: hits, Misses: 1}}}}
	}
	for i, hits := range []uint64{10, 15, 15, 2, 6} { // the fourth is that of a new process under the old name
		l.note(time.Unix(int64(i), 0), at(hits))
	}
	_, tallies := l.of("n")
	if want := []tally{{}, {}, {4, 4}}; !slices.Equal(tallies, want) {
		t.Errorf("the points are %v, want %v", tallies, want)
	}
}

func TestLimiter_forgets_who_has_not_asked_for_long(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLimiter(2, func() time.Time { return now })
	for range 4 {
		if !l.take("ann") {
			t.Fatal("a step within two seconds' worth is refused")
		}
	}
	if l.take("ann") {
		t.Error("a fifth step at once is not refused")
	}
	now = now.Add(500 * time.Millisecond)
	if !l.take("ann") || l.take("ann") {
		t.Error("half a second is worth one step")
	}
	now = now.Add(time.Minute)
	for i := range mostBuckets + 10 {
		l.take(string(rune('A' + i)))
	}
	if n := len(l.buckets); n > mostBuckets {
		t.Errorf("%d names are remembered", n)
	}
}
