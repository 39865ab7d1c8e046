package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/keytmpl"
)

// ErrRequest is in the chain of the error of a Request that cannot be carried out as it is. Nothing was cleared.
var ErrRequest = errors.New("this cannot be cleared")

// Request is what is to be cleared, all of it in one act. It stands in the audit as it was asked for.
type Request struct {
	// Nodes are entries of nodes: one with all of its fields is that entry, which is removed; one without fields is every
	// entry of the node, which are made wrong.
	Nodes []Target `json:"nodes,omitempty"`
	// Invalid are invalid nodes with all of their fields: whatever depends on them is made wrong.
	Invalid []Target `json:"invalid,omitempty"`
	// Names are dependencies by their names, as an Explanation has them: kind:key.
	Names []string `json:"names,omitempty"`
	Tags  []string `json:"tags,omitempty"`
	// Keys are entries by their keys, which are removed.
	Keys []string `json:"keys,omitempty"`
	// Pattern removes the entries whose keys match it, as Cache.RemovePattern does: it cannot reach outside the prefix. Empty: none.
	Pattern string `json:"pattern,omitempty"`
	// Confirm is the cache's prefix, typed by whoever clears everything: see Wide. It is not needed for anything else.
	Confirm string `json:"-"`
}

// Target is a node or an invalid node with the values of its fields, as text.
type Target struct {
	Name   string            `json:"name"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Bounds of a request: what a person types, or a program has at hand, is far below; a posted flood is not.
const (
	mostTargets = 1000
	mostText    = 4096 // bytes of one name, tag, key, value or pattern
	// mostRequest is how many bytes all of it may be as JSON. It comes back with the form that clears, sealed, and once more
	// with what was counted: both have to fit mostPosted, or what can be previewed could not be cleared.
	mostRequest = mostPosted / 4
)

// Wide reports whether the pattern may match everything: it begins with a wildcard, so that it names no node. It is
// carried out only with the prefix typed as Confirm.
func (r Request) Wide() bool { return keytmpl.Wide(r.Pattern) }

// Kinds are what of the request is filled in, in words.
func (r Request) Kinds() string {
	var words []string
	for _, k := range []struct {
		word string
		n    int
	}{
		{"nodes", len(r.Nodes)},
		{"invalid nodes", len(r.Invalid)},
		{"dependencies", len(r.Names)},
		{"tags", len(r.Tags)},
		{"keys", len(r.Keys)},
		{"pattern", len(r.Pattern)},
	} {
		if k.n > 0 {
			words = append(words, k.word)
		}
	}
	return strings.Join(words, ", ")
}

// check finds what is wrong with a request whatever is registered.
func (r Request) check(prefix string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrRequest}, args...)...)
	}
	texts := slices.Concat(r.Names, r.Tags, r.Keys, []string{r.Pattern})
	for _, t := range slices.Concat(r.Nodes, r.Invalid) {
		texts = append(texts, t.Name)
		for name, value := range t.Fields {
			texts = append(texts, name, value)
		}
	}
	switch n := len(r.Nodes) + len(r.Invalid) + len(r.Names) + len(r.Tags) + len(r.Keys); {
	case n == 0 && r.Pattern == "":
		return bad("nothing is chosen; an empty pattern stands for nothing, and everything is the pattern *")
	case n > mostTargets:
		return bad("it names %d things, and %d are the most", n, mostTargets)
	case slices.Contains(r.Tags, "") || slices.Contains(r.Keys, "") || slices.Contains(r.Names, ""):
		return bad("a name in it is empty")
	}
	for _, text := range texts {
		if len(text) > mostText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return bad("a text in it is longer than %d bytes, or is no text", mostText)
		}
	}
	if n := len(r.json()); n > mostRequest {
		return bad("it is %d bytes, and %d are the most; clear it in parts", n, mostRequest)
	}
	if r.Wide() && r.Confirm != prefix {
		return bad("the pattern %s may match everything; type the cache's prefix, %s, to confirm that", r.Pattern, prefix)
	}
	return nil
}

// json is the request as the audit has it.
func (r Request) json() []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // texts and maps of texts
	}
	return text
}

// plan is a request as the cache takes it.
type plan struct {
	invalids []cacheme.Invalid // made wrong
	keys     []string          // removed
	pattern  string            // removed
}

// plan finds what a request names. A mistake in it is a *cacheme.UsageError, so that nothing of a request is carried out of which the
// cache would refuse a part.
func (h *Handler) plan(r Request) (p plan, err error) {
	if p.pattern = r.Pattern; p.pattern != "" {
		if err := h.console.CheckPattern(p.pattern); err != nil {
			return p, err
		}
	}
	for _, t := range r.Nodes {
		if len(t.Fields) > 0 {
			key, err := h.console.Key(t.Name, t.Fields)
			if err != nil {
				return p, err
			}
			p.keys = append(p.keys, key)
			continue
		}
		i, err := h.console.Invalid(t.Name, nil)
		if err != nil {
			return p, err
		}
		p.invalids = append(p.invalids, i)
	}
	for _, t := range r.Invalid {
		i, err := h.console.Invalid(t.Name, t.Fields)
		if err != nil {
			return p, err
		}
		p.invalids = append(p.invalids, i)
	}
	if len(r.Names) > 0 {
		p.invalids = append(p.invalids, cacheme.Named(r.Names...))
	}
	for _, tag := range r.Tags {
		p.invalids = append(p.invalids, cacheme.Tag(tag))
	}
	for _, key := range r.Keys {
		if _, err := h.console.NodeOf(key); err != nil {
			return p, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}
