package cachetest

import (
	"math/rand/v2"
)

// dice draws who goes next from a seed. Some schedules change over at every step, some seldom, and some go by
// priorities that change now and then, so that one may be starved for long: what is found differs.
type dice struct {
	random *rand.Rand
	stay   float64        // the chance that the last one goes on
	ranks  map[string]int // by actor; nil: no priorities
}

// stays are the chances that a schedule is drawn with.
var stays = [...]float64{0, 0.5, 0.8}

// demotion is the chance that the one with the highest priority loses it.
const demotion = 0.15

func newDice(seed uint64) *dice {
	d := &dice{random: rand.New(rand.NewPCG(seed, 0))}
	if i := d.random.IntN(2 * len(stays)); i < len(stays) {
		d.stay = stays[i]
	} else {
		d.ranks = map[string]int{}
	}
	return d
}

func (d *dice) next(stops []*stop, last string) int {
	if d.ranks != nil {
		return d.first(stops)
	}
	if i := of(stops, last); i >= 0 && d.random.Float64() < d.stay {
		return i
	}
	return d.random.IntN(len(stops))
}

// first is the one with the highest priority, who may lose it.
func (d *dice) first(stops []*stop) int {
	for _, s := range stops {
		if _, known := d.ranks[s.who]; !known {
			d.ranks[s.who] = d.random.IntN(1 << 20)
		}
	}
	best := 0
	for i, s := range stops {
		if d.ranks[s.who] > d.ranks[stops[best].who] {
			best = i
		}
	}
	if d.random.Float64() < demotion {
		d.ranks[stops[best].who] = -d.random.IntN(1 << 20)
	}
	return best
}

// of returns the first stop of an actor, or -1.
func of(stops []*stop, who string) int {
	for i, s := range stops {
		if s.who == who {
			return i
		}
	}
	return -1
}

// block is how many steps an actor makes before somebody else does.
type block struct {
	who   string
	steps int
}

// blocksOf is a schedule as it was.
func blocksOf(trace []*step) []block {
	var all []block
	for _, s := range trace {
		if n := len(all); n > 0 && all[n-1].who == s.who {
			all[n-1].steps++
			continue
		}
		all = append(all, block{s.who, 1})
	}
	return all
}

// replay goes by blocks as far as those whom they name can go. Behind them the last one goes on while he can.
type replay struct{ blocks []block }

func (r *replay) next(stops []*stop, last string) int {
	for len(r.blocks) > 0 {
		b := &r.blocks[0]
		if i := of(stops, b.who); i >= 0 && b.steps > 0 {
			b.steps--
			return i
		}
		r.blocks = r.blocks[1:]
	}
	return max(0, of(stops, last))
}
