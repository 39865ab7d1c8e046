package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writePage makes docs/benchmarks.md and its plots of what was found. Plots of earlier runs that nobody names go.
func writePage(docs string, results []result) error {
	text, plots := page(results)
	folder := filepath.Join(docs, "benchmarks")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range old {
		if _, ok := plots[filepath.Base(path)]; !ok {
			errs = append(errs, os.Remove(path))
		}
	}
	for name, svg := range plots {
		errs = append(errs, os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o644))
	}
	return errors.Join(append(errs, os.WriteFile(filepath.Join(docs, "benchmarks.md"), []byte(text), 0o644))...)
}

const opening = `# Benchmarks

<!-- Made by the program in benchmarks/: do not edit, run it. -->

cacheme beside what its users would take instead. One command runs all of it on redis-servers that it starts, and writes this page;
the raw results of every round are in [benchmarks/results](../benchmarks/results):

` + "```sh\ncd benchmarks && go run .\n```" + `

What is compared runs in one process, interleaved: call by call where small differences matter, in rounds elsewhere, whoever is first taking turns.
Figures are medians of rounds, ratios those within one round. Ratios travel to other machines; absolute times do not. Each peer is set up as its own
documentation advises (the file of each in [benchmarks](../benchmarks) says where). All on go-redis have the same client, and a peer that takes
bytes has cacheme's codec. cacheme's budgets are the 5 s that the peers' client waits for Redis, not 50 ms: in overload it would
sooner load by itself, and that is not what is compared. Everything is on one machine and its loopback: a network between makes a command dearer and a decode
relatively cheaper. Less is better in every column. Where somebody is ahead of cacheme it is said.

`

// page returns the text, and the plots by their names.
func page(results []result) (string, map[string]string) {
	var b strings.Builder
	b.WriteString(opening)
	writeConditions(&b, results)
	plots := map[string]string{}
	titles := map[string]workload{}
	for _, w := range workloads() {
		titles[w.name] = w
	}
	for _, r := range results {
		w := titles[r.Workload]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", w.title, w.about)
		for _, t := range r.Tables {
			writeTable(&b, t)
			for _, p := range t.Plots {
				name := p.Name + ".svg"
				plots[name] = draw(t, p)
				fmt.Fprintf(&b, "\n![%s: %s](benchmarks/%s)\n", w.title, p.Title, name)
			}
		}
	}
	b.WriteString("\n## Not here\n\n")
	if names := unmeasured(results); len(names) > 0 {
		fmt.Fprintf(&b, "Not measured yet, or not since they changed: %s.\n\n", strings.Join(names, ", "))
	}
	b.WriteString("These belong beside the others:\n\n")
	for _, a := range absent() {
		fmt.Fprintf(&b, "- %s: %s.\n", a[0], a[1])
	}
	return b.String(), plots
}

// unmeasured are the workloads that have no results.
func unmeasured(results []result) (names []string) {
	for _, w := range workloads() {
		if !slices.ContainsFunc(results, func(r result) bool { return r.Workload == w.name }) {
			names = append(names, w.name)
		}
	}
	return names
}

func writeConditions(b *strings.Builder, results []result) {
	b.WriteString("## Conditions\n\n| workload | date | took | rounds | machine | load averages | Go | Redis | note |\n|---|---|---|---|---|---|---|---|---|\n")
	versions := map[string]string{}
	for _, r := range results {
		c := r.Conditions
		machine := fmt.Sprintf("%s, %d cores, %s", c.CPU, c.Cores, c.OS)
		fmt.Fprintf(b, "| %s | %s | %s | %d | %s | %s | %s | %s | %s |\n", r.Workload, c.Date.Format("2006-01-02 15:04"), c.Took, c.Rounds, machine, c.Load, c.Go, c.Redis, c.Note)
		maps.Copy(versions, c.Versions)
	}
	b.WriteString("\nVersions: ")
	var all []string
	for _, module := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, module+" "+versions[module])
	}
	b.WriteString(strings.Join(all, ", ") + ".\n")
}

func writeTable(b *strings.Builder, t table) {
	if t.Title != "" {
		fmt.Fprintf(b, "\n### %s\n", t.Title)
	}
	b.WriteString("\n| | |")
	for _, c := range t.Columns {
		b.WriteString(" " + c.Name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---:|", len(t.Columns)) + "\n")
	for _, r := range t.Rows {
		name := r.Name
		if isOurs(name) {
			name = "**" + name + "**"
		}
		fmt.Fprintf(b, "| %s | %s |", name, r.About)
		for i, c := range r.Cells {
			text := c.Note
			if c.Value != nil {
				text = t.format(i, *c.Value) + text
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteString("\n")
	}
	if len(t.Words) > 0 {
		b.WriteString("\n")
		for _, w := range t.Words {
			b.WriteString("- " + w + "\n")
		}
	}
}

func isOurs(name string) bool { return strings.HasPrefix(name, ours) }
