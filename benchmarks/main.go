// Benchmarks measures cacheme beside what its users would take instead: one command runs all workloads on redis-servers
// that it starts, keeps the raw results, and writes docs/benchmarks.md with tables and plots.
//
//	cd benchmarks && go run .                        # everything, about 25 minutes
//	cd benchmarks && go run . -run 'hit|herd'        # some of it; the page keeps the last results of the others
//
// It is a module of its own, so that no user of cacheme gets to see the peers' dependencies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	was, err := child()
	if !was {
		err = run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	which := flag.String("run", ".", "the workloads to run, as a regular expression")
	rounds := flag.Int("rounds", 5, "how often each is repeated; medians are told")
	out := flag.String("out", "..", "the repository, where benchmarks/results and docs/benchmarks.md are written")
	note := flag.String("note", "", "what the page shall say of the conditions, such as a busy machine")
	flag.Parse()
	pattern, err := regexp.Compile(*which)
	if err != nil {
		return err
	}
	silenceGoZero()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	results := filepath.Join(*out, "benchmarks", "results")
	var failed []error
	for _, w := range workloads() {
		if !pattern.MatchString(w.name) {
			continue
		}
		r, err := w.measured(ctx, full(*rounds), *note)
		if err == nil {
			err = r.save(results)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", w.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	all, err := readResults(results)
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	return errors.Join(append(failed, writePage(filepath.Join(*out, "docs"), all))...)
}

// progressf tells on stderr what is going on.
func progressf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
