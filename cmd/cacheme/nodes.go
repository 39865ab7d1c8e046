package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) nodes() *cobra.Command {
	return p.does(&cobra.Command{
		Use: "nodes", GroupID: groupLook, Args: cobra.NoArgs,
		Short: "List what is cached, and what can be made wrong",
		Long: `List what is cached, and what can be made wrong.

The first table has the nodes: the template of their keys, how long an entry lives, how long an old value may stand in, whether
processes keep values near, and what an entry is declared to depend on ("..." where only the program knows; what its result names comes besides). The second has the invalid nodes,
which are what invalidate --invalid takes, with the fields to give. Tags are those that services have named so far.`,
		Example: `  cacheme nodes
  cacheme nodes --json | jq -r '.nodes[].node'`,
	}, func(ctx context.Context, _ []string) error {
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			if p.json {
				return p.document(declaredOf(k))
			}
			return p.printNodes(declaredOf(k))
		})
	})
}

// declared is what services have published, as JSON.
type declared struct {
	Nodes        []nodeRow    `json:"nodes"`
	InvalidNodes []invalidRow `json:"invalid_nodes"`
	Tags         []string     `json:"tags"`
}

type nodeRow struct {
	Node         string   `json:"node"`
	Key          string   `json:"key"`
	Fields       []string `json:"fields"`
	TTL          float64  `json:"ttl_seconds"`
	Stale        float64  `json:"stale_seconds"`
	StaleIfError float64  `json:"stale_if_error_seconds"`
	Negative     float64  `json:"negative_seconds"`
	Near         bool     `json:"near"`
	Auto         bool     `json:"auto"` // Observe: Auto
	Dependencies []string `json:"dependencies"`
	Opaque       bool     `json:"opaque"`
}

type invalidRow struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"` // row, columns or tag
	Table  string   `json:"table,omitempty"`
	Key    string   `json:"key,omitempty"`
	Fields []string `json:"fields"`
	M2M    bool     `json:"m2m"` // a field that is left out is any
}

func declaredOf(k *cacheme.Console) declared {
	d := declared{Nodes: []nodeRow{}, InvalidNodes: []invalidRow{}, Tags: append([]string{}, k.Tags()...)}
	for _, n := range k.Nodes() {
		d.Nodes = append(d.Nodes, nodeRow{
			Node: n.Node, Key: n.Key, Fields: append([]string{}, n.Fields...), TTL: n.TTL.Seconds(), Stale: n.Stale.Seconds(),
			StaleIfError: n.StaleIfError.Seconds(), Negative: n.Negative.Seconds(), Near: n.Near, Auto: n.Auto,
			Dependencies: append([]string{}, n.Dependencies...), Opaque: n.Opaque,
		})
	}
	for _, n := range k.InvalidNodes() {
		d.InvalidNodes = append(d.InvalidNodes, invalidRow{
			Name: n.Name, Kind: n.Kind, Table: n.Table, Key: n.Key, Fields: append([]string{}, n.Fields...), M2M: n.M2M,
		})
	}
	return d
}

func (p *program) printNodes(d declared) error {
	t := newTable(p.out, "NODE", "KEY", "TTL", "STALE", "NEAR", "DEPENDS ON")
	for _, n := range d.Nodes {
		near := dash
		if n.Near {
			near = "near"
		}
		// Its own class is what each node depends on.
		depends := slices.DeleteFunc(slices.Clone(n.Dependencies), func(name string) bool { return strings.HasPrefix(name, "class:") })
		if n.Opaque {
			depends = append(depends, "...")
		}
		t.row(n.Node, n.Key, shortSeconds(n.TTL), shortSeconds(n.Stale), near, listed(depends))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.out)
	t = newTable(p.out, "INVALID NODE", "TABLE", "KEY", "FIELDS")
	for _, n := range d.InvalidNodes {
		t.row(n.Name, or(n.Table, dash), or(n.Key, dash), listed(n.Fields))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(d.Tags) > 0 {
		_, _ = fmt.Fprintln(p.out, "\nTAGS", printable(listed(d.Tags)))
	}
	return nil
}

func shortSeconds(s float64) string { return short(time.Duration(s * float64(time.Second))) }

// nodeNamed finds the name of a node.
func nodeNamed(k *cacheme.Console, name string) (string, bool) {
	var all []string
	for _, n := range k.Nodes() {
		all = append(all, n.Node)
	}
	return named(all, name)
}

// invalidNamed finds the name of an invalid node.
func invalidNamed(k *cacheme.Console, name string) (string, bool) {
	var all []string
	for _, n := range k.InvalidNodes() {
		all = append(all, n.Name)
	}
	return named(all, name)
}

// named finds a Go type among others, also by its name without the package where only one is called so.
func named(all []string, name string) (string, bool) {
	var found []string
	for _, full := range all {
		if full == name {
			return full, true
		}
		if full[strings.LastIndexByte(full, '.')+1:] == name {
			found = append(found, full)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return "", false
}

// nodeCompletions are the names of nodes for a shell that completes, which must not wait for long.
func (p *program) nodeCompletions(c *cobra.Command, args []string, begun string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	p.timeout = min(p.timeout, time.Second)
	// What cannot be reached completes nothing, and says nothing in the middle of a line.
	_ = p.attached(c.Context(), func(k *cacheme.Console, _ redis.UniversalClient) error {
		for _, n := range k.Nodes() {
			if strings.HasPrefix(n.Node, begun) {
				names = append(names, n.Node)
			}
		}
		return nil
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
