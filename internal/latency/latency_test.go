package latency_test

import (
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/latency"
)

func TestCounts_tell_quantiles_to_a_tenth(t *testing.T) {
	t.Parallel()
	var l, other latency.Counts
	for i := range 99 {
		l.Add(time.Duration(i+1) * time.Millisecond)
	}
	other.Add(time.Hour)
	l.Merge(&other)
	for q, want := range map[float64]time.Duration{.5: 50 * time.Millisecond, .99: 99 * time.Millisecond} {
		if got := l.Quantile(q); got < want || got > want*11/10 {
			t.Errorf("quantile(%v) = %v, want about %v", q, got, want)
		}
	}
	if got := new(latency.Counts).Quantile(.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}
