package suite

import (
	"slices"
	"time"
)

// TrimmedMean is the mean in nanoseconds without the tenth that took longest and the tenth that took shortest, which are
// the machine's. It sorts what it is given.
func TrimmedMean(all []time.Duration) float64 {
	slices.Sort(all)
	kept := all[len(all)/10 : len(all)-len(all)/10]
	var sum time.Duration
	for _, d := range kept {
		sum += d
	}
	return float64(sum.Nanoseconds()) / float64(max(1, len(kept)))
}
