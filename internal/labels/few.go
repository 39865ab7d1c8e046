// Package labels keeps the values of a metric's label few, whatever is in the texts that they are made of.
package labels

import (
	"strings"
	"sync"
)

// most is how many values there are for a node. cacheme has a dozen reasons; a caller's own come besides.
const most = 24

// Few makes labels of reasons. The zero value is ready for use.
type Few struct {
	mu    sync.Mutex
	known map[string]map[string]bool // by node
}

// Of returns a reason without its details, which follow a colon, and "other" for what is too much.
func (f *Few) Of(node, reason string) string {
	reason, _, _ = strings.Cut(reason, ":")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[string]map[string]bool{}
	}
	of := f.known[node]
	if of == nil {
		of = map[string]bool{}
		f.known[node] = of
	}
	if !of[reason] && len(of) >= most {
		return "other"
	}
	of[reason] = true
	return reason
}
