package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) top() *cobra.Command {
	var by string
	var once bool
	var every time.Duration
	c := &cobra.Command{
		Use: "top", GroupID: groupRun, Args: cobra.NoArgs,
		Short: "Watch which nodes are asked for, and loaded, most",
		Long: `Watch which nodes are asked for, and loaded, most.

What is shown is by the second: between the last two tellings of each process, which come every ten seconds; until the second one it is since the
process was started. UNDER WAY is how many loads of a node there are at a time. Ctrl-C ends it.`,
		Example: `  cacheme top
  cacheme top --by hits          the worst hit rate first
  cacheme top --once --json      one look, since the processes were started`,
	}
	c.Flags().StringVar(&by, "by", "loads", "loads, gets, hits (the lowest share first), or time (that loads take)")
	c.Flags().BoolVar(&once, "once", false, "print it once, and end")
	c.Flags().DurationVar(&every, "every", time.Second, "how often to look")
	_ = c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(slices.Sorted(maps.Keys(orders)), cobra.ShellCompDirectiveNoFileComp))
	return p.does(c, func(ctx context.Context, _ []string) error {
		order := orders[by]
		switch {
		case order == nil:
			return usagef("--by is %q; it may be loads, gets, hits or time", by)
		case every < 100*time.Millisecond:
			return usagef("--every is %v; write 100ms or more", every)
		}
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			return p.follow(ctx, k, order, once, every)
		})
	})
}

// busy is what a node does in a second.
type busy struct {
	Node     string  `json:"node"`
	Gets     float64 `json:"gets_per_second"`
	Hits     float64 `json:"hit_share"` // of the Gets, 0 to 1
	Loads    float64 `json:"loads_per_second"`
	Failed   float64 `json:"failed_loads_per_second"`
	LoadTime float64 `json:"load_seconds_per_second"` // 2: two loads were under way all the time
}

var orders = map[string]func(a, b busy) int{
	"loads": func(a, b busy) int { return cmp.Compare(b.Loads, a.Loads) },
	"gets":  func(a, b busy) int { return cmp.Compare(b.Gets, a.Gets) },
	"time":  func(a, b busy) int { return cmp.Compare(b.LoadTime, a.LoadTime) },
	"hits": func(a, b busy) int {
		if (a.Gets == 0) != (b.Gets == 0) { // what nobody asks for has no share
			return cmp.Compare(b.Gets, a.Gets)
		}
		return cmp.Compare(a.Hits, b.Hits)
	},
}

// follow looks again and again.
func (p *program) follow(ctx context.Context, k *cacheme.Console, order func(a, b busy) int, once bool, every time.Duration) error {
	seen := tellings{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		fleet, err := k.Fleet(ctx)
		if err != nil {
			return err
		}
		seen.add(fleet)
		nodes := seen.busy(k.Nodes())
		slices.SortStableFunc(nodes, order)
		if err := p.printTop(fleet, nodes); err != nil || once {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // that is how it is meant to end
		}
	}
}

func (p *program) printTop(fleet []cacheme.Process, nodes []busy) error {
	if p.json {
		return p.line(nodes)
	}
	var screen bytes.Buffer
	if p.live {
		screen.WriteString("\x1b[H\x1b[2J")
	}
	var pending, away int
	for _, process := range fleet {
		pending += process.Stats.Pending
		if process.Stats.Away {
			away++
		}
	}
	fmt.Fprintf(&screen, "processes: %d, without Redis: %d, invalidations kept: %d\n\n", len(fleet), away, pending)
	t := newTable(&screen, "NODE", "GETS/S", "HITS", "LOADS/S", "FAILED/S", "UNDER WAY")
	for _, n := range nodes {
		hits := dash
		if n.Gets > 0 {
			hits = fmt.Sprintf("%.1f%%", 100*n.Hits)
		}
		t.row(n.Node, rate(n.Gets), hits, rate(n.Loads), rate(n.Failed), fmt.Sprintf("%.2f", n.LoadTime))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := screen.WriteTo(p.out)
	return err
}

func rate(perSecond float64) string {
	if perSecond == 0 {
		return dash
	}
	return fmt.Sprintf("%.1f", perSecond)
}

// tellings are the last two of each process, by its ID.
type tellings map[string][2]cacheme.Process

// add takes in what the fleet tells now. A process that tells nothing any more is forgotten.
func (t tellings) add(fleet []cacheme.Process) {
	there := map[string]bool{}
	for _, now := range fleet {
		there[now.ID] = true
		last, known := t[now.ID]
		switch {
		case !known:
			t[now.ID] = [2]cacheme.Process{{At: now.Started}, now}
		case now.At.After(last[1].At):
			t[now.ID] = [2]cacheme.Process{last[1], now}
		}
	}
	maps.DeleteFunc(t, func(id string, _ [2]cacheme.Process) bool { return !there[id] })
}

// busy is what each node does in a second, in all processes.
func (t tellings) busy(nodes []cacheme.NodeInfo) []busy {
	all := make([]busy, 0, len(nodes))
	for _, n := range nodes {
		b := busy{Node: n.Node}
		var answered float64
		for _, two := range t {
			took := two[1].At.Sub(two[0].At).Seconds()
			if took <= 0 {
				continue
			}
			s := two[1].Nodes[n.Node].Since(two[0].Nodes[n.Node])
			b.Gets += float64(s.Gets()) / took
			answered += float64(s.Served()) / took
			b.Loads += float64(s.Loads) / took
			b.Failed += float64(s.LoadErrors) / took
			b.LoadTime += s.LoadTime.Seconds() / took
		}
		if b.Gets > 0 {
			b.Hits = answered / b.Gets
		}
		all = append(all, b)
	}
	return all
}
