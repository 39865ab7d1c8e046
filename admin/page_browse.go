package admin

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/cacheme/cacheme"
)

// walk is how far somebody has come in looking through the entries. It travels with the form, sealed: the page remembers nothing,
// and any process behind the same address can go on with it.
type walk struct {
	Node, Pattern string
	Cursor        string
	Looked        int
	Total         int64
	Found         int
	Bytes         int64
	First         []cacheme.EntryInfo // those found first
	Largest       []cacheme.EntryInfo
	Oldest        []cacheme.EntryInfo
	Ended         bool
}

// How many entries a walk keeps of each list, and how many bytes of keys together, since it travels.
const (
	keptFirst   = 100
	keptExtreme = 10
	keptBytes   = 64 << 10
)

// add takes over what a step found.
func (w *walk) add(f cacheme.Found) {
	w.Looked += f.Looked
	w.Total, w.Cursor, w.Ended = max(f.Total, int64(w.Looked)), f.Next, f.Next == ""
	w.Found += len(f.Entries)
	held := 0
	for _, e := range w.First {
		held += len(e.Key)
	}
	for _, e := range f.Entries {
		w.Bytes += e.Bytes
		if held += len(e.Key); len(w.First) < keptFirst && held <= keptBytes {
			w.First = append(w.First, e)
		}
	}
	w.Largest = extreme(w.Largest, f.Entries, func(e cacheme.EntryInfo) int64 { return e.Bytes })
	w.Oldest = extreme(w.Oldest, f.Entries, func(e cacheme.EntryInfo) int64 { return int64(e.Age) })
}

// extreme are those of two lists that have most of something.
func extreme(kept, more []cacheme.EntryInfo, of func(cacheme.EntryInfo) int64) []cacheme.EntryInfo {
	all := slices.Concat(kept, more)
	all = slices.DeleteFunc(all, func(e cacheme.EntryInfo) bool { return len(e.Key) > mostText || of(e) <= 0 })
	slices.SortStableFunc(all, func(a, b cacheme.EntryInfo) int { return cmp.Or(cmp.Compare(of(b), of(a)), cmp.Compare(a.Key, b.Key)) })
	all = slices.CompactFunc(all, func(a, b cacheme.EntryInfo) bool { return a.Key == b.Key }) // a scan may find one twice
	return all[:min(len(all), keptExtreme)]
}

// browseBody is the form, and what was found so far.
type browseBody struct {
	Nodes         []string
	Node, Pattern string
	Walk          *walk // nil: nobody has looked yet
	Sealed        string
	link          func(key string) string
}

// entryRow is an entry with the link to its page.
type entryRow struct {
	cacheme.EntryInfo
	Link string
}

// Links are entries with the links to their pages.
func (b browseBody) Links(of []cacheme.EntryInfo) (rows []entryRow) {
	for _, e := range of {
		rows = append(rows, entryRow{e, b.link(e.Key)})
	}
	return rows
}

// link is an entry's key as it stands in a link.
func (h *Handler) link(key string) string { return h.sealer.seal(forEntry, key) }

func (h *Handler) browse(r *http.Request, _ Actor) (*answer, error) {
	return &answer{page: "browse", title: "Browse", body: browseBody{Nodes: h.names(), Node: r.URL.Query().Get("node")}}, nil
}

func (h *Handler) names() (names []string) {
	for _, n := range h.console.Nodes() {
		names = append(names, n.Node)
	}
	return names
}

// browsed takes one bounded step through the entries, from the beginning or from where a walk is.
func (h *Handler) browsed(r *http.Request, _ Actor) (*answer, error) {
	w := walk{Node: r.PostForm.Get("node"), Pattern: r.PostForm.Get("pattern")}
	if text := r.PostForm.Get("walk"); text != "" {
		if err := h.sealer.open(forWalk, text, &w); err != nil {
			return nil, refuse(http.StatusBadRequest, "This is no search of this page, or one from before it was restarted. Begin anew.")
		}
	}
	if len(w.Pattern) > mostText {
		return nil, refuse(http.StatusBadRequest, "This pattern is too long.")
	}
	if w.Node != "" {
		if _, err := h.named(w.Node); err != nil {
			return nil, err
		}
	}
	found, err := h.console.Browse(r.Context(), cacheme.Look{Node: w.Node, Pattern: w.Pattern, Cursor: w.Cursor, Most: h.o.Step})
	if err != nil {
		return nil, err
	}
	w.add(found)
	b := browseBody{Nodes: h.names(), Node: w.Node, Pattern: w.Pattern, Walk: &w, link: h.link}
	if !w.Ended {
		b.Sealed = h.sealer.seal(forWalk, w)
	}
	return &answer{page: "browse", title: "Browse", body: b}, nil
}
