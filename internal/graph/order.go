package graph

import (
	"cmp"
	"slices"
)

// net is a graph whose arrows lead from each column to the next one: a long arrow goes by way of slots, which take room and show
// nothing.
type net struct {
	columns [][]int  // vertices, from the top
	links   [][2]int // between vertices of neighbouring columns
	before  [][]int  // by vertex: those that lead to it
	behind  [][]int  // ... and those that it leads to
	way     [][]int  // by arrow: the vertices that it goes by, its two boxes included
	place   []int    // by vertex: where in its column
	column  []int    // by vertex
}

func newNet(g *Graph) *net {
	n := &net{columns: make([][]int, len(g.Columns))}
	add := func(column int) int {
		v := len(n.column)
		n.column = append(n.column, column)
		n.columns[column] = append(n.columns[column], v)
		return v
	}
	for _, b := range g.Boxes {
		add(b.Column)
	}
	for _, a := range g.Arrows {
		way := []int{a.From}
		for column := g.Boxes[a.From].Column + 1; column < g.Boxes[a.To].Column; column++ {
			way = append(way, add(column))
		}
		way = append(way, a.To)
		n.way = append(n.way, way)
		for i, v := range way[1:] {
			n.links = append(n.links, [2]int{way[i], v})
		}
	}
	n.before, n.behind = make([][]int, len(n.column)), make([][]int, len(n.column))
	for _, l := range n.links {
		n.behind[l[0]] = append(n.behind[l[0]], l[1])
		n.before[l[1]] = append(n.before[l[1]], l[0])
	}
	n.place = make([]int, len(n.column))
	n.settle(n.columns)
	return n
}

// settle takes over an order of all columns.
func (n *net) settle(columns [][]int) {
	n.columns = columns
	for _, vertices := range columns {
		for i, v := range vertices {
			n.place[v] = i
		}
	}
}

// sweeps is after how many passes over the columns the order does not get any better worth mentioning.
const sweeps = 24

// order puts the vertices of each column into an order in which few links cross: each goes to the mean place of its
// neighbours, from the left and from the right in turn, and the best order that was met is kept. Then neighbours are swapped as long
// as that helps.
func (n *net) order() {
	best, least := n.copied(), n.crossings()
	for sweep := range sweeps {
		if least == 0 {
			break
		}
		for i := range n.columns {
			c, neighbours := i, n.before
			if sweep%2 == 1 {
				c, neighbours = len(n.columns)-1-i, n.behind
			}
			n.sort(c, neighbours)
		}
		if crossings := n.crossings(); crossings < least {
			best, least = n.copied(), crossings
		}
	}
	n.settle(best)
	n.swap(least)
}

func (n *net) copied() [][]int {
	columns := make([][]int, len(n.columns))
	for i, vertices := range n.columns {
		columns[i] = slices.Clone(vertices)
	}
	return columns
}

// sort puts a column into the order of the mean places of its vertices' neighbours. One without neighbours stays where it
// is.
func (n *net) sort(column int, neighbours [][]int) {
	mean := func(v int) float64 {
		if len(neighbours[v]) == 0 {
			return float64(n.place[v])
		}
		sum := 0
		for _, u := range neighbours[v] {
			sum += n.place[u]
		}
		return float64(sum) / float64(len(neighbours[v]))
	}
	vertices := n.columns[column]
	slices.SortStableFunc(vertices, func(a, b int) int { return cmp.Compare(mean(a), mean(b)) })
	for i, v := range vertices {
		n.place[v] = i
	}
}

// maxSwapped is up to how many links neighbours are swapped: each try counts the crossings anew.
const maxSwapped = 600

func (n *net) swap(least int) {
	if len(n.links) > maxSwapped {
		return
	}
	for better := true; better && least > 0; {
		better = false
		for _, vertices := range n.columns {
			for i := range len(vertices) - 1 {
				n.exchange(vertices, i)
				if crossings := n.crossings(); crossings < least {
					least, better = crossings, true
				} else {
					n.exchange(vertices, i)
				}
			}
		}
	}
}

func (n *net) exchange(vertices []int, i int) {
	vertices[i], vertices[i+1] = vertices[i+1], vertices[i]
	n.place[vertices[i]], n.place[vertices[i+1]] = i, i+1
}

// crossings counts the pairs of links that cross: those between the same two columns that are in one order on the left and in the
// other on the right.
func (n *net) crossings() (crossings int) {
	links := slices.Clone(n.links)
	slices.SortFunc(links, func(a, b [2]int) int {
		return cmp.Or(cmp.Compare(n.column[a[0]], n.column[b[0]]), cmp.Compare(n.place[a[0]], n.place[b[0]]), cmp.Compare(n.place[a[1]], n.place[b[1]]))
	})
	for len(links) > 0 {
		column := n.column[links[0][0]]
		end := slices.IndexFunc(links, func(l [2]int) bool { return n.column[l[0]] != column })
		if end < 0 {
			end = len(links)
		}
		crossings += n.inversions(links[:end], len(n.columns[column+1]))
		links = links[end:]
	}
	return crossings
}

// inversions counts the pairs of links, sorted by where they begin, of which the earlier one ends lower.
func (n *net) inversions(links [][2]int, places int) (inversions int) {
	tree := make([]int, places+1) // a Fenwick tree: how many of those before end at a place or above it
	for i, l := range links {
		place := n.place[l[1]] + 1
		inversions += i
		for at := place; at > 0; at -= at & -at {
			inversions -= tree[at]
		}
		for at := place; at <= places; at += at & -at {
			tree[at]++
		}
	}
	return inversions
}
