package admin

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/cacheme/cacheme"
)

// entryBody is one entry and why it is as it is.
type entryBody struct {
	Key, Link    string
	Node         string
	Untold       string // why it cannot be explained from here, and X is nil: it can be looked at and removed all the same
	X            *cacheme.Explanation
	Tone         string // how bad its state is
	Dependencies []cacheme.DependencyState
	Text         string
}

// Tag is the tag that a dependency of that kind stands for.
func (entryBody) Tag(d cacheme.DependencyState) string { return strings.TrimPrefix(d.Name, "tag:") }

// tones are how the states look; any other is a warning.
var tones = map[cacheme.State]string{
	cacheme.StateFresh: "good", cacheme.StateAbsent: "plain", cacheme.StateExpired: "plain", cacheme.StateBypassed: "plain",
	cacheme.StateGarbage: "bad", cacheme.StateAway: "bad", cacheme.StateUndelivered: "bad",
}

// find leads from a key to its page, by a link in which it cannot be read.
func (h *Handler) find(r *http.Request, _ Actor) (*answer, error) {
	key := r.PostForm.Get("key")
	if key == "" || len(key) > mostText {
		return nil, refuse(http.StatusBadRequest, "Write the key of an entry, as it stands behind the prefix.")
	}
	return &answer{to: h.EntryPath(key)}, nil
}

// EntryPath is where the page of an entry is, relative to the mount: "entry?k=...", with its key, as Cache.KeyOf has it, encrypted. So an
// application can link to it from what it shows, and its logs have no key of it. The link is good for as long as
// Options.Secret is the same; without one, for as long as the Handler lives.
func (h *Handler) EntryPath(key string) string { return "entry?k=" + h.link(key) }

// keyOf is the key in a link.
func (h *Handler) keyOf(r *http.Request) (key string, err error) {
	if err := h.sealer.open(forEntry, r.URL.Query().Get("k"), &key); err != nil {
		return "", refuse(http.StatusNotFound, "This link is not of this page, or from before it was restarted. Look the entry up by its key.")
	}
	return key, nil
}

func (h *Handler) entry(r *http.Request, _ Actor) (*answer, error) {
	key, err := h.keyOf(r)
	if err != nil {
		return nil, err
	}
	b := entryBody{Key: key, Link: r.URL.Query().Get("k")}
	if b.Node, err = h.console.NodeOf(key); err != nil {
		return nil, err
	}
	x, err := h.console.Explain(r.Context(), key)
	if usage, untold := errors.AsType[*cacheme.UsageError](err); untold {
		b.Untold = usage.Reason
		return &answer{page: "entry", title: "Entry", body: b}, nil
	}
	if err != nil {
		return nil, err
	}
	b.X, b.Tone, b.Text = x, cmp.Or(tones[x.State], "warn"), x.String()
	b.Dependencies = x.WorstFirst()
	return &answer{page: "entry", title: "Entry", body: b}, nil
}

// valueBody is what an entry holds.
type valueBody struct {
	Key, Link string
	Value     cacheme.Value
	None      bool
}

func (h *Handler) value(r *http.Request, _ Actor) (*answer, error) {
	key, err := h.keyOf(r)
	if err != nil {
		return nil, err
	}
	v, err := h.console.Value(r.Context(), key)
	if err != nil && !errors.Is(err, cacheme.ErrNoEntry) {
		return nil, err
	}
	return &answer{page: "value", title: "Value", body: valueBody{Key: key, Link: r.URL.Query().Get("k"), Value: v, None: err != nil}}, nil
}
