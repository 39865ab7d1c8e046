package admin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
)

// chooseBody is the form in which somebody says what to clear. Nothing in it is remembered from one to the next.
type chooseBody struct {
	Nodes, Invalids []string
	Node            *cacheme.NodeInfo
	Invalid         *cacheme.InvalidInfo
	Tags            []string
	More            int // tags that are known and not listed
}

// listedTags is how many tags the form lists; others are typed.
const listedTags = 200

func (h *Handler) choose(r *http.Request, _ Actor) (*answer, error) {
	b := chooseBody{Nodes: h.names(), Tags: h.console.Tags()}
	if more := len(b.Tags) - listedTags; more > 0 {
		b.Tags, b.More = b.Tags[:listedTags], more
	}
	if name := r.URL.Query().Get("node"); name != "" {
		info, err := h.named(name)
		if err != nil {
			return nil, err
		}
		b.Node = &info
	}
	want := r.URL.Query().Get("invalid")
	for _, i := range h.console.InvalidNodes() {
		b.Invalids = append(b.Invalids, i.Name)
		if i.Name == want {
			b.Invalid = &i
		}
	}
	if want != "" && b.Invalid == nil {
		return nil, refuse(http.StatusNotFound, "No invalid node of this name is registered.")
	}
	return &answer{page: "clear", title: "Clear", body: b}, nil
}

// requestOf reads what was chosen. A field's input is named after it, behind "node." or "invalid."; an empty one is left out.
// Of several nodes in a form the first counts: with all fields for each, a post that is in bounds would make a request that is not.
func requestOf(form map[string][]string) (q Request) {
	target := func(what string) []Target {
		if len(form[what]) == 0 {
			return nil
		}
		t := Target{Name: form[what][0]}
		for input, values := range form {
			if field, ok := strings.CutPrefix(input, what+"."); ok && values[0] != "" {
				if t.Fields == nil {
					t.Fields = map[string]string{}
				}
				t.Fields[field] = values[0]
			}
		}
		return []Target{t}
	}
	q.Nodes, q.Invalid = target("node"), target("invalid")
	q.Names, q.Keys = form["name"], form["key"]
	q.Tags = slices.Clone(form["tag"])
	for _, lines := range form["tags"] {
		for line := range strings.Lines(lines) {
			if tag := strings.TrimRight(line, "\r\n"); tag != "" {
				q.Tags = append(q.Tags, tag)
			}
		}
	}
	slices.Sort(q.Tags)
	q.Tags = slices.Compact(q.Tags)
	if p := form["pattern"]; len(p) > 0 {
		q.Pattern = p[0]
	}
	return q
}
