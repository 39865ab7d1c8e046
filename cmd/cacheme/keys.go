package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) keys() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "keys [NODE|PATTERN]", GroupID: groupLook, Args: cobra.MaximumNArgs(1), ValidArgsFunction: p.nodeCompletions,
		Short: "List the entries of a node, or those whose keys match a pattern",
		Long: `List the entries of a node, or those whose keys match a pattern.

What is given is a node if one is called so, otherwise a pattern of keys as nodes' templates render them: * for any text, ? for one
character, [a-c] for one of some, \ before a character that is meant as such. It reads Redis in small steps and holds nobody up. An entry that was made wrong and not
loaded again is listed too: explain tells. A key that comes or goes meanwhile may be missed.`,
		Example: `  cacheme keys Shelf
  cacheme keys 'user:7:*'
  cacheme keys --limit 0 --json | jq -s 'sort_by(-.bytes)[:10]'    the ten largest`,
	}
	c.Flags().IntVar(&limit, "limit", 100, "how many to list at most; 0: all")
	return p.does(c, func(ctx context.Context, args []string) error {
		if limit < 0 {
			return usagef("--limit is %d; write how many to list, or 0 for all", limit)
		}
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			var look cacheme.Look
			if len(args) == 1 {
				var err error
				if look, err = lookFor(k, args[0]); err != nil {
					return err
				}
			}
			return p.listKeys(ctx, k, look, limit)
		})
	})
}

// lookFor is a look at the entries of a node, or at those that match a pattern.
func lookFor(k *cacheme.Console, what string) (cacheme.Look, error) {
	if n, ok := nodeNamed(k, what); ok {
		return cacheme.Look{Node: n}, nil
	}
	// A key without any sign of one is rather a name that nobody has.
	if !strings.ContainsAny(what, `*?[\:`) {
		return cacheme.Look{}, usagef("%q is neither a node nor a pattern; cacheme nodes lists the nodes", what)
	}
	return cacheme.Look{Pattern: what}, nil
}

// entryRow is an entry as JSON.
type entryRow struct {
	Key     string  `json:"key"`
	Node    string  `json:"node"`
	Bytes   int64   `json:"bytes"`
	Age     float64 `json:"age_seconds"`
	Left    float64 `json:"left_seconds"` // negative: its TTL is over, and it may stand in
	Kept    float64 `json:"kept_seconds"`
	Missing bool    `json:"not_found"` // the entry says that there is nothing
	Loading bool    `json:"loading"`
	Garbage bool    `json:"garbage"` // it is no entry of this version
}

func (p *program) listKeys(ctx context.Context, k *cacheme.Console, look cacheme.Look, limit int) error {
	var t table
	if !p.json {
		t = newTable(p.out, "KEY", "NODE", "SIZE", "AGE", "LEFT", "")
	}
	listed := 0
	whole, err := p.browse(ctx, k, look, 0, func(e cacheme.EntryInfo) bool {
		if limit > 0 && listed == limit {
			return false
		}
		listed++
		if p.json {
			_ = p.line(entryRow{ // an error ends the command, see sink
				Key: e.Key, Node: e.Node, Bytes: e.Bytes, Age: e.Age.Seconds(), Left: e.Left.Seconds(), Kept: e.Kept.Seconds(),
				Missing: e.NotFound, Loading: e.Loading, Garbage: e.Garbage,
			})
			return true
		}
		t.row(e.Key, or(e.Node, dash), size(e.Bytes), short(e.Age), short(e.Left), remark(e))
		return true
	})
	if err != nil {
		return err
	}
	if !p.json {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if !whole.complete {
		fmt.Fprintf(p.err, "stopped at --limit %d, after looking at %s of about %s keys\n", limit, count(whole.looked), count(whole.total))
	}
	return nil
}

// remark is what is special about an entry.
func remark(e cacheme.EntryInfo) string {
	switch {
	case e.Garbage:
		return "garbage"
	case e.Loading:
		return "loading"
	case e.NotFound:
		return "not found"
	}
	return ""
}

// browsed is how far a browse came.
type browsed struct {
	looked, found int
	total         int64
	complete      bool
}

// browse gives each entry that a look finds to f, once, step by step, until f wants no more or so many keys were looked at; most 0:
// all.
func (p *program) browse(ctx context.Context, k *cacheme.Console, look cacheme.Look, most int, f func(cacheme.EntryInfo) bool) (b browsed, err error) {
	g := progress{p: p}
	defer g.clear()
	seen := map[string]bool{}
	for {
		found, err := k.Browse(ctx, look)
		if err != nil {
			return b, err
		}
		b.looked, b.total = b.looked+found.Looked, found.Total
		for _, e := range found.Entries {
			if seen[e.Key] {
				continue
			}
			seen[e.Key] = true
			if !f(e) {
				return b, nil
			}
			b.found++
		}
		if look.Cursor = found.Next; look.Cursor == "" {
			b.complete = true
			return b, nil
		}
		if most > 0 && b.looked >= most {
			return b, nil
		}
		g.tellf("%s found, looked at %s of about %s keys", count(b.found), count(b.looked), count(b.total))
	}
}
