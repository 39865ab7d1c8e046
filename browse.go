package cacheme

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// Look says which entries Browse is to find, and how much it may look at.
type Look struct {
	Node    string   // the name of a node, as in Nodes; empty: of all
	Pattern string   // of the key, as RemovePattern takes it; empty: any
	Wrong   []string // only entries that depend on one of these, as Impact.Dependencies has them; nil: any. Each entry is fetched for that
	Cursor  string   // Found.Next of the step before; empty: from the beginning
	Most    int      // how many keys of the server the step may look at, about; zero: 1000
}

// Found is what one step found. An entry may come twice, in two steps, and one that comes or goes meanwhile may be missed.
type Found struct {
	Entries []EntryInfo `json:"entries"`
	Next    string      `json:"next,omitempty"` // for the next step; empty: that was all
	Looked  int         `json:"looked"`         // keys that the step looked at, about
	Total   int64       `json:"total"`          // keys of the server, or of all masters: Looked of them tell how far it is
}

// EntryInfo is an entry, as far as can be said without reading all of it.
type EntryInfo struct {
	Key      string        `json:"key"`
	Node     string        `json:"node"` // empty: no registered node makes such a key
	Bytes    int64         `json:"bytes"`
	Age      time.Duration `json:"age"`  // since its load began
	Left     time.Duration `json:"left"` // of its TTL, negative once that is over
	Kept     time.Duration `json:"kept"` // for how long Redis still has it
	NotFound bool          `json:"not_found,omitempty"`
	Loading  bool          `json:"loading,omitempty"` // somebody loads it now
	Garbage  bool          `json:"garbage,omitempty"` // what is there is no entry of this version
}

// browseAtOnce is how many keys a step looks at, if nothing else is said.
const browseAtOnce = 1000

// Browse looks for entries, one bounded step at a time: three round trips for a thousand keys of one server, one for what is
// found, and with Wrong one or more to fetch it. A bad pattern, and a cursor that Browse did not give, are *UsageErrors.
func (k *Console) Browse(ctx context.Context, l Look) (Found, error) {
	c := k.c
	filter, err := k.filter(l)
	if err != nil {
		return Found{}, err
	}
	if l.Most <= 0 {
		l.Most = browseAtOnce
	}
	step, err := c.store.ScanStep(ctx, c.options.WriteBudget, filter.glob, l.Cursor, l.Most)
	switch {
	case errors.Is(err, store.ErrCursor):
		return Found{}, &UsageError{Node: "cacheme.Browse", Field: "Cursor", Reason: err.Error()}
	case err != nil:
		return Found{}, wrap("browse", "entries", err)
	}
	slices.Sort(step.Keys)
	entries := slices.DeleteFunc(slices.Compact(step.Keys), func(entry string) bool { return !filter.wants(c, entry) })
	if l.Wrong != nil {
		if entries, err = c.wrongOf(ctx, entries, l.Wrong); err != nil {
			return Found{}, wrap("browse", "entries", err)
		}
	}
	found := Found{Next: step.Next, Looked: step.Looked, Total: step.Total}
	found.Entries, err = k.sized(ctx, entries, step.Now)
	return found, err
}

// entryFilter is what Look asks for.
type entryFilter struct {
	glob    string // for Redis, which narrows
	node    *nodePlan
	matches *regexp.Regexp
}

func (k *Console) filter(l Look) (f entryFilter, err error) {
	f.glob = "*"
	if l.Pattern != "" {
		if f.matches, err = compileGlob(l.Pattern); err != nil {
			return f, &UsageError{Node: "cacheme.Browse", Field: "Pattern", Reason: "is no pattern: it " + err.Error()}
		}
		f.glob = literalPrefix(l.Pattern) + "*"
	}
	if l.Node == "" {
		return f, nil
	}
	for _, p := range k.c.registry.table.Load().all() {
		if p.name != l.Node {
			continue
		}
		f.node = p
		if f.matches == nil {
			f.glob = p.key.Glob() + "}*"
		}
		return f, nil
	}
	return f, &UsageError{Node: l.Node, Reason: "is no registered node; Nodes lists them"}
}

func (f entryFilter) wants(c *Cache, entry string) bool {
	key, _ := c.store.DisplayKey(entry)
	if f.node != nil {
		main, field, _ := strings.Cut(key, ">")
		if _, makes := f.node.makes(main, field); !makes {
			return false
		}
	}
	return f.matches == nil || f.matches.MatchString(key)
}

// wrongOf leaves the entries that depend on one of the names.
func (c *Cache) wrongOf(ctx context.Context, entries, names []string) (wrong []string, err error) {
	sought, err := c.soughtBy(ctx, names)
	if err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(entries, scanBatch) {
		values, err := c.store.Read(ctx, c.options.WriteBudget, batch)
		if err != nil {
			return nil, err
		}
		for i, entry := range batch {
			text, ok := values.Text(i)
			key, _ := c.store.DisplayKey(entry)
			if ok && c.concerns(key, text, sought) {
				wrong = append(wrong, entry)
			}
		}
	}
	return wrong, nil
}

// sized asks what can be said of entries without reading all of each.
func (k *Console) sized(ctx context.Context, entries []string, now uint64) (infos []EntryInfo, err error) {
	sizes, err := k.c.store.Sizes(ctx, k.c.options.WriteBudget, entries, int64(envelope.HeadSize))
	if err != nil {
		return nil, wrap("browse", "entries", err)
	}
	table := k.c.registry.table.Load()
	for i, s := range sizes {
		key, _ := k.c.store.DisplayKey(entries[i])
		info := EntryInfo{Key: key, Bytes: s.Bytes, Kept: max(0, s.Kept), Loading: s.Lease > 0}
		if p, _ := table.making(key); p != nil {
			info.Node = p.name
		}
		head, ok := envelope.ReadHead(s.Head)
		switch {
		case ok:
			info.Age, info.NotFound = time.Duration(int64(now)-int64(head.Loaded))*time.Microsecond, head.Kind == envelope.NotFound
			if head.TTL != 0 {
				info.Left = time.Duration(int64(head.Loaded+head.TTL)-int64(now)) * time.Microsecond
			}
		case s.Kept == keyMissing && !info.Loading:
			continue // it has just gone
		default:
			info.Garbage = s.Kept != keyMissing
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// keyMissing is what PTTL answers for what is not there.
const keyMissing = -2 * time.Nanosecond
