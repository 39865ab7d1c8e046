package cacheme

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// Console is a cache as whoever operates it sees it: by names and keys, where a program has Go types. The admin page and the
// command line are made of it. It is safe for concurrent use, and nothing of it loads a value.
type Console struct{ c *Cache }

// Console shows the cache by names and keys.
func (c *Cache) Console() *Console { return &Console{c} }

// Cache is the cache that is shown, for Invalidate, WouldInvalidate, RemovePattern, Graph, Stats and Doctor.
func (k *Console) Cache() *Cache { return k.c }

// NodeInfo describes a registered node.
type NodeInfo struct {
	Node string `json:"node"` // the Go type, or the name of the Memo
	Key  string `json:"key"`  // the template, with >field where it has one
	Meta Meta   `json:"-"`    // as declared; empty on a Console of Attach

	Fields                             []string      `json:"fields,omitempty"` // those of the key, in order
	TTL, Stale, StaleIfError, Negative time.Duration `json:"-"`                // as they came out with the options
	Near                               bool          `json:"near,omitempty"`
	Auto                               bool          `json:"auto,omitempty"` // Observe: Auto
	// Dependencies are those that the node declares, as kind:key with the node's fields in <>: "row:book:<id>". They are found
	// by asking two made-up nodes. Opaque: the two did not answer alike, or it is a Memo, so that nobody can tell which
	// they are of a key, and they are left out.
	Dependencies []string `json:"dependencies,omitempty"`
	Opaque       bool     `json:"opaque,omitempty"`
	Stats        Stats    `json:"stats"` // of this process
}

// Nodes lists the registered nodes, by name.
func (c *Cache) Nodes() []NodeInfo {
	var infos []NodeInfo
	for _, p := range c.registry.table.Load().all() {
		info := NodeInfo{
			Node: p.name, Key: p.keyText(), Meta: p.meta, Fields: p.key.Holes(),
			TTL: p.policy.ttl, Stale: p.policy.stale, StaleIfError: p.policy.staleIfError, Negative: p.policy.negative,
			Near: p.near != notNear, Auto: p.observe == Auto, Stats: p.counters.stats(),
		}
		if of := p.published; of != nil {
			info.Near, info.Auto, info.Dependencies, info.Opaque = of.Near, of.Auto, of.Dependencies, of.Opaque
		} else {
			info.Dependencies, info.Opaque = c.declaredTemplates(p)
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b NodeInfo) int { return cmp.Compare(a.Node, b.Node) })
	return infos
}

// Nodes lists the registered nodes, by name.
func (k *Console) Nodes() []NodeInfo { return k.c.Nodes() }

// InvalidInfo describes a registered invalid node.
type InvalidInfo struct {
	Name   string   `json:"name"` // the Go type
	Kind   string   `json:"kind"` // row, columns or tag
	Table  string   `json:"table,omitempty"`
	Key    string   `json:"key,omitempty"` // the template; empty: it stands for its table
	Fields []string `json:"fields,omitempty"`
	Types  []string `json:"types,omitempty"` // of Fields: Go's kind of a number or a bool, with * before it for a pointer, and string for all else
	M2M    bool     `json:"m2m,omitempty"`   // a field that is left out is any
}

// InvalidNodes lists the registered invalid nodes, by name.
func (k *Console) InvalidNodes() (all []InvalidInfo) {
	for p := range k.c.registry.table.Load().invalidPlans() {
		info := InvalidInfo{Name: p.name, Kind: string(p.kind), Table: p.table, M2M: p.m2m}
		if p.key.Template != nil {
			info.Key, info.Fields, info.Types = p.key.String(), p.key.Holes(), typesOf(p.key.fields)
		}
		all = append(all, info)
	}
	slices.SortFunc(all, func(a, b InvalidInfo) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Tags lists the tags that are known by name, for Tag: those that nodes declare in so many words.
func (k *Console) Tags() (tags []string) {
	graph, err := k.c.Graph(GraphOptions{})
	if err != nil {
		return nil // without examples nothing can be wrong
	}
	for _, box := range graph.InvalidNodes {
		text, is := strings.CutPrefix(box.Name, "Tag(")
		if tag, err := strconv.Unquote(strings.TrimSuffix(text, ")")); is && err == nil && !strings.Contains(tag, "…") {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// Explain says why the entry under a key is as it is. A key that no registered node makes, or only a Memo, whose arguments
// are not in its key, is a *UsageError.
func (k *Console) Explain(ctx context.Context, key string) (*Explanation, error) {
	p, values, err := k.plan(key)
	if err != nil {
		return nil, err
	}
	r := k.c.requestOf(p, values, key)
	if r == nil {
		return nil, &UsageError{Node: p.name, Reason: "does not tell by its keys what it depends on: it is a Memo, or its fields do not come back from text; ask the program that loads it"}
	}
	x := k.c.explain(ctx, r)
	if p.published != nil && p.published.Opaque {
		x.Reason = strings.TrimSpace("what the node depends on is known in its program only. " + x.Reason)
	}
	return x, nil
}

// plan finds the node that makes such a key, and what is in its holes.
func (k *Console) plan(key string) (*nodePlan, []string, error) {
	if p, values := k.c.registry.table.Load().making(key); p != nil {
		return p, values, nil
	}
	return nil, nil, &UsageError{Node: "cacheme.Console", Reason: "knows no registered node that makes this key; it begins with none of the templates that Nodes lists"}
}

// NodeOf names the registered node that makes a key. One that none makes is a *UsageError. Nothing is asked of Redis.
func (k *Console) NodeOf(key string) (node string, err error) {
	p, _, err := k.plan(key)
	if err != nil {
		return "", err
	}
	return p.name, nil
}

// CheckPattern is the *UsageError that RemovePattern gives for a bad pattern. Nothing is asked of Redis.
func (k *Console) CheckPattern(pattern string) error {
	_, err := removable(pattern)
	return err
}

// Key is the key of a node by the node's name and its fields as text.
func (k *Console) Key(node string, fields map[string]string) (string, error) {
	for _, p := range k.c.registry.table.Load().all() {
		if p.name != node {
			continue
		}
		holes := p.key.Holes()
		if err := onlyOf(node, holes, fields); err != nil {
			return "", err
		}
		values := make([]string, len(holes))
		for i, hole := range holes {
			text, given := fields[hole]
			if !given {
				return "", &UsageError{Node: node, Field: hole, Reason: "is missing; the key is " + p.key.String()}
			}
			values[i] = string(keytmpl.AppendString(nil, text))
		}
		made, ok := p.nodeFrom(values)
		if !ok {
			return "", &UsageError{Node: node, Reason: "has fields of other types than these texts, or is a Memo; the key is " + p.key.String()}
		}
		main, err := p.mainKey(made)
		if err == nil && p.field != "" {
			main += ">" + p.field
		}
		return main, err
	}
	return "", &UsageError{Node: node, Reason: "is no registered node; Nodes lists them"}
}

// onlyOf refuses fields that there are not: a misspelt one would make wrong something else than was meant.
func onlyOf(name string, holes []string, fields map[string]string) error {
	for field := range fields {
		if !slices.Contains(holes, field) {
			return &UsageError{Node: name, Field: field, Reason: fmt.Sprintf("is no field; there are %v", holes)}
		}
	}
	return nil
}

// Invalid is an invalid node by its name and its fields as text, for Invalidate and WouldInvalidate; or, by the name of a node
// and without fields, the class of all its entries. All fields have to be given, but for the sides of an m2m node.
func (k *Console) Invalid(name string, fields map[string]string) (Invalid, error) {
	table := k.c.registry.table.Load()
	for _, p := range table.all() {
		if p.name != name {
			continue
		}
		if len(fields) > 0 {
			return nil, &UsageError{Node: name, Reason: "is a node: without fields it stands for all its entries, and one of them is taken away by Remove of its Key"}
		}
		return &namedDependencies{names: []string{nameOf(classKind, p.class)}}, nil
	}
	for p := range table.invalidPlans() {
		if p.name == name {
			return p.fromText(fields)
		}
	}
	return nil, &UsageError{Node: name, Reason: "is neither a registered node nor an invalid node; Nodes and InvalidNodes list them"}
}

// Remove takes exactly the entries of these keys away, as Cache.Remove does. A key that no registered node makes is a *UsageError,
// and then none is removed.
func (k *Console) Remove(ctx context.Context, keys ...string) (removed int, err error) {
	if k.c.closed.Load() {
		return 0, ErrClosed
	}
	entries := make([]string, len(keys))
	for i, key := range keys {
		p, _, err := k.plan(key)
		if err != nil {
			return 0, err
		}
		main, _, _ := strings.Cut(key, ">")
		entries[i] = k.c.store.EntryKey(main, p.field)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	return k.c.removeEntries(ctx, entries)
}
