package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) doctor() *cobra.Command {
	var waits int
	var ignored []string
	c := &cobra.Command{
		Use: "doctor", GroupID: groupRun, Args: cobra.NoArgs,
		Short: "Say what is set wrong on this Redis, and the remedy",
		Long: `Say what is set wrong on this Redis, and the remedy.

Looks at each server: version, role, memory, replication, persistence, connections, rights, and whether it may be asked at
all. It changes nothing, and needs nobody to have published anything. What has a remedy matters: then the exit code is 1.
Subjects that are meant as they are can be left out with --ignore.`,
		Example: `  cacheme doctor
  cacheme doctor --ignore save,appendonly       on a server that has other data too
  cacheme doctor --wait-replicas 1              for services with Options.WaitReplicas: 1
  cacheme doctor --json | jq '.findings[].remedy'`,
	}
	c.Flags().IntVar(&waits, "wait-replicas", 0, "the services' Options.WaitReplicas")
	c.Flags().StringSliceVar(&ignored, "ignore", nil, "`subjects` that are not looked at, separated by commas")
	return p.does(c, func(ctx context.Context, _ []string) (err error) {
		rdb, err := p.connect(ctx)
		if err != nil {
			return err
		}
		o := p.options()
		o.WaitReplicas = waits
		cache, err := cacheme.New(rdb, o)
		if err != nil {
			return errors.Join(err, rdb.Close())
		}
		defer func() { err = closing(ctx, cache, rdb, err) }()
		d, err := cacheme.Doctor(ctx, cache)
		if err != nil {
			return err
		}
		d.Findings = slices.DeleteFunc(d.Findings, func(f cacheme.Finding) bool { return slices.Contains(ignored, f.Subject) })
		return p.printDiagnosis(d)
	})
}

// diagnosed is a Diagnosis as JSON.
type diagnosed struct {
	Matter   int       `json:"matter"` // findings that have a remedy
	Findings []finding `json:"findings"`
	ACL      string    `json:"acl"`
}

type finding struct {
	Server  string `json:"server,omitempty"`
	Subject string `json:"subject"`
	Found   string `json:"found"`
	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy,omitempty"`
}

func (p *program) printDiagnosis(d cacheme.Diagnosis) error {
	all := diagnosed{Findings: []finding{}, ACL: d.ACL}
	for _, f := range d.Findings {
		all.Findings = append(all.Findings, finding(f))
		if f.Remedy != "" {
			all.Matter++
		}
	}
	// What matters comes first.
	slices.SortStableFunc(d.Findings, func(a, b cacheme.Finding) int { return rank(a) - rank(b) })
	var err error
	if p.json {
		err = p.document(all)
	} else {
		_, _ = fmt.Fprint(p.out, printableLines(d.String()))
		fmt.Fprintf(p.out, "%d of %d findings have a remedy\n", all.Matter, len(d.Findings))
	}
	if err == nil && all.Matter > 0 {
		return errFound
	}
	return err
}

func rank(f cacheme.Finding) int {
	if f.Remedy != "" {
		return 0
	}
	return 1
}
