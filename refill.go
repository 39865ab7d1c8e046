package cacheme

import (
	"context"
	"fmt"
	"reflect"

	"github.com/cacheme/cacheme/internal/buntag"
)

// refill is what is to be loaded again once rows of a model are written.
type refill struct {
	name  string
	model *buntag.Model
	nodes func(row any) []Declaration
}

// RefillRows says which nodes the process that writes a row of model M loads again, in the background and once the write
// is committed, so that readers find them: nodes is asked with the row as it was and as it is, and what it names is
// loaded if Redis has an entry of it, fresh or not. A write whose rows are not known refills nothing. An invalid node may
// say the same by a method Refill(row M) []Declaration, which is asked on its zero value.
//
// It is a favour, and changes nothing about what is fresh: readers who come before it load themselves, join it, or get
// the old value as the node's Stale has it. Options.Refill bounds what it costs. The nodes have to be Refillable.
func RefillRows[M any](c *Cache, nodes func(row M) []Declaration) error {
	name := fmt.Sprintf("RefillRows[%v]", reflect.TypeFor[M]())
	switch {
	case c == nil:
		return &UsageError{Node: name, Reason: "has a nil cache; give it what cacheme.New returned"}
	case nodes == nil:
		return &UsageError{Node: name, Reason: "has a nil func; give it one that names what to load again"}
	}
	return c.register(func(next *plans) []error {
		k := compiler{options: &c.options, name: name}
		m := k.model("M", reflect.Zero(reflect.PointerTo(reflect.TypeFor[M]())).Interface())
		if m == nil {
			return k.problems
		}
		next.refills = append(next.refills, refill{name, m, func(row any) []Declaration {
			r, _ := row.(M)
			return nodes(r)
		}})
		return nil
	})
}

// refill takes over an invalid node's Refill.
func (c *compiler) refill(p *invalidPlan, zero Invalid) {
	m := c.method("Refill", []reflect.Type{p.model.Type}, []reflect.Type{reflect.TypeFor[[]Declaration]()})
	if !m.IsValid() {
		return
	}
	p.refill = func(row any) []Declaration {
		out := m.Call([]reflect.Value{reflect.ValueOf(zero), reflect.ValueOf(row)})
		nodes, _ := reflect.TypeAssert[[]Declaration](out[0])
		return nodes
	}
}

// Refillable has the entries of b loaded again by this process when somebody calls Cache.Refill for them: many at once by
// load, or, where that is nil, each by b's own loader. A node that load does not give is not found.
func Refillable[N comparable, V any](b *Bound[N, V], load func(context.Context, []N) (map[N]V, error)) {
	many := batch(b.plan, load)
	if load == nil {
		many = func(ctx context.Context, rs []*request) []loaded {
			out := make([]loaded, len(rs))
			for i, r := range rs {
				n, _ := r.node.(N)
				out[i].value, out[i].err = b.load(ctx, n)
			}
			return out
		}
	}
	b.c.refiller.loaders.Store(b.plan, many)
}

// Refill loads those of the nodes again that Redis has an entry of and that are not fresh, in the background, within
// Options.Refill. It returns at once. What cannot be had within that is left to the next reader, and told as
// EventRefillDropped; an error is a *UsageError for a node that nobody made Refillable.
//
// Whoever watches the writes of a database calls it for what Watched.Refill names, after the COMMIT.
func (c *Cache) Refill(nodes ...Declaration) error {
	rs := make([]*request, 0, len(nodes))
	for _, d := range nodes {
		p, node, err := c.nodeOf(d)
		if err != nil {
			return err
		}
		if _, ok := c.refiller.loaders.Load(p); !ok {
			return &UsageError{Node: p.name, Reason: "has no loader to be refilled by; call cacheme.Refillable with its Bound"}
		}
		r, err := c.newRequest(p, node, nil)
		if err != nil {
			return err
		}
		rs = append(rs, r)
	}
	c.refiller.lane.add(rs...)
	return nil
}
