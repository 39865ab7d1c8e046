package cacheme

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/internal/keytmpl"
	"github.com/cacheme/cacheme/internal/store"
)

// shownEntries is how many keys an Impact keeps.
const shownEntries = 1000

// scanBatch is how many entries one trip fetches; they may be large.
const scanBatch = 50

// Scan looks for the live entries that depend on what would be made wrong, and adds them to the Impact: the keys of the
// first thousand, and how many there are. It looks at most at so many entries, fetches each, and tells progress after
// each fifty, which ends the scan by returning false; nil: nobody is told. A node's dependencies are worked out from its
// key, or, where that cannot be (a Memo), by the tokens that its entry carries, of which two may by a rare chance be alike.
//
// An Impact that WouldInvalidate did not make, and a most that is not positive, are *UsageErrors.
func (i *Impact) Scan(ctx context.Context, most int, progress func(scanned, found int) bool) error {
	switch {
	case i.cache == nil:
		return &UsageError{Node: "cacheme.Impact", Reason: "was not made by WouldInvalidate, as one that was read from JSON; ask the cache anew"}
	case most <= 0:
		return &UsageError{Node: "cacheme.Impact", Field: "Scan", Reason: fmt.Sprintf("is to look at %d entries at most; write how many it may fetch", most)}
	}
	c := i.cache
	i.Entries, i.Found, i.Scanned, i.Complete = nil, 0, 0, false
	sought, err := c.soughtBy(ctx, i.Dependencies)
	if err != nil {
		return wrap("scan", "entries", err)
	}
	var batch []string
	seen := map[string]bool{}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		values, err := c.store.Read(ctx, c.options.WriteBudget, batch)
		if err != nil {
			return wrap("scan", "entries", err)
		}
		for at, entry := range batch {
			text, ok := values.Text(at)
			key, _ := c.store.DisplayKey(entry)
			if i.Scanned++; ok && c.concerns(key, text, sought) {
				i.Found++
				if len(i.Entries) < shownEntries {
					i.Entries = append(i.Entries, key)
				}
			}
		}
		batch = batch[:0]
		return nil
	}
	defer func() { slices.Sort(i.Entries) }()
	for entry, err := range c.store.Scan(ctx, c.options.WriteBudget, "*") {
		switch {
		case err != nil:
			return wrap("scan", "entries", err)
		case seen[entry]:
			continue
		case len(seen) == most:
			return flush()
		}
		seen[entry] = true
		if batch = append(batch, entry); len(batch) < scanBatch {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		if progress != nil && !progress(i.Scanned, i.Found) {
			return nil
		}
	}
	i.Complete = true
	return flush()
}

// sought are dependencies by their names, and by the tokens that they have now.
type sought struct {
	names  map[string]bool
	tokens map[store.Token]bool
}

// soughtBy looks up the tokens that dependencies have now.
func (c *Cache) soughtBy(ctx context.Context, names []string) (sought, error) {
	s := sought{names: map[string]bool{}, tokens: map[store.Token]bool{}}
	values, err := c.store.Read(ctx, c.options.WriteBudget, c.tokenKeys(names))
	if err != nil {
		return s, err
	}
	for i, name := range names {
		s.names[name] = true
		if d := values.Dependency(i); !d.Token.IsZero() {
			s.tokens[d.Token] = true
		}
	}
	return s, nil
}

// concerns reports whether an entry depends on what would be made wrong. One that is no entry of a registered node, or
// of another version of it, is none of this program's.
func (c *Cache) concerns(key, text string, s sought) bool {
	p, values := c.registry.table.Load().making(key)
	if p == nil {
		return false
	}
	e, _, _ := p.read(text)
	if e == nil {
		return false
	}
	for _, result := range e.Results {
		if s.names[result.Name] {
			return true
		}
	}
	if r := c.requestOf(p, values, key); r != nil {
		return slices.ContainsFunc(c.names(r.keys), func(name string) bool { return s.names[name] })
	}
	return slices.ContainsFunc(e.Declared, func(t store.Token) bool { return s.tokens[t] })
}

// requestOf makes the request for a node of which nothing but its key is known. Nil: its fields cannot be read from it.
func (c *Cache) requestOf(p *nodePlan, values []string, key string) *request {
	node, ok := p.nodeFrom(values)
	if !ok {
		return nil
	}
	r, err := c.newRequest(p, node, nil)
	if err != nil || r.key != key {
		return nil // the node reads differently: nil pointers, times
	}
	return r
}

// nodeFrom makes a node of the values in its key.
func (p *nodePlan) nodeFrom(values []string) (any, bool) {
	if !p.keyed {
		return nil, false
	}
	node := reflect.New(p.typ).Elem()
	for i := range p.key.fields {
		text, err := keytmpl.Unescape(values[i])
		if err != nil || !p.key.fields[i].assignText(node, text) {
			return nil, false
		}
	}
	return node.Interface(), true
}

// assignText sets the field of a declaration from text: what keys have, and people write.
func (f *fieldPlan) assignText(declaration reflect.Value, text string) bool {
	dst := declaration.Field(f.index)
	if f.ptr {
		dst.Set(reflect.New(f.typ))
		dst = dst.Elem()
	}
	if f.typ.Kind() == reflect.Bool {
		dst.SetBool(text == "true")
		return text == "true" || text == "false"
	}
	return assignColumn(dst, reflect.ValueOf(text))
}

// String is the impact for a person.
func (i *Impact) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v would make wrong\n", i.Write)
	if i.Why != "" {
		fmt.Fprintf(&b, "  why    %s\n", i.Why)
	}
	if i.Note != "" {
		fmt.Fprintf(&b, "  note   %s\n", i.Note)
	}
	for n, name := range i.Dependencies {
		if n == shownDependencies {
			fmt.Fprintf(&b, "  and %d more\n", len(i.Dependencies)-n)
			break
		}
		fmt.Fprintf(&b, "  %s\n", name)
	}
	if len(i.Nodes) > 0 {
		b.WriteString("on which depend\n")
	}
	for _, n := range i.Nodes {
		fmt.Fprintf(&b, "  %s (%s) by %s\n", n.Key, n.Node, strings.Join(n.Via, ", "))
	}
	if i.Scanned > 0 || i.Complete {
		fmt.Fprintf(&b, "live entries: %d of %d looked at", i.Found, i.Scanned)
		if !i.Complete {
			b.WriteString(", and there are more")
		}
		b.WriteByte('\n')
		for n, key := range i.Entries {
			if n == shownDependencies {
				fmt.Fprintf(&b, "  and %d more\n", i.Found-n)
				break
			}
			fmt.Fprintf(&b, "  %s\n", key)
		}
	}
	return b.String()
}
