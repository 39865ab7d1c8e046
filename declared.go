package cacheme

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// declaredTemplates finds what entries of a node depend on by declaration, with the node's fields in <>, by asking two nodes
// whose fields are told apart from anything else. opaque: they do not answer alike, or cannot be made.
func (c *Cache) declaredTemplates(p *nodePlan) (templates []string, opaque bool) {
	if !p.keyed {
		return nil, true
	}
	one, ok := c.declaredBy(p, 1)
	other, both := c.declaredBy(p, 2)
	if !ok || !both || !slices.Equal(one, other) {
		return nil, true
	}
	return one, false
}

func (c *Cache) declaredBy(p *nodePlan, n int) (names []string, ok bool) {
	defer func() {
		if recover() != nil { // the node's methods may not be made for what is made up
			names, ok = nil, false
		}
	}()
	node := reflect.New(p.typ).Elem()
	var marks [][2]string // a field's text, and the field in <>
	for i := range p.key.fields {
		f := &p.key.fields[i]
		f.mark(node, n, i)
		text, err := f.append(nil, node)
		if err != nil {
			return nil, false
		}
		marks = append(marks, [2]string{string(text), "<" + f.name + ">"})
	}
	r, err := c.newRequest(p, node.Interface(), nil)
	if err != nil {
		return nil, false
	}
	slices.SortStableFunc(marks, func(a, b [2]string) int { return cmp.Compare(len(b[0]), len(a[0])) })
	var pairs []string
	for _, m := range marks {
		pairs = append(pairs, m[0], m[1])
	}
	marked := strings.NewReplacer(pairs...)
	for _, name := range c.names(r.keys) {
		names = append(names, marked.Replace(name))
	}
	return names, true
}

// mark sets a field to something that stands nowhere else, as far as its type has that.
func (f *fieldPlan) mark(declaration reflect.Value, n, i int) {
	for _, text := range []string{
		fmt.Sprintf("marked.%d.%d", n, i),
		fmt.Sprint(7_370_000 + 1000*n + i),
		fmt.Sprintf("7370000%d-0000-4000-8000-%012d", n, i),
		fmt.Sprint(50 + 30*(n-1) + i),
	} {
		if f.typ.Kind() != reflect.Bool && f.assignText(declaration, text) {
			return
		}
	}
	fillIn(declaration.Field(f.index), n+i, 0)
}
