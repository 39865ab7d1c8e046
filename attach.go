package cacheme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// ErrNotPublished is in the chain of an error of Attach where no program has published its declarations.
var ErrNotPublished = errors.New("cacheme: no program has called Publish under this prefix in the last day")

// Attach opens the cache of other programs, for a tool that does not have their types: what is declared is what one of them
// has published under o.Prefix, see Publish. Nodes can be listed, explained and made wrong, and not be loaded. What depends
// on the fields of a node in ways of its own is known in its program only (NodeInfo.Opaque). The options count for the rest,
// as New has them. Close it by Console.Cache.
func Attach(ctx context.Context, rdb redis.UniversalClient, o Options) (*Console, error) {
	c, err := New(rdb, o)
	if err != nil {
		return nil, err
	}
	k, err := c.attach(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return k, nil
}

func (c *Cache) attach(ctx context.Context) (*Console, error) {
	b, err := c.store.Declared(ctx, c.options.WriteBudget)
	switch {
	case err != nil:
		return nil, wrap("attach", "declarations", err)
	case b == nil:
		return nil, fmt.Errorf("%w (%q): call Cache.Publish once after Register, or name the prefix that the program has", ErrNotPublished, c.options.Prefix)
	}
	said := published{Graph: &Graph{}}
	if err := json.Unmarshal(b, &said); err != nil || said.Version != publishedVersion {
		return nil, &UsageError{Node: "cacheme.Attach", Reason: fmt.Sprintf("found declarations of version %d and reads %d; use the tool of the version of cacheme that the program has", said.Version, publishedVersion)}
	}
	c.others = &said
	return c.Console(), c.register(func(next *plans) (problems []error) {
		for i := range said.Nodes {
			k := compiler{options: &c.options, name: said.Nodes[i].Name}
			if p := k.publishedNode(&said.Nodes[i]); k.problems == nil {
				next.memos = append(next.memos, p)
			}
			problems = append(problems, k.problems...)
		}
		for _, info := range said.InvalidNodes {
			k := compiler{options: &c.options, name: info.Name}
			if p := k.publishedInvalid(info); k.problems == nil {
				next.others = append(next.others, p)
			}
			problems = append(problems, k.problems...)
		}
		return problems
	})
}

// publishedNode is the plan of a node whose fields are numbers, bools and texts, as they stand in its key.
func (c *compiler) publishedNode(n *publishedNode) *nodePlan {
	typ, fields := c.stands(n.Template, n.Types, false)
	if c.problems != nil {
		return nil
	}
	p := &nodePlan{
		typ: typ, name: n.Name, field: n.Field, class: n.Class, fingerprint: n.Fingerprint, maxValue: n.MaxValue, carrier: Node[struct{}]{},
		policy:  policy{ttl: n.TTL, stale: n.Stale, staleIfError: n.StaleIfError, negative: n.Negative},
		observe: Off, published: n, keyed: !n.Opaque || n.Dependencies != nil,
	}
	p.key = c.template(n.Template, fields)
	p.appendMain = p.appendFields
	return p
}

func (c *compiler) publishedInvalid(info InvalidInfo) *invalidPlan {
	p := &invalidPlan{name: info.Name, kind: kind(info.Kind), table: info.Table, m2m: info.M2M, typ: reflect.TypeFor[struct{}]()}
	if info.Key == "" {
		return p
	}
	var fields []fieldPlan
	if p.typ, fields = c.stands(info.Key, info.Types, info.M2M); c.problems == nil {
		p.key = c.template(info.Key, fields)
	}
	return p
}

// stands is a struct with a field for each hole of a template, which stands for that of a type that only its program has. What
// goes in is unescaped, and comes out as it stood in the key; what the program's type could not be does not go in.
func (c *compiler) stands(template string, types []string, open bool) (reflect.Type, []fieldPlan) {
	t, err := keytmpl.Parse(template)
	if err != nil {
		c.wrong("Key", strings.TrimPrefix(err.Error(), "keytmpl: "))
		return nil, nil
	}
	var shape []reflect.StructField
	for i, hole := range t.Holes() {
		typ := reflect.TypeFor[string]() // also of a program that says no types
		if i < len(types) {
			typ = typeNamed(types[i])
		}
		shape = append(shape, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: typ, Tag: reflect.StructTag(fmt.Sprintf("%s:\"field,name=%s\"", tagKey, hole))})
	}
	typ := reflect.StructOf(shape)
	return typ, parseFields(typ, open, c.wrong)
}
