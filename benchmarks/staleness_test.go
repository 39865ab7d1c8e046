package main

import (
	"slices"
	"testing"
)

func TestStaleness_is_the_age_of_the_last_older_answer(t *testing.T) {
	t.Parallel()
	const ms = 1_000_000
	for _, c := range []struct {
		name   string
		writes []written
		seen   []seen
		want   []float64
	}{
		{"nobody has read", []written{{7, 1, 10 * ms}}, nil, []float64{0}},
		{"a Get called before the return may be old", []written{{7, 1, 10 * ms}}, []seen{{0, 10 * ms}, {1, 11 * ms}}, []float64{0}},
		{"a Get called later may not", []written{{7, 1, 10 * ms}}, []seen{{0, 13 * ms}, {1, 20 * ms}}, []float64{3}},
		{"an answer that comes again counts", []written{{7, 1, 10 * ms}}, []seen{{0, 9 * ms}, {1, 12 * ms}, {0, 15 * ms}}, []float64{5}},
		{"an older answer is too old for both writes", []written{{7, 1, 10 * ms}, {7, 2, 20 * ms}}, []seen{{0, 25 * ms}}, []float64{15, 5}},
		{"what is newer than the write is not old", []written{{7, 1, 10 * ms}}, []seen{{3, 50 * ms}}, []float64{0}},
		{"an undelivered write promises nothing", []written{{7, 1, 0}, {7, 2, 20 * ms}}, []seen{{0, 15 * ms}, {1, 22 * ms}}, []float64{2}},
		{"keys are apart", []written{{8, 5, 10 * ms}}, []seen{{0, 90 * ms}}, []float64{0}},
	} {
		if got := staleness(c.writes, []sightings{{7: c.seen}}); !slices.Equal(got, c.want) {
			t.Errorf("%s: staleness() = %v ms, want %v", c.name, got, c.want)
		}
	}
}

func TestSightings_keep_the_last_of_each_run(t *testing.T) {
	t.Parallel()
	s := sightings{}
	for _, at := range []int64{5, 9, 7} {
		s.note(1, 3, at)
	}
	s.note(1, 4, 10)
	s.note(1, 3, 11)
	if want := []seen{{3, 9}, {4, 10}, {3, 11}}; !slices.Equal(s[1], want) {
		t.Errorf("sightings = %v, want %v", s[1], want)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	all := []float64{5, 1, 4, 2, 3, 6, 7, 8, 9, 10}
	for part, want := range map[float64]float64{0: 1, 0.5: 6, 0.99: 10, 1: 10} {
		if got := percentile(all, part); got != want {
			t.Errorf("percentile(%v) = %v, want %v", part, got, want)
		}
	}
	if got := percentile(nil, 0.5); got != 0 {
		t.Errorf("percentile of nothing = %v, want 0", got)
	}
}
