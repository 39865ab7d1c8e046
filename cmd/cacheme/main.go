// Command cacheme looks into the cache of running services, and clears parts of it. It needs the URL of their Redis and their
// prefix, and nothing of their code: what they declare they have published with Cache.Publish.
//
//	cacheme --redis redis://localhost:6379 --prefix shop: nodes
//	cacheme explain user:7:shelf
//	cacheme invalidate --invalid BookChanged id=7 --dry-run
//
// cacheme --help lists the commands, docs/cli.md shows what each of them prints.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	redis.SetLogger(quiet{}) // what it would log is in the errors
	code := run(ctx, os.Args[1:], os.Getenv, streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())), live: term.IsTerminal(int(os.Stdout.Fd())),
	})
	stop()
	os.Exit(code)
}

// quiet is a logger of go-redis that says nothing.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
