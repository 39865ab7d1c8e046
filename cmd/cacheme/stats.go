package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) stats() *cobra.Command {
	var counts bool
	c := &cobra.Command{
		Use: "stats", GroupID: groupRun, Args: cobra.NoArgs,
		Short: "Count Gets, hits and loads by process and by node, and the memory of Redis",
		Long: `Count Gets, hits and loads by process and by node, and the memory of Redis.

Each process tells its counts every ten seconds, since it was started; one that has told nothing for a minute is not listed. A hit is a Get that was
answered without its loader, by Redis or by the process itself; STALE are those answered by a known old value. --count looks through all
keys of the prefix, in small steps, and counts the entries of each node.`,
		Example: `  cacheme stats
  cacheme stats --count
  cacheme stats --json | jq '[.processes[].stats.violations] | add'`,
	}
	c.Flags().BoolVar(&counts, "count", false, "count the entries of each node, which takes a look at each key of the server")
	return p.does(c, func(ctx context.Context, _ []string) error {
		return p.attached(ctx, func(k *cacheme.Console, rdb redis.UniversalClient) error {
			s, err := p.statistics(ctx, k, rdb, counts)
			if err != nil {
				return err
			}
			if p.json {
				return p.document(s)
			}
			return p.printStatistics(s)
		})
	})
}

// statistics is what stats says, as JSON.
type statistics struct {
	Processes []cacheme.Process `json:"processes"`
	Nodes     []nodeStats       `json:"nodes"`
	Servers   []serverStats     `json:"servers"`
}

type nodeStats struct {
	Node    string        `json:"node"`
	Stats   cacheme.Stats `json:"stats"`             // of all processes
	Entries *int          `json:"entries,omitempty"` // with --count
}

type serverStats struct {
	Server    string `json:"server"`
	Memory    int64  `json:"memory_bytes"`
	MaxMemory int64  `json:"max_memory_bytes"` // 0: no limit
	Keys      int64  `json:"keys"`             // of the database, whoever they belong to
}

func (p *program) statistics(ctx context.Context, k *cacheme.Console, rdb redis.UniversalClient, counts bool) (s statistics, err error) {
	if s.Processes, err = k.Fleet(ctx); err != nil {
		return s, err
	}
	if s.Processes == nil {
		s.Processes = []cacheme.Process{}
	}
	for _, n := range k.Nodes() {
		one := nodeStats{Node: n.Node}
		for _, process := range s.Processes {
			one.Stats = one.Stats.Plus(process.Nodes[n.Node])
		}
		s.Nodes = append(s.Nodes, one)
	}
	if counts {
		if err := p.countEntries(ctx, k, s.Nodes); err != nil {
			return s, err
		}
	}
	err = eachMaster(ctx, rdb, func(server redis.UniversalClient) error {
		one, err := p.memoryOf(ctx, server)
		one.Server = p.name
		if _, cluster := rdb.(*redis.ClusterClient); cluster {
			one.Server = server.(*redis.Client).Options().Addr
		}
		s.Servers = append(s.Servers, one)
		return err
	})
	slices.SortFunc(s.Servers, func(a, b serverStats) int { return strings.Compare(a.Server, b.Server) })
	return s, err
}

func (p *program) countEntries(ctx context.Context, k *cacheme.Console, nodes []nodeStats) error {
	found := map[string]int{}
	if _, err := p.browse(ctx, k, cacheme.Look{}, 0, func(e cacheme.EntryInfo) bool {
		found[e.Node]++
		return true
	}); err != nil {
		return err
	}
	for i := range nodes {
		n := found[nodes[i].Node]
		nodes[i].Entries = &n
	}
	return nil
}

// memoryOf asks one server. One that refuses INFO tells no memory, which is no reason to tell nothing else.
func (p *program) memoryOf(ctx context.Context, server redis.UniversalClient) (s serverStats, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if s.Keys, err = server.DBSize(ctx).Result(); err != nil {
		return s, err
	}
	info, err := server.InfoMap(ctx, "memory").Result()
	var refused redis.Error
	if err != nil && !errors.As(err, &refused) {
		return s, err
	}
	s.Memory, _ = strconv.ParseInt(info["Memory"]["used_memory"], 10, 64) // what is not told is 0
	s.MaxMemory, _ = strconv.ParseInt(info["Memory"]["maxmemory"], 10, 64)
	return s, nil
}

func (p *program) printStatistics(s statistics) error {
	t := newTable(p.out, "PROCESS", "UP", "GETS", "HITS", "NEAR", "LOADS", "FAILED", "KEPT", "VIOLATIONS", "")
	for _, process := range s.Processes {
		of := process.Stats
		t.row(process.Name, short(process.At.Sub(process.Started).Round(time.Second)), count(of.Gets()), share(of.Served(), of.Gets()), share(of.NearHits, of.Gets()),
			count(of.Loads), count(of.LoadErrors), count(of.Pending), count(of.Violations), condition(process))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(s.Processes) == 0 {
		_, _ = fmt.Fprintln(p.out, "no process has told anything within the last minute")
	}
	_, _ = fmt.Fprintln(p.out)
	t = newTable(p.out, "NODE", "GETS", "HITS", "STALE", "LOADS", "FAILED", "A LOAD TAKES", "ENTRIES")
	for _, n := range s.Nodes {
		entries := dash
		if n.Entries != nil {
			entries = count(*n.Entries)
		}
		t.row(n.Node, count(n.Stats.Gets()), share(n.Stats.Served(), n.Stats.Gets()), share(n.Stats.StaleHits, n.Stats.Gets()),
			count(n.Stats.Loads), count(n.Stats.LoadErrors), perLoad(n.Stats), entries)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.out)
	t = newTable(p.out, "REDIS", "MEMORY", "OF", "KEYS")
	for _, server := range s.Servers {
		t.row(server.Server, sizeOrDash(server.Memory), sizeOrDash(server.MaxMemory), count(server.Keys))
	}
	return t.flush()
}

// condition is what is wrong with a process now.
func condition(p cacheme.Process) string {
	switch {
	case p.Stats.Away:
		return "Redis is away"
	case !p.Enabled:
		return "disabled"
	}
	return ""
}

// perLoad is how long a load takes, on average.
func perLoad(s cacheme.Stats) string {
	if s.Loads == 0 {
		return dash
	}
	return short(s.LoadTime / time.Duration(s.Loads))
}
