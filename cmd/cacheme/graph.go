package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) graph() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "graph", GroupID: groupLook, Args: cobra.NoArgs,
		Short: "Draw which tables make what wrong, as Mermaid, DOT, SVG or JSON",
		Long: `Draw which tables make what wrong, as Mermaid, DOT, SVG or JSON.

From left to right: tables, what a write to them makes wrong, and what is cached. It is drawn from what services have published; docs/graph.md says where an
arrow may be missing.`,
		Example: `  cacheme graph                               for a fenced block of Markdown
  cacheme graph --format svg > graph.svg
  cacheme graph --format dot | dot -Tpng > graph.png`,
	}
	c.Flags().StringVar(&format, "format", "mermaid", "mermaid, dot, svg or json")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"mermaid", "dot", "svg", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return p.does(c, func(ctx context.Context, _ []string) error {
		draw := map[string]func(*cacheme.Graph) string{"mermaid": (*cacheme.Graph).Mermaid, "dot": (*cacheme.Graph).DOT, "svg": (*cacheme.Graph).SVG}[format]
		if draw == nil && format != "json" {
			return usagef("--format is %q; it may be mermaid, dot, svg or json", format)
		}
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			g, err := k.Cache().Graph(cacheme.GraphOptions{})
			switch {
			case err != nil:
				return err
			case p.json || draw == nil:
				return p.document(g)
			}
			_, err = fmt.Fprint(p.out, draw(g))
			return err
		})
	})
}
