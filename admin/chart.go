package admin

import (
	"fmt"
	"strings"
	"time"
)

// chart is the hit rate over time, as a drawing and in numbers.
type chart struct {
	Line        string // the path of the rate, broken where nobody asked
	Bars        []bar  // how much was asked for
	W, H        float64
	From        time.Time
	Lowest, Now string
	Asked       uint64
	Points      []chartPoint // the newest first, for readers without pictures
}

type bar struct{ X, Y, H float64 }

type chartPoint struct {
	At    time.Time
	Reads uint64
	Rate  string
}

// Sizes of a drawing: a point of the rate is chartStep wide.
const (
	chartStep   = 4.0
	chartHeight = 96.0
)

// chart draws the recent past of a node, or of all; nil: nothing is noted yet.
func (h *Handler) chart(node string) *chart {
	times, tallies := h.history.of(node)
	if len(times) < 2 {
		return nil
	}
	c := &chart{W: chartStep * history, H: chartHeight, From: times[0], Lowest: "–", Now: "–"}
	var most uint64 = 1
	for _, t := range tallies {
		most = max(most, t.reads)
	}
	var line strings.Builder
	lowest, pen := 2.0, "M"
	left := c.W - chartStep*float64(len(tallies))
	for i, t := range tallies {
		if t.reads == 0 {
			pen = "M"
			continue
		}
		rate := float64(t.served) / float64(t.reads)
		x := left + chartStep*float64(i)
		fmt.Fprintf(&line, "%s%.1f %.1f", pen, x, chartHeight-2-rate*(chartHeight-4))
		if pen == "M" {
			line.WriteString("h0.1") // a point between two pauses is seen too
		}
		pen = "L"
		height := max(1, float64(t.reads)/float64(most)*chartHeight/3)
		c.Bars = append(c.Bars, bar{X: x - chartStep/2, Y: chartHeight - height, H: height})
		c.Asked += t.reads
		c.Now = percent(t.served, t.reads)
		if rate < lowest {
			lowest, c.Lowest = rate, c.Now
		}
	}
	c.Line = line.String()
	for i := len(times) - 1; i >= max(0, len(times)-20); i-- {
		c.Points = append(c.Points, chartPoint{times[i], tallies[i].reads, percent(tallies[i].served, tallies[i].reads)})
	}
	return c
}
