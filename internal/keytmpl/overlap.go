package keytmpl

import "strings"

// valueExample is the byte that stands for any in an example: it reads well as a number and as a text.
const valueExample = '1'

// Overlap reports whether there is a key that both a and b can render, and gives a shortest such key. It looks at the
// texts alone: holes that could never hold the same value because of their kinds count as if they could.
func Overlap(a, b *Template) (example string, overlaps bool) {
	if !startAlike(a.literals[0], b.literals[0]) {
		return "", false // most of thousands of templates, without building anything
	}
	left, right := a.automaton(), b.automaton()
	width := len(right)
	// A pair of states is left*width+right. Breadth first, so the first way to the last pair is a shortest key. A pair
	// is entered once; entered holds the byte and the pair before, for the way back.
	type entry struct {
		before int
		letter byte
		seen   bool
	}
	entered := make([]entry, len(left)*width)
	entered[0].seen = true
	last := len(entered) - 1
	queue := []int{0}
	for ; len(queue) > 0 && !entered[last].seen; queue = queue[1:] {
		pair := queue[0]
		for _, l := range left[pair/width] {
			for _, r := range right[pair%width] {
				to := l.to*width + r.to
				letter, ok := commonLetter(l, r)
				if !ok || entered[to].seen {
					continue
				}
				entered[to] = entry{before: pair, letter: letter, seen: true}
				queue = append(queue, to)
			}
		}
	}
	if !entered[last].seen {
		return "", false
	}
	// No escape is needed to make the example a key: literals have no '%', and any text of plain bytes is a value.
	var backwards []byte
	for pair := last; pair != 0; pair = entered[pair].before {
		backwards = append(backwards, entered[pair].letter)
	}
	key := make([]byte, len(backwards))
	for i, letter := range backwards {
		key[len(key)-1-i] = letter
	}
	return string(key), true
}

// startAlike reports whether a text can begin with both.
func startAlike(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// edge leads from one state of an automaton to another by one byte: any byte of a value, or letter alone.
type edge struct {
	to     int
	value  bool
	letter byte
}

// automaton returns the edges out of each state of an automaton that accepts t's keys from its first state to its last.
// A literal is one state a byte; a hole is one state with an edge to itself, since a value has one byte or more.
func (t *Template) automaton() [][]edge {
	states := make([][]edge, 1, len(t.text)+1)
	step := func(e edge) {
		e.to = len(states)
		states[e.to-1] = append(states[e.to-1], e)
		states = append(states, nil)
	}
	for i, literal := range t.literals {
		if i > 0 {
			step(edge{value: true})
			end := len(states) - 1
			states[end] = append(states[end], edge{to: end, value: true})
		}
		for j := range len(literal) {
			step(edge{letter: literal[j]})
		}
	}
	return states
}

// commonLetter returns a byte that leads along both edges.
func commonLetter(l, r edge) (letter byte, ok bool) {
	switch {
	case l.value && r.value:
		return valueExample, true
	case l.value:
		return r.letter, isValueByte(r.letter)
	case r.value:
		return l.letter, isValueByte(l.letter)
	}
	return l.letter, l.letter == r.letter
}
