package cacheme

import "slices"

// Names are the dependencies that Invalidate of the same invalid nodes makes wrong, as kind:key, and do not hang on this
// process: whoever keeps them, in a table for one, can have them made wrong later and elsewhere, by Named. Errors are the
// *UsageErrors of Invalidate.
func (c *Cache) Names(invalids ...Invalid) ([]string, error) {
	keys, err := c.writtenKeys(slices.DeleteFunc(slices.Clone(invalids), isBy))
	if err != nil {
		return nil, err
	}
	return c.names(keys), nil
}

// Named stands for what Names returned, in this process or in another one with the same Prefix. It is for Invalidate and
// Hold alone, which refuse a name of a kind that this version does not know with a *UsageError.
func Named(names ...string) Invalid { return &namedDependencies{names: names} }

// namedDependencies is a pointer, so that comparing two Invalids never panics.
type namedDependencies struct {
	InvalidNode
	names []string
}

func (*namedDependencies) Meta() Meta { return Meta{} }

func (n *namedDependencies) append(d *dependencies) error {
	for _, name := range n.names {
		k, key := splitName(name)
		if key == "" || !slices.Contains(kinds[:], k) {
			return &UsageError{Node: "cacheme.Named", Reason: "has the name \"" + name + "\", which is of no kind that this version knows; give it what Cache.Names returned"}
		}
		d.add(k, key)
	}
	return nil
}

// Prefix is Options.Prefix, as it came out.
func (c *Cache) Prefix() string { return c.options.Prefix }
