package cachetest

import (
	"fmt"
	"maps"
	"slices"
)

// shrinks bounds how many schedules are tried to shorten one.
const shrinks = 150

// shrink looks for a shorter schedule that fails as well: with fewer actors, fewer steps, fewer changes between them. It
// takes whatever is shorter and looks on from there, until nothing is.
func shrink(w *World, play func(policy, map[string]bool) *World) *World {
	tried := map[string]bool{}
	for tries := 0; ; {
		better := false
		for _, c := range candidates(w) {
			name := fmt.Sprint(c.blocks, c.without)
			if tried[name] {
				continue
			}
			if tries++; tries > shrinks {
				return w
			}
			tried[name] = true
			shorter := play(&replay{slices.Clone(c.blocks)}, c.without)
			if shorter.failures != nil && slices.Compare(shorter.length(), w.length()) < 0 {
				w, better = shorter, true
				break
			}
		}
		if !better {
			return w
		}
	}
}

// length is what makes one schedule harder to read than another, the most important first.
func (w *World) length() []int {
	return []int{len(w.lines()), len(blocksOf(w.trace)), len(w.actors), len(w.trace)}
}

// candidate is a schedule that may fail, and would be shorter.
type candidate struct {
	blocks  []block
	without map[string]bool
}

func candidates(w *World) []candidate {
	var all []candidate
	blocks := blocksOf(w.trace)
	for _, a := range w.actors {
		without := map[string]bool{a.name: true}
		maps.Copy(without, w.without)
		rest := slices.DeleteFunc(slices.Clone(blocks), func(b block) bool { return b.who == a.name })
		all = append(all, candidate{rest, without})
	}
	add := func(changed []block) { all = append(all, candidate{changed, w.without}) }
	for i := range blocks {
		add(blocks[:i])
	}
	for i, b := range blocks {
		later := slices.IndexFunc(blocks[i+1:], func(o block) bool { return o.who == b.who })
		if later >= 0 {
			add(moved(blocks, i, i+1+later, b.steps))
			add(moved(blocks, i+1+later, i, blocks[i+1+later].steps))
			add(moved(blocks, i, i+1+later, 1))
			add(moved(blocks, i+1+later, i, 1))
		}
	}
	return all
}

// moved has n steps of one block in another of the same actor.
func moved(blocks []block, from, to, n int) []block {
	out := slices.Clone(blocks)
	out[from].steps -= n
	out[to].steps += n
	return slices.DeleteFunc(out, func(b block) bool { return b.steps <= 0 })
}
