package cacheme

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// registry holds the plans of a cache's declarations. Lookups take one atomic load; a registration makes a new table.
type registry struct {
	mu    sync.Mutex // one registration at a time
	table atomic.Pointer[plans]
}

// plans are what the declarations were compiled to. A table is never changed.
type plans struct {
	nodes    map[reflect.Type]*nodePlan
	invalids map[reflect.Type]*invalidPlan
	columns  map[columnsKey]*invalidPlan
	memos    []*nodePlan
	others   []*invalidPlan // of Attach: those of another program, that have no Go type here
	refills  []refill
	tables   map[string][]*invalidPlan // those of invalids and columns that have a model, by its table
	known    map[*invalidPlan]bool     // all invalid nodes: each Get asks for those that are named by Columns
	watched  []Watched
}

// all lists the plans of nodes and memos.
func (p *plans) all() []*nodePlan {
	return slices.AppendSeq(slices.Clone(p.memos), maps.Values(p.nodes))
}

// making finds the node that makes such a key, and what is in the key's holes; nil: none does.
func (p *plans) making(key string) (*nodePlan, []string) {
	main, field, _ := strings.Cut(key, ">")
	for _, n := range p.memos {
		if values, ok := n.makes(main, field); ok {
			return n, values
		}
	}
	for _, n := range p.nodes {
		if values, ok := n.makes(main, field); ok {
			return n, values
		}
	}
	return nil, nil
}

func (p *nodePlan) makes(main, field string) (values []string, ok bool) {
	if p.field != field {
		return nil, false
	}
	return p.key.Match(main)
}

// invalidPlans gives the plans of invalid nodes.
func (p *plans) invalidPlans() iter.Seq[*invalidPlan] {
	return func(yield func(*invalidPlan) bool) {
		for _, i := range p.invalids {
			if !yield(i) {
				return
			}
		}
		for _, i := range p.columns {
			if !yield(i) {
				return
			}
		}
		for _, i := range p.others {
			if !yield(i) {
				return
			}
		}
	}
}

func (p *plans) clone() *plans {
	return &plans{nodes: maps.Clone(p.nodes), invalids: maps.Clone(p.invalids), columns: maps.Clone(p.columns), memos: slices.Clone(p.memos), others: slices.Clone(p.others), refills: slices.Clone(p.refills)}
}

func newRegistry() *registry {
	r := &registry{}
	r.table.Store(&plans{nodes: map[reflect.Type]*nodePlan{}, invalids: map[reflect.Type]*invalidPlan{}, columns: map[columnsKey]*invalidPlan{}})
	return r
}

// Register declares nodes and invalid nodes, given as zero values: Register(Shelf{}, BookChanged{}). All that is wrong
// with them is returned at once, as *DeclarationError joined by errors.Join; then none of them is registered. What a
// node's InvalidNodes return has to be registered too, and may be in a later call. Registering a type again is fine.
func (c *Cache) Register(declarations ...Declaration) error {
	return c.register(func(next *plans) (problems []error) {
		for _, d := range declarations {
			problems = append(problems, next.add(d, &c.options)...)
		}
		return problems
	})
}

// register changes the plans, unless that brings problems.
func (c *Cache) register(change func(next *plans) (problems []error)) error {
	r := c.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.table.Load()
	next := was.clone()
	problems := append(change(next), next.overlaps(was)...)
	if problems != nil {
		return errors.Join(problems...)
	}
	next.index()
	next.watched = next.watch()
	r.table.Store(next)
	for _, p := range next.all() {
		c.own.outlive(max(p.policy.stale, p.policy.staleIfError, c.options.LoadTimeout))
	}
	return nil
}

// index sets known, and tables: the nodes of each by name, so that a write asks for the same keys in the same order each time.
func (p *plans) index() {
	p.tables, p.known = map[string][]*invalidPlan{}, map[*invalidPlan]bool{}
	for i := range p.invalidPlans() {
		p.known[i] = true
		if i.table != "" {
			p.tables[i.table] = append(p.tables[i.table], i)
		}
	}
	for _, nodes := range p.tables {
		slices.SortFunc(nodes, func(a, b *invalidPlan) int { return strings.Compare(a.name, b.name) })
	}
}

// MustRegister is Register for declarations that are known to be right: it panics with what Register would return.
func (c *Cache) MustRegister(declarations ...Declaration) {
	if err := c.Register(declarations...); err != nil {
		panic(err)
	}
}

const notYours = "is no declaration of yours; Class, Table, Main, Tag, Row, Having, By, Named, and what Columns and Bound make, need no registration"

// add compiles one declaration.
func (p *plans) add(d Declaration, o *Options) []error {
	t := reflect.TypeOf(d)
	switch d := d.(type) {
	case *writtenRow:
		return []error{&DeclarationError{Node: "cacheme.Row", Reason: notYours}}
	case *writtenHaving:
		return []error{&DeclarationError{Node: "cacheme.Having", Reason: notYours}}
	case *byWrite:
		return []error{&DeclarationError{Node: "cacheme.By", Reason: notYours}}
	case *namedDependencies:
		return []error{&DeclarationError{Node: "cacheme.Named", Reason: notYours}}
	case *columnsNode:
		return []error{&DeclarationError{Node: d.plan.name, Reason: notYours}}
	case boundNode:
		return []error{&DeclarationError{Node: d.plan.name, Reason: notYours}}
	}
	if t == nil {
		return []error{&DeclarationError{Node: "nil", Reason: "is no declaration; give Register zero values such as Shelf{}"}}
	}
	c := compiler{options: o, name: t.String(), typ: t}
	if t.Kind() == reflect.Pointer {
		c.wrong("", fmt.Sprintf("is a pointer; give Register the value: %s{}", t.Elem().String()))
		return c.problems
	}
	if t.Kind() != reflect.Struct {
		c.wrong("", "is not a struct; declare nodes as structs that embed cacheme.Node")
		return c.problems
	}
	if c.inheritsMeta() {
		c.wrong("Meta", "is inherited from an embedded struct, whose key it would share; write a Meta method for this type itself")
		return c.problems
	}
	if p.nodes[t] != nil || p.invalids[t] != nil {
		return nil
	}
	switch d := d.(type) {
	case reference:
		c.wrong("", notYours)
	case carrier:
		if plan := c.node(d); c.problems == nil {
			p.nodes[t] = plan
		}
	case Invalid:
		if plan := c.invalid(d); c.problems == nil {
			p.invalids[t] = plan
		}
	default:
		c.wrong("", "embeds neither cacheme.Node, cacheme.InvalidNode nor cacheme.ModelInvalidNode; embed the one that you mean")
	}
	return c.problems
}

// keyMaker is a declaration that makes keys.
type keyMaker struct {
	space string // keys of different spaces never meet
	name  string
	tmpl  *keytmpl.Template
	fresh bool // was is without it
}

// keyMakers lists those of p, the fresh ones first.
func (p *plans) keyMakers(was *plans) (all []keyMaker, fresh int) {
	all = make([]keyMaker, 0, len(p.memos)+len(p.nodes)+len(p.invalids))
	for i, m := range p.memos {
		all = append(all, keyMaker{"entry>" + m.field, m.name, m.key.Template, i >= len(was.memos)})
	}
	for t, n := range p.nodes {
		all = append(all, keyMaker{"entry>" + n.field, n.name, n.key.Template, was.nodes[t] == nil})
	}
	for t, i := range p.invalids {
		if i.key.Template != nil {
			all = append(all, keyMaker{string(i.kind), i.name, i.key.Template, was.invalids[t] == nil})
		}
	}
	for i := range all {
		if all[i].fresh {
			all[fresh], all[i] = all[i], all[fresh]
			fresh++
		}
	}
	return all, fresh
}

// overlaps looks for two declarations that can make the same key, one of which was is without: the others were compared when
// they were registered, and comparing all of them again would make thousands of memos a matter of hours.
func (p *plans) overlaps(was *plans) (problems []error) {
	type pair struct {
		a, b    keyMaker
		example string
	}
	var found []pair
	all, fresh := p.keyMakers(was)
	for i, a := range all[:fresh] {
		for _, b := range all[i+1:] {
			if a.space != b.space {
				continue
			}
			if example, overlaps := keytmpl.Overlap(a.tmpl, b.tmpl); overlaps {
				if a.name < b.name {
					found = append(found, pair{a, b, example})
				} else {
					found = append(found, pair{b, a, example})
				}
			}
		}
	}
	slices.SortFunc(found, func(l, r pair) int {
		return cmp.Or(strings.Compare(l.a.name, r.a.name), strings.Compare(l.b.name, r.b.name))
	})
	for _, f := range found {
		problems = append(problems, &DeclarationError{Node: f.b.name, Field: "Key", Reason: fmt.Sprintf(
			"%q can make the same key as %s, %q: for example %q; begin one of them differently", f.b.tmpl, f.a.name, f.a.tmpl, f.example)})
	}
	return problems
}

// compiler turns one declaration into a plan and collects what is wrong with it.
type compiler struct {
	options  *Options
	typ      reflect.Type
	name     string
	problems []error
}

func (c *compiler) wrong(field, reason string) {
	c.problems = append(c.problems, &DeclarationError{Node: c.name, Field: field, Reason: reason})
}

// inheritsMeta reports whether the type's Meta was written for a struct that it embeds: the compiler makes such a
// method itself, and says so by its file name.
func (c *compiler) inheritsMeta() bool {
	m, ok := c.typ.MethodByName("Meta")
	if !ok {
		return false
	}
	file, _ := runtime.FuncForPC(m.Func.Pointer()).FileLine(m.Func.Pointer())
	return file == "<autogenerated>"
}

// template parses a key and matches its holes with the fields, one to one.
func (c *compiler) template(text string, fields []fieldPlan) template {
	t, err := keytmpl.Parse(text)
	if err != nil {
		c.wrong("Key", strings.TrimPrefix(err.Error(), "keytmpl: "))
		return template{}
	}
	var inOrder []fieldPlan
	used := map[string]bool{}
	for _, hole := range t.Holes() {
		found := false
		for _, f := range fields {
			if f.name == hole {
				inOrder, found, used[hole] = append(inOrder, f), true, true
			}
		}
		if !found {
			c.wrong("Key", fmt.Sprintf("%q has the hole <%s> and no field for it; add a field tagged `cacheme:\"field,name=%s\"` or take the hole out", text, hole, hole))
		}
	}
	for _, f := range fields {
		if !used[f.name] {
			c.wrong(f.goName, fmt.Sprintf("has no hole in the key %q, so that values with different %s would share it; add <%s>", text, f.goName, f.name))
		}
	}
	return newTemplate(t, inOrder)
}

// typeOf is the declared type behind a type parameter: the one a pointer points to, so that errors can name it.
func typeOf[N any]() reflect.Type {
	t := reflect.TypeFor[N]()
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// className names a node type so that two packages with the same last name stay apart.
func className(t reflect.Type) string {
	return t.PkgPath() + "." + t.Name()
}

// nodePlan returns the plan of a node type.
func (c *Cache) nodePlan(t reflect.Type) (*nodePlan, error) {
	if p, ok := c.registry.table.Load().nodes[t]; ok {
		return p, nil
	}
	return nil, notRegistered(t)
}

func notRegistered(t reflect.Type) error {
	name := t.String()
	if t.Kind() == reflect.Pointer {
		return &UsageError{Node: name, Reason: fmt.Sprintf("is a pointer; write the value %s{...}", t.Elem().String())}
	}
	return &UsageError{Node: name, Reason: fmt.Sprintf("is not registered with this cache; call Register(%s{}) at start-up", name)}
}

// keyText is the node's template, with >field where it has one.
func (p *nodePlan) keyText() string {
	if p.field == "" {
		return p.key.String()
	}
	return p.key.String() + ">" + p.field
}
