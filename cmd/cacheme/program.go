package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

// The exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitFound       = 1 // verify or doctor found something; an entry that explain finds not to be fresh is no such thing
	exitUsage       = 2
	exitUnreachable = 3   // Redis does not answer or refuses, nothing was published there, or the results cannot be written
	exitInterrupted = 130 // as shells have it for Ctrl-C
)

// errFound is what a command returns that has printed what it found.
var errFound = errors.New("found something")

// usageError is a mistake on the command line that only the command itself can see.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is a terminal: progress is told there
	live     bool // out is a terminal: it may be redrawn
}

// program is one call of the command.
type program struct {
	streams

	redis, prefix string
	json          bool
	timeout       time.Duration

	name  string // of the Redis that was connected to
	began bool   // the command line was understood
}

// run is the command; it returns the exit code.
func run(ctx context.Context, args []string, env func(string) string, s streams) int {
	ctx, end := context.WithCancel(ctx)
	defer end()
	out := &sink{to: s.out, end: end}
	s.out = out
	p := &program{streams: s}
	root := p.root(env)                       //nolint:contextcheck // ExecuteContext hands it to the commands
	root.SetArgs(append([]string{}, args...)) // of nil cobra would make those of the process
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	called, err := root.ExecuteContextC(ctx)
	code := p.code(ctx, err)
	if out.err != nil {
		code, err = exitUnreachable, fmt.Errorf("the results cannot be written: %w", out.err)
	}
	switch code {
	case exitOK, exitFound:
	case exitInterrupted:
		_, _ = fmt.Fprintln(s.err, "cacheme: interrupted:", reason(err))
	case exitUsage:
		fmt.Fprintf(s.err, "cacheme: %s\nSee: %s --help\n", reason(err), called.CommandPath())
	default:
		_, _ = fmt.Fprintln(s.err, "cacheme:", reason(err))
	}
	return code
}

// reason is an error for a person.
func reason(err error) string {
	return printableLines(strings.TrimPrefix(strings.TrimSpace(err.Error()), "cacheme: "))
}

func (p *program) code(ctx context.Context, err error) int {
	var mistake *usageError
	var refused *cacheme.UsageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFound
	case !p.began, errors.As(err, &mistake), errors.As(err, &refused):
		return exitUsage
	case ctx.Err() != nil:
		return exitInterrupted
	}
	return exitUnreachable
}

const aboutCacheme = `Look into the cache of running services, find out why something is old, and clear exactly that.

It needs the URL of their Redis and their prefix, and none of their code: what they declare they have published
with Cache.Publish. Results go to standard output, as tables for people or as JSON with --json; progress and
errors go to standard error. No command but invalidate and bench changes anything.

The URL of one Redis, of sentinels, or of a cluster:
  redis://user:password@localhost:6379/0        (rediss:// for TLS)
  redis://sentinel1:26379?master_name=main&addr=sentinel2:26379
  redis://node1:6379?addr=node2:6379

Exit codes:
  0    done
  1    verify or doctor found something that matters
  2    a mistake on the command line
  3    Redis does not answer or refuses, nothing was published under the prefix, or the results cannot be written
  130  interrupted`

func (p *program) root(env func(string) string) *cobra.Command {
	root := &cobra.Command{
		Use:   "cacheme",
		Short: "Look into the cache of running services",
		Long:  aboutCacheme,
		Example: `  export CACHEME_REDIS=redis://localhost:6379 CACHEME_PREFIX=shop:
  cacheme nodes                      what is cached
  cacheme explain user:7:shelf       why an entry is as it is
  cacheme invalidate --tag autumn    make wrong what has a tag
  cacheme doctor                     is this Redis set right?`,
		SilenceErrors: true, SilenceUsage: true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.redis, "redis", or(env("CACHEME_REDIS"), "redis://localhost:6379"), "`URL` of the Redis; also by CACHEME_REDIS")
	flags.StringVar(&p.prefix, "prefix", or(env("CACHEME_PREFIX"), "CM:"), "`prefix` of the cache's keys, as Options.Prefix; also by CACHEME_PREFIX")
	flags.BoolVar(&p.json, "json", false, "print JSON for scripts; its names are stable")
	flags.DurationVar(&p.timeout, "timeout", 5*time.Second, "how long one step may wait for Redis")
	if env("CACHEME_REDIS") != "" {
		hidePassword(flags.Lookup("redis"))
	}
	root.AddGroup(
		&cobra.Group{ID: groupLook, Title: "What is there, and why:"},
		&cobra.Group{ID: groupAct, Title: "What changes something:"},
		&cobra.Group{ID: groupRun, Title: "How it runs:"},
	)
	root.AddCommand(
		p.nodes(), p.keys(), p.explain(), p.graph(), p.invalidate(), p.stats(), p.top(), p.watch(), p.verify(), p.doctor(), p.bench(),
	)
	return root
}

// The groups of the commands in the help.
const (
	groupLook = "look"
	groupAct  = "act"
	groupRun  = "run"
)

// does gives a command what it does. From then on an error is none of the command line.
func (p *program) does(c *cobra.Command, f func(ctx context.Context, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		p.began = true
		return f(c.Context(), args)
	}
	return c
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
