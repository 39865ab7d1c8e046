package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) explain() *cobra.Command {
	var reveal bool
	c := &cobra.Command{
		Use: "explain KEY", GroupID: groupLook, Args: cobra.ExactArgs(1),
		Short: "Say why an entry is as it is: fresh, made wrong by which write, held, absent",
		Long: `Say why an entry is as it is: fresh, made wrong by which write, held, absent.

The key is as its node's template renders it, which keys lists. What it depends on is told with the write that made it wrong last.
It changes nothing, and counts as no hit. What a node's code alone knows (a Skip, what the process keeps near) is not seen from here.`,
		Example: `  cacheme explain user:7:shelf
  cacheme explain 'book:12>owner' --value
  cacheme explain user:7:shelf --json | jq -r .state`,
	}
	c.Flags().BoolVar(&reveal, "value", false, "show the value too, as far as it can be read without its Go type")
	return p.does(c, func(ctx context.Context, args []string) error {
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			x, err := k.Explain(ctx, args[0])
			if err != nil {
				return err
			}
			answer := explained{Explanation: x}
			if reveal && x.Size > 0 {
				v, err := k.Value(ctx, args[0])
				if err != nil {
					return err
				}
				answer.Value = &v
			}
			if p.json {
				return p.document(answer)
			}
			_, _ = fmt.Fprint(p.out, printableLines(x.String()))
			if v := answer.Value; v != nil {
				fmt.Fprintf(p.out, "  value  %s\n%s\n", size(v.Bytes), printableLines(v.Text))
			}
			return nil
		})
	})
}

// explained is an Explanation as JSON, with the value where that was asked for.
type explained struct {
	*cacheme.Explanation

	Value *cacheme.Value `json:"value,omitempty"`
}
