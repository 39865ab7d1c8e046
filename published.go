package cacheme

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// published is what a program says of its declarations, so that others need not have its types: see Publish and Attach.
type published struct {
	Version      int             `json:"version"`
	Process      string          `json:"process"`
	Nodes        []publishedNode `json:"nodes"`
	InvalidNodes []InvalidInfo   `json:"invalid_nodes"`
	Graph        *Graph          `json:"graph"`
}

// publishedVersion changes with the meaning of what is published.
const publishedVersion = 1

// publishedNode is a node, as far as can be said without its type.
type publishedNode struct {
	Name         string        `json:"name"`
	Template     string        `json:"template"`        // of the main key
	Types        []string      `json:"types,omitempty"` // of the template's fields, as InvalidInfo has them
	Field        string        `json:"field,omitempty"`
	Class        string        `json:"class"`
	TTL          time.Duration `json:"ttl"`
	Stale        time.Duration `json:"stale,omitempty"`
	StaleIfError time.Duration `json:"stale_if_error,omitempty"`
	Negative     time.Duration `json:"negative,omitempty"`
	Near         bool          `json:"near,omitempty"`
	Auto         bool          `json:"auto,omitempty"`
	Codec        string        `json:"codec"`
	Fingerprint  uint64        `json:"fingerprint,string"`
	MaxValue     int           `json:"max_value"`
	Dependencies []string      `json:"dependencies,omitempty"`
	Opaque       bool          `json:"opaque,omitempty"`
}

// publishes is what this cache declares.
func (c *Cache) publishes() ([]byte, error) {
	graph, err := c.Graph(GraphOptions{})
	if err != nil {
		return nil, err
	}
	said := published{Version: publishedVersion, Process: c.process, InvalidNodes: c.Console().InvalidNodes(), Graph: graph}
	for _, p := range c.registry.table.Load().all() {
		templates, opaque := c.declaredTemplates(p)
		said.Nodes = append(said.Nodes, publishedNode{
			Name: p.name, Template: p.key.String(), Types: typesOf(p.key.fields), Field: p.field, Class: p.class,
			TTL: p.policy.ttl, Stale: p.policy.stale, StaleIfError: p.policy.staleIfError, Negative: p.policy.negative,
			Near: p.near != notNear, Auto: p.observe == Auto, Codec: p.codec.Name(), Fingerprint: p.fingerprint, MaxValue: p.maxValue,
			Dependencies: templates, Opaque: opaque,
		})
	}
	return json.Marshal(said)
}

// declare adds what the program says that its node depends on.
func (n *publishedNode) declare(d *dependencies, p *nodePlan, main string) {
	values, ok := p.key.Match(main)
	if !ok {
		return
	}
	for _, name := range n.filled(p, func(i int) string { return values[i] }) {
		k, key := splitName(name)
		d.add(k, key)
	}
}

// uses are what nodes of the class name, as far as their program says.
func (n *publishedNode) uses(table *plans, p *nodePlan) (all []use) {
	for _, name := range n.filled(p, func(i int) string { return strconv.Itoa(i + 1) }) { // which class it is does not hang on the value
		all = append(all, table.usesSeen(name)...)
	}
	return all
}

// filled are the dependencies with values in the place of the node's fields.
func (n *publishedNode) filled(p *nodePlan, value func(field int) string) (names []string) {
	var pairs []string
	for i, hole := range p.key.Holes() {
		pairs = append(pairs, "<"+hole+">", value(i))
	}
	filled := strings.NewReplacer(pairs...)
	for _, template := range n.Dependencies {
		names = append(names, filled.Replace(template))
	}
	return names
}
