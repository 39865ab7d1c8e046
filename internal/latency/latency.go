// Package latency counts how long things took, in room that does not grow: for the bookstore and the torture run.
package latency

import (
	"math"
	"time"
)

// Counts count durations in steps of a factor of 2^(1/8), so that a run may last as long as it likes. The last step, from a
// quarter of an hour on, is longer than anything that is counted. The zero value has none.
type Counts struct {
	n     int
	steps [40 * perDoubling]int
}

const perDoubling = 8

// Add counts one.
func (c *Counts) Add(d time.Duration) {
	step := int(math.Log2(float64(max(1, d))) * perDoubling)
	c.steps[min(step, len(c.steps)-1)]++
	c.n++
}

// Merge takes over what another one counted.
func (c *Counts) Merge(o *Counts) {
	c.n += o.n
	for i, n := range o.steps {
		c.steps[i] += n
	}
}

// Len is how many there are.
func (c *Counts) Len() int { return c.n }

// Quantile returns the duration that a share q of all stayed below, to one step; 0 if there are none.
func (c *Counts) Quantile(q float64) time.Duration {
	left := int(math.Ceil(q * float64(c.n)))
	for i, n := range c.steps {
		if left -= n; left <= 0 && c.n > 0 {
			return time.Duration(math.Exp2(float64(i+1) / perDoubling)).Round(time.Microsecond)
		}
	}
	return 0
}
