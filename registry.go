package cacheme

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sort"
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
	refills  []refill
	tables   map[string][]*invalidPlan // those of invalids and columns that have a model, by its table
	watched  []Watched
}

// all lists the plans of nodes and memos.
func (p *plans) all() []*nodePlan {
	return slices.AppendSeq(slices.Clone(p.memos), maps.Values(p.nodes))
}

func (p *plans) clone() *plans {
	return &plans{nodes: maps.Clone(p.nodes), invalids: maps.Clone(p.invalids), columns: maps.Clone(p.columns), memos: slices.Clone(p.memos), refills: slices.Clone(p.refills)}
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
	next := r.table.Load().clone()
	problems := append(change(next), next.overlaps()...)
	if problems != nil {
		return errors.Join(problems...)
	}
	next.indexTables()
	next.watched = next.watch()
	r.table.Store(next)
	for _, p := range next.all() {
		c.own.outlive(max(p.policy.stale, p.policy.staleIfError, c.options.LoadTimeout))
	}
	return nil
}

// indexTables sets tables, the nodes of each by name, so that a write asks for the same keys in the same order each time.
func (p *plans) indexTables() {
	p.tables = map[string][]*invalidPlan{}
	for _, i := range p.invalids {
		if i.table != "" {
			p.tables[i.table] = append(p.tables[i.table], i)
		}
	}
	for _, i := range p.columns {
		p.tables[i.table] = append(p.tables[i.table], i)
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

const notYours = "is no declaration of yours; Class, Table, Main, Tag, Row, Having, By, and what Columns and Bound make, need no registration"

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

// overlaps looks for two declarations that can make the same key.
func (p *plans) overlaps() (problems []error) {
	type keyed struct {
		space string // keys of different spaces never meet
		name  string
		tmpl  *keytmpl.Template
	}
	var all []keyed
	for _, n := range p.all() {
		all = append(all, keyed{"entry>" + n.field, n.name, n.key.Template})
	}
	for _, i := range p.invalids {
		if i.key.Template != nil {
			all = append(all, keyed{string(i.kind), i.name, i.key.Template})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.space != b.space {
				continue
			}
			if example, overlaps := keytmpl.Overlap(a.tmpl, b.tmpl); overlaps {
				problems = append(problems, &DeclarationError{Node: b.name, Field: "Key", Reason: fmt.Sprintf(
					"%q can make the same key as %s, %q: for example %q; begin one of them differently", b.tmpl, a.name, a.tmpl, example)})
			}
		}
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

// NodeInfo describes a registered node.
type NodeInfo struct {
	Node string // the Go type
	Key  string // the template, with >field where it has one
	Meta Meta   // as declared
}

// Nodes lists the registered nodes, by name.
func (c *Cache) Nodes() []NodeInfo {
	var infos []NodeInfo
	for _, p := range c.registry.table.Load().all() {
		infos = append(infos, NodeInfo{Node: p.name, Key: p.keyText(), Meta: p.meta})
	}
	sort.Slice(infos, func(i, j int) bool { return infos[i].Node < infos[j].Node })
	return infos
}
