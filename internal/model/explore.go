package model

import (
	"hash/maphash"
	"slices"
)

// Report is what an exploration found.
type Report struct {
	Worlds  int // different ones
	Stories map[Promise]Story
}

// News are the promises broken though the scenario does not know of it, and those that it says are broken and are not.
func (r Report) News(sc Scenario) []Promise {
	var news []Promise
	for p := Kept + 1; p < promiseCount; p++ {
		if _, broken := r.Stories[p]; broken != slices.Contains(sc.Known, p) {
			news = append(news, p)
		}
	}
	return news
}

// Explore visits every world of the scenario that can be reached with the given rules off, and tells a shortest story for each promise
// that breaks. What follows a broken promise is not looked at. Worlds are remembered by 64-bit hashes: among 10^7 of
// them the odds that one is overlooked are below 10^-5.
func (sc Scenario) Explore(off ...Rule) Report { return sc.explore(false, off) }

// ExploreToFirst is Explore, but it ends with the first broken promise.
func (sc Scenario) ExploreToFirst(off ...Rule) Report { return sc.explore(true, off) }

func (sc Scenario) explore(toFirst bool, off []Rule) Report {
	p := newPlay(sc, off)
	seed := maphash.MakeSeed()
	root := p.begin()
	report := Report{Stories: map[Promise]Story{}}
	var known visited
	var parent uint64
	level, following := []world{root}, []world(nil)
	known.add(maphash.Comparable(seed, root), 0)
	p.emit = func(w world, _ event) {
		if known.add(maphash.Comparable(seed, w), parent) {
			following = append(following, w)
		}
	}
	for len(level) > 0 {
		for i := range level {
			w := &level[i]
			parent = maphash.Comparable(seed, *w)
			bad := p.broken(w)
			if bad == Kept {
				p.steps(*w)
				continue
			}
			if _, told := report.Stories[bad]; !told {
				report.Stories[bad] = newPlay(sc, off).retell(seed, root, known.path(parent), bad)
			}
			if toFirst {
				report.Worlds = known.n
				return report
			}
		}
		level, following = following, level[:0]
	}
	report.Worlds = known.n
	return report
}

// retell walks the path again, this time with words.
func (p *play) retell(seed maphash.Seed, root world, path []uint64, bad Promise) Story {
	story := Story{Promise: bad, Scenario: p.Name, Cast: p.cast()}
	at := root
	for _, want := range path {
		before, found := at, false
		p.emit = func(w world, e event) {
			if !found && maphash.Comparable(seed, w) == want {
				story.Steps = append(story.Steps, p.tell(&before, &w, e))
				at, found = w, true
			}
		}
		p.steps(before)
	}
	return story
}

// visited remembers hashes of worlds and of the worlds they came from: a plain open table, a third of a map's memory.
type visited struct {
	slots []link
	n     int
}

type link struct{ hash, parent uint64 }

// add reports whether the hash is new. Zero marks an empty slot; a world that hashes to it would be visited again and
// again, which does no harm but in one run of 10^12.
func (v *visited) add(hash, parent uint64) bool {
	if 4*v.n >= 3*len(v.slots) {
		v.grow()
	}
	slot := v.find(hash)
	if slot.hash == hash {
		return false
	}
	*slot = link{hash, parent}
	v.n++
	return true
}

func (v *visited) find(hash uint64) *link {
	mask := uint64(len(v.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &v.slots[i]; s.hash == hash || s.hash == 0 {
			return s
		}
	}
}

func (v *visited) grow() {
	old := v.slots
	v.slots = make([]link, max(1<<12, 2*len(old)))
	for _, l := range old {
		if l.hash != 0 {
			*v.find(l.hash) = l
		}
	}
}

// path leads from the root's first successor to the hash.
func (v *visited) path(hash uint64) []uint64 {
	var path []uint64
	for {
		l := v.find(hash)
		if l.parent == 0 {
			break
		}
		path = append(path, hash)
		hash = l.parent
	}
	slices.Reverse(path)
	return path
}
