package difference_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/difference"
)

type book struct {
	Title   string
	Prices  map[string]float64
	Tags    []string
	Author  *author
	Printed time.Time
	secret  int
	any     any
}

type author struct {
	Name  string
	Books []*book
}

// cents are equal without regard to their sign.
type cents int

func (c cents) Equal(d cents) bool { return c == d || c == -d }

func TestFirst(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	one := 1
	for _, c := range []struct {
		name string
		a, b any
		want string
	}{
		{"equal structs", book{Title: "x", Tags: []string{"a"}}, book{Title: "x", Tags: []string{"a"}}, ""},
		{"a string", book{Title: "x"}, book{Title: "y"}, ".Title differs (string)"},
		{"deep inside", []book{{}, {Author: &author{Name: "Ada"}}}, []book{{}, {Author: &author{Name: "Bea"}}}, "[1].Author.Name differs (string)"},
		{"a longer list", book{Tags: []string{"a"}}, book{Tags: []string{"a", "b"}}, ".Tags has another length ([]string)"},
		{"a list that differs before its end", []int{1, 2}, []int{3}, "[0] differs (int)"},
		{"arrays", [2]int{1, 2}, [2]int{1, 3}, "[1] differs (int)"},
		{"nil and empty lists", book{Tags: []string{}}, book{}, ""},
		{"nil and empty maps", book{Prices: map[string]float64{}}, book{}, ""},
		{"a map's value", book{Prices: map[string]float64{"secret": 1}}, book{Prices: map[string]float64{"secret": 2}}, ".Prices[…] differs (float64)"},
		{"a map's key", map[string]int{"secret": 1}, map[string]int{"other": 1}, "the value has another key (map[string]int)"},
		{"a map's size", map[string]int{"secret": 1}, map[string]int{}, "the value has another length (map[string]int)"},
		{"NaN", math.NaN(), math.NaN(), ""},
		{"NaN as a key", map[float64]int{math.NaN(): 1}, map[float64]int{math.NaN(): 1}, ""},
		{"complex NaN", complex(math.NaN(), 1), complex(math.NaN(), 1), ""},
		{"complex", complex(1, 1), complex(1, 2), "the value differs (complex128)"},
		{"pointers as keys", map[*int]int{&one: 1}, map[*int]int{new(int): 1}, ""},
		{"one instant in two zones", noon, noon.In(time.FixedZone("x", 3600)), ""},
		{"two instants", book{Printed: noon}, book{Printed: noon.Add(1)}, ".Printed differs (time.Time)"},
		{"an unexported field", book{secret: 1}, book{secret: 2}, ".secret differs (int)"},
		{"unexported interfaces", book{any: 1}, book{any: 1}, ""},
		{"unexported interfaces that differ", book{any: 1}, book{any: "1"}, ".any is of two types (int and string)"},
		{"its own idea of equal", cents(5), cents(-5), ""},
		{"its own idea of different", cents(5), cents(6), "the value differs (difference_test.cents)"},
		{"nil pointers", (*book)(nil), (*book)(nil), ""},
		{"one nil pointer", &book{}, (*book)(nil), "the value is nil in one of them"},
		{"nil", nil, nil, ""},
		{"one nil", nil, 1, "the value is nil in one of them"},
		{"functions", func() {}, func() {}, ""},
		{"bools", true, false, "the value differs (bool)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := difference.First(c.a, c.b); got != c.want {
				t.Errorf("First = %q, want %q", got, c.want)
			}
			if got := difference.First(c.b, c.a); (got == "") != (c.want == "") {
				t.Errorf("First the other way round = %q, want %q", got, c.want)
			}
		})
	}
}

func TestFirst_ends_in_values_that_contain_themselves(t *testing.T) {
	t.Parallel()
	round := func(name string) *author {
		a := &author{Name: name}
		a.Books = []*book{{Title: "x", Author: a}}
		return a
	}
	if got := difference.First(round("Ada"), round("Ada")); got != "" {
		t.Errorf("First = %q, want none", got)
	}
	if got := difference.First(round("Ada"), round("Bea")); got != ".Name differs (string)" {
		t.Errorf("First = %q, want the name", got)
	}
}

func FuzzFirst_tells_no_value(f *testing.F) {
	f.Add("alice", "bob")
	f.Fuzz(func(t *testing.T, x, y string) {
		at := func(s string) map[string][]book { return map[string][]book{"k" + x: {{Title: "x"}, {Title: s}}} }
		got := difference.First(at(x), at(y))
		switch {
		case x == y && got != "":
			t.Errorf("First of equal values = %q", got)
		case x != y && got != "[…][1].Title differs (string)":
			t.Errorf("First = %q, want the path alone", got)
		case strings.Contains(got, "k"+x):
			t.Errorf("First tells a key: %q", got)
		}
	})
}
