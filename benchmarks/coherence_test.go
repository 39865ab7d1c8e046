package main

import "testing"

// TestCoherence_sees_what_is_kept holds that the harness would see an old answer: of a reader that gives them, and only of that.
func TestCoherence_sees_what_is_kept(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	for _, w := range watchers() {
		o, err := watched(t.Context(), tiny(), w, fault{})
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if o.reads < int64(tiny().fleetReads) || o.writes == 0 || len(o.ages) != int(o.writes)*tiny().fleet {
			t.Errorf("%s: %d reads, %d writes and %d figures, want %d for each write", w.name, o.reads, o.writes, len(o.ages), tiny().fleet)
		}
		switch longest := o.longest(); {
		case w.keep > 0 && longest < float64(w.keep.Milliseconds())/2:
			t.Errorf("%s: the longest that an answer was old is %.3f ms, want about %v", w.name, longest, w.keep)
		case w.keep == 0 && longest > float64(w.bound.Milliseconds()):
			t.Errorf("%s: an answer was old for %.3f ms, want %v at most", w.name, longest, w.bound)
		}
	}
}
