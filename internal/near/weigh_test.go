package near_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/near"
)

type book struct {
	ID     int64
	Title  string
	Author *author
	Tags   []string
}

type author struct{ Name string }

func TestWeigh(t *testing.T) {
	t.Parallel()
	title := strings.Repeat("x", 40)
	same := &author{title}
	for _, c := range []struct {
		name  string
		value any
		want  uint64
	}{
		{"nothing", nil, 0},
		{"a number", int64(7), 8},
		{"a string", title, 16 + 40},
		{"bytes", make([]byte, 10, 100), 24 + 100},
		{"a list of strings", []string{title, title}, 24 + 2*(16+40)},
		{"a nil pointer", (*author)(nil), 8},
		{"a pointer", &author{title}, 8 + 16 + 40},
		{"a struct", book{Title: title, Author: &author{title}, Tags: []string{title}}, 56 + 40 + 16 + 40 + 16 + 40},
		{"a list of structs", []book{{Title: title}}, 24 + 56 + 40},
		{"an interface", []any{title}, 24 + 16 + 16 + 40},
		{"an array", [2]string{title}, 32 + 40},
		{"times of this process's zone", []time.Time{time.Now(), time.Now()}, 24 + 2*24},
		{"what is shared", []*author{same, same}, 24 + 2*8 + 16 + 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := near.Weigh(c.value); got != c.want {
				t.Errorf("Weigh() = %d, want %d", got, c.want)
			}
		})
	}
	t.Run("a value that points to itself has an end", func(t *testing.T) {
		t.Parallel()
		type ring struct{ next *ring }
		r := &ring{}
		r.next = r
		if got := near.Weigh(r); got == 0 || got > 10_000 {
			t.Errorf("Weigh() = %d", got)
		}
	})
}

// TestWeigh_parents has a tree whose every part points to its parent, as a codec may give it.
func TestWeigh_parents(t *testing.T) {
	t.Parallel()
	type branch struct {
		parent   *branch
		children []*branch
	}
	root := &branch{}
	for range 100 {
		root.children = append(root.children, &branch{parent: root})
	}
	weighed := make(chan uint64, 1)
	go func() { weighed <- near.Weigh(root) }()
	select {
	case got := <-weighed:
		if want := uint64(8 + 32 + 8*cap(root.children) + 100*32); got != want {
			t.Errorf("Weigh() = %d, want %d", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on and on")
	}
}

// weighed is what the near cache keeps in a test.
type weighed struct {
	value any
	key   string
}

// TestWeightIsMemory holds the weights to the memory that is really taken, keys, wires and otter's own part included.
func TestWeightIsMemory(t *testing.T) { //nolint:paralleltest // others would use memory meanwhile
	const size = 4 << 20
	values := map[string]func(i int) any{
		"numbers": func(i int) any { return int64(i) },
		"strings": func(i int) any { return strings.Repeat("x", 200+i%400) },
		"books": func(i int) any {
			return []book{{int64(i), fmt.Sprint("title ", i), &author{fmt.Sprint("author ", i)}, []string{"a", fmt.Sprint(i)}}, {Title: strings.Repeat("t", 100)}}
		},
		"maps": func(i int) any {
			m := map[string]int{}
			for j := range 12 {
				m[fmt.Sprint(i, j)] = j
			}
			return m
		},
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			before := heap()
			c := newTestCache(t, size)
			for i := range 25_000 { // several times what it holds
				v := value(i)
				key := fmt.Sprintf("CM:{%s:%d}", name, i)
				s := c.Stretch([]string{key}, []string{"CM:class:x:invalid", "CM:table:y:invalid", fmt.Sprintf("CM:row:%s:%d:invalid", name, i)})
				c.Keep(key, &near.Value[weighed]{
					What: weighed{v, key}, Until: 1 << 62, Weight: uint32(near.Weigh(v)) + uint32(len(key)) + 16,
				}, s, nil)
				s.Release()
			}
			n, weight := c.Size()
			took := heap() - before
			t.Logf("%d values of weight %d take %d bytes of memory: %.2f of the bound", n, weight, took, float64(took)/size)
			if weight > size+size/20 || weight < size-size/10 {
				t.Errorf("their weights are %d, where %d is the bound", weight, size)
			}
			if share := float64(took) / size; share > 1.05 || share < 0.9 {
				t.Errorf("they take %.2f of the bound", share)
			}
			runtime.KeepAlive(c)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
