package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/keytmpl"
)

// clearing is what invalidate is asked to clear: one of the first five, with fields of the first two.
type clearing struct {
	node, invalid, pattern string
	tags, keys             []string
	fields                 map[string]string

	dryRun, yes bool
	scan        int
}

func (p *program) invalidate() *cobra.Command {
	var w clearing
	c := &cobra.Command{
		Use: "invalidate", GroupID: groupAct,
		Short: "Make wrong, or remove, exactly what is named",
		Long: `Make wrong, or remove, exactly what is named, for all processes.

--invalid, --tag and --node without fields make wrong whatever depends on them, as Cache.Invalidate does: one small write however many
entries there are, and no Get that starts later is given an old value. Explain and watch name this command and who ran it.
--key, --pattern and --node with fields remove entries.

--dry-run says what would be cleared, and how many entries by a bounded scan, and changes nothing. A pattern that begins with a wildcard
may match everything, and has to be confirmed by typing the prefix, or by --yes.`,
		Example: `  cacheme invalidate --invalid BookChanged id=7 --dry-run
  cacheme invalidate --invalid UserBooks user=7        an m2m node: the side that is left out is any
  cacheme invalidate --node Shelf                      all entries of a node
  cacheme invalidate --node Shelf user=7               one entry of it
  cacheme invalidate --tag autumn --tag winter
  cacheme invalidate --key user:7:shelf
  cacheme invalidate --pattern 'user:7:*'`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			w.fields, err = fieldsOf(args)
			if err == nil && len(args) > 0 && w.node == "" && w.invalid == "" {
				err = usagef("%q: only --node and --invalid take fields", args[0])
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&w.node, "node", "", "`name` of a node: its one entry with these fields, or without fields all of them")
	f.StringVar(&w.invalid, "invalid", "", "`name` of an invalid node, with field=value for each of its fields")
	f.StringArrayVar(&w.tags, "tag", nil, "a `tag`; may be repeated")
	f.StringArrayVar(&w.keys, "key", nil, "`key` of one entry; may be repeated")
	f.StringVar(&w.pattern, "pattern", "", "`pattern` of keys, within the prefix")
	f.BoolVar(&w.dryRun, "dry-run", false, "say what and how many, and change nothing")
	f.IntVar(&w.scan, "scan", 10_000, "at how many entries a dry run looks at most; each is fetched to see what it depends on")
	f.BoolVar(&w.yes, "yes", false, "do not ask before everything is removed")
	kinds := []string{"node", "invalid", "tag", "key", "pattern"}
	c.MarkFlagsMutuallyExclusive(kinds...)
	c.MarkFlagsOneRequired(kinds...)
	_ = c.RegisterFlagCompletionFunc("node", p.nodeCompletions)
	return p.does(c, func(ctx context.Context, _ []string) error {
		for kind, given := range map[string][]string{"node": {w.node}, "invalid": {w.invalid}, "pattern": {w.pattern}, "tag": w.tags, "key": w.keys} {
			if f.Changed(kind) && slices.Contains(given, "") {
				return usagef("--%s is empty; nothing was cleared", kind)
			}
		}
		if w.scan < 1 {
			return usagef("--scan is %d; write at how many entries to look", w.scan)
		}
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error { return p.clear(ctx, k, w) })
	})
}

// fieldsOf reads field=value.
func fieldsOf(args []string) (map[string]string, error) {
	fields := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, usagef("%q is no field=value", arg)
		}
		if _, twice := fields[name]; twice {
			return nil, usagef("the field %s is given twice", name)
		}
		fields[name] = value
	}
	return fields, nil
}

func (p *program) clear(ctx context.Context, k *cacheme.Console, w clearing) error {
	node, isNode := nodeNamed(k, w.node)
	invalid, isInvalid := invalidNamed(k, w.invalid)
	switch {
	case w.node != "" && !isNode:
		return usagef("%q is no node, or of several packages; cacheme nodes lists them", w.node)
	case w.invalid != "" && !isInvalid:
		return usagef("%q is no invalid node, or of several packages; cacheme nodes lists them", w.invalid)
	case w.pattern != "":
		return p.clearPattern(ctx, k, w)
	case w.keys != nil:
		return p.clearKeys(ctx, k, w.keys, w.dryRun)
	case isNode && len(w.fields) > 0:
		key, err := k.Key(node, w.fields)
		if err != nil {
			return err
		}
		return p.clearKeys(ctx, k, []string{key}, w.dryRun)
	}
	var what []cacheme.Invalid
	for _, tag := range w.tags {
		what = append(what, cacheme.Tag(tag))
	}
	if w.tags == nil {
		i, err := k.Invalid(or(node, invalid), w.fields)
		if err != nil {
			return err
		}
		what = append(what, i)
	}
	return p.makeWrong(ctx, k, what, w)
}

// cleared is what was cleared, as JSON.
type cleared struct {
	Dependencies []string `json:"dependencies,omitempty"` // that were made wrong
	Removed      int      `json:"removed"`                // entries
}

func (p *program) makeWrong(ctx context.Context, k *cacheme.Console, what []cacheme.Invalid, w clearing) error {
	c := k.Cache()
	impact, err := c.WouldInvalidate(what...)
	if err != nil {
		return err
	}
	if w.dryRun {
		return p.printImpact(ctx, impact, w.scan)
	}
	by := cacheme.By(cacheme.Write{Operation: "cacheme invalidate", Trace: whoami()})
	if err := c.Invalidate(ctx, append([]cacheme.Invalid{by}, what...)...); err != nil {
		if kept, ok := errors.AsType[*cacheme.UndeliveredError](err); ok {
			// A service would go on trying; this process ends.
			return fmt.Errorf("nothing is sure to have been made wrong, run it again: %w", kept.Err)
		}
		return err
	}
	if p.json {
		return p.document(cleared{Dependencies: impact.Dependencies})
	}
	_, _ = fmt.Fprintln(p.out, "made wrong:", printable(listed(impact.Dependencies)))
	return nil
}

// whoami is who runs the command, for Explain.
func whoami() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

func (p *program) printImpact(ctx context.Context, impact *cacheme.Impact, most int) error {
	g := progress{p: p}
	defer g.clear()
	err := impact.Scan(ctx, most, func(scanned, found int) bool {
		g.tellf("%s found, looked at %s entries", count(found), count(scanned))
		return true
	})
	g.clear()
	if err != nil {
		return err
	}
	if p.json {
		return p.document(impact)
	}
	_, _ = fmt.Fprintln(p.out, strings.TrimSuffix(printableLines(impact.String()), "\n"))
	return nil
}

// wouldRemove is what a dry run says of entries that would be removed, as JSON.
type wouldRemove struct {
	Found    int      `json:"found"`
	Looked   int      `json:"looked"`
	Complete bool     `json:"complete"`
	Keys     []string `json:"keys"` // the first of them
}

// shownKeys is how many keys a dry run shows.
const shownKeys = 20

func (p *program) clearKeys(ctx context.Context, k *cacheme.Console, keys []string, dryRun bool) error {
	if !dryRun {
		n, err := k.Remove(ctx, keys...)
		return p.printRemoved(n, err)
	}
	would := wouldRemove{Complete: true, Keys: []string{}}
	for _, key := range keys {
		// Not by Explain, which knows less than what can be removed: a Memo's keys do not tell what they depend on.
		_, err := k.Value(ctx, key)
		if err != nil && !errors.Is(err, cacheme.ErrNoEntry) {
			return err
		}
		would.Looked++
		if err == nil {
			would.Found++
			would.Keys = append(would.Keys, key)
		}
	}
	return p.printWould(would)
}

func (p *program) clearPattern(ctx context.Context, k *cacheme.Console, w clearing) error {
	if w.dryRun {
		would := wouldRemove{Keys: []string{}}
		b, err := p.browse(ctx, k, cacheme.Look{Pattern: w.pattern}, w.scan, func(e cacheme.EntryInfo) bool {
			if would.Found++; len(would.Keys) < shownKeys {
				would.Keys = append(would.Keys, e.Key)
			}
			return true
		})
		if err != nil {
			return err
		}
		would.Looked, would.Complete = b.looked, b.complete
		return p.printWould(would)
	}
	if keytmpl.Wide(w.pattern) && !w.yes {
		if err := p.confirm(ctx, "may remove every entry of "+p.prefix); err != nil {
			return err
		}
	}
	n, err := k.Cache().RemovePattern(ctx, w.pattern)
	return p.printRemoved(n, err)
}

// confirm asks for the prefix, until somebody answers or interrupts.
func (p *program) confirm(ctx context.Context, does string) error {
	fmt.Fprintf(p.err, "This %s. Type the prefix to go on: ", printable(does))
	typed := make(chan string, 1)
	go func() { // nothing can end a read of the terminal: whoever interrupts leaves it to the end of the process
		line, err := bufio.NewReader(p.in).ReadString('\n')
		if err != nil {
			line = "" // it was cut off
		}
		typed <- strings.TrimSpace(line)
	}()
	select {
	case line := <-typed:
		if line == p.prefix {
			return nil
		}
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.err)
		return fmt.Errorf("nothing was removed: %w", ctx.Err())
	}
	_, _ = fmt.Fprintln(p.err)
	return usagef("not confirmed, and nothing was removed; type %s, or give --yes", p.prefix)
}

func (p *program) printRemoved(n int, err error) error {
	switch {
	case err != nil && n > 0:
		return fmt.Errorf("%d entries were removed, and then: %w", n, err)
	case err != nil:
		return err
	case p.json:
		return p.document(cleared{Removed: n})
	}
	_, _ = fmt.Fprintln(p.out, "removed:", entries(n))
	return nil
}

func (p *program) printWould(w wouldRemove) error {
	if p.json {
		return p.document(w)
	}
	_, _ = fmt.Fprintln(p.out, "would remove:", entries(w.Found))
	for _, key := range w.Keys[:min(len(w.Keys), shownKeys)] {
		_, _ = fmt.Fprintln(p.out, " ", printable(key))
	}
	if more := w.Found - shownKeys; more > 0 {
		fmt.Fprintf(p.out, "  and %s more\n", count(more))
	}
	if !w.Complete {
		fmt.Fprintf(p.out, "and what is among the rest: it looked at %s keys, see --scan\n", count(w.Looked))
	}
	return nil
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return count(n) + " entries"
}
