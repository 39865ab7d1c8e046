// The bookstore shows what cacheme does: nothing but Go has to be installed.
//
//	go run ./examples/bookstore
//	go run ./examples/bookstore -serve :8080
//
// The second is the shop as a site to click through, with the admin page beside it; see serve.go. The first
// fills a bookstore (SQLite in a temporary file, Redis inside the process), tells in a dozen steps what is cached,
// what a write makes wrong by itself and what stays, and then lets readers and writers of two processes of the shop run
// against each other: each has a database handle and a cache of its own, and they share the file and Redis and nothing
// else. The writers go every way there is, from bun's builders to plain database/sql. A checker that knows every commit
// looks for a read that came back too old. The exit status is not 0 if there was one, or if anything in Redis would stay
// there for ever.
//
// To see how caching is declared, read schema.go, nodes.go, invalid.go and loaders.go, in this order. writes.go and
// transactions.go have what is written, and how; no line of them tells the cache. openShop in shop.go has the two lines
// that see to it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/redisurl"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// config is what one run does.
type config struct {
	redisURL string        // empty: an embedded Redis
	dsn      string        // empty: a temporary file
	traffic  time.Duration // how long readers and writers run
	seed     uint64
	size     size
	enough   bool          // the first old read that is found ends the traffic
	serve    string        // where the site listens; empty: there is none, and the story is told
	verify   float64       // share of the hits that the caches compare with the database by themselves
	hold     time.Duration // of the caches; 0: their default

	// joining is how each process joins its database and its cache; wrap stands between the caches and Redis. There a
	// test breaks the protocol to see the checker find it.
	joining joining
	told    func(context.Context, cacheme.Event) // everything that the caches tell; nil: nobody listens
	wrap    func(redis.UniversalClient) redis.UniversalClient
}

// command is the program: it returns the exit status, 0 for a run without a fault, 1 for one with, 2 for bad flags.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2 // the flag package has told why
	}
	if c.serve != "" {
		if err := served(ctx, c, newPage(stdout)); err != nil {
			_, _ = fmt.Fprintln(stderr, "bookstore:", err)
			return 1
		}
		return 0
	}
	r, err := run(ctx, c, newPage(stdout))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bookstore:", err)
		return 1
	}
	if r.faulty() {
		return 1
	}
	return 0
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (config, error) {
	c := config{size: fullSize, joining: asIntended()}
	flags := flag.NewFlagSet("bookstore", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&c.traffic, "for", 5*time.Second, "how long readers and writers run against each other")
	flags.Uint64Var(&c.seed, "seed", 1, "what the shop's contents and the traffic are drawn from")
	flags.Float64Var(&c.verify, "verify", 0, "`share` of the hits, 0 to 1, that the caches themselves compare with what the loaders give, in the background")
	flags.StringVar(&c.serve, "serve", "", "in place of all that, the shop as a site with the admin page beside it, for this machine alone, at this `address`: :8080")
	flags.StringVar(&c.dsn, "db", "", "SQLite `DSN` of a file to create the tables in; it is kept (default: a temporary file)")
	flags.StringVar(&c.redisURL, "redis", "", "`URL` of a Redis, redis://localhost:6379, of sentinels, redis://sentinel1:26379?master_name=main&addr=sentinel2:26379, or of a cluster, "+
		"redis://node1:6379?addr=node2:6379; only keys of an own prefix are touched (default: one inside this process)")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	var err error
	if c.serve != "" {
		c.serve, err = loopback(c.serve)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("-serve: %w", err)
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case c.traffic < 0:
		err = fmt.Errorf("-for is negative: %v", c.traffic)
	case !(c.verify >= 0 && c.verify <= 1):
		err = fmt.Errorf("-verify is no share of 0 to 1: %v", c.verify)
	case c.redisURL != "":
		if _, bad := redisurl.Parse(c.redisURL, patience); bad != nil {
			err = fmt.Errorf("-redis: %w", bad)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bookstore:", err)
		flags.Usage()
	}
	return c, err
}

// run builds the shop, tells the story, runs the traffic, and tears everything down again.
func run(ctx context.Context, c config, out *page) (r *report, err error) {
	// What is loaded while Redis is new is kept for one hold time, see docs/protocol.md. The story tells every hit beforehand, so
	// it has to be over by then, on however slow a machine.
	c.hold = time.Minute
	floor, err := openFloor(ctx, c, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, floor.close(ctx)) }()

	// Two processes of the shop: they share the database and Redis, and nothing else.
	open := func(c config) (s *shop) { //nolint:contextcheck // what is asked of the database is bounded by itself
		if err == nil {
			s, err = openShop(floor.redis, floor.db, floor.history, c)
		}
		return s
	}
	shops := []*shop{nil, nil}
	defer func() { err = errors.Join(err, closeShops(ctx, shops)) }()
	told := c
	told.verify = 0 // the story counts queries, and those of verified hits would be among them
	for i := range shops {
		shops[i] = open(told)
	}
	if err != nil {
		return nil, err
	}
	wrong, err := tell(ctx, shops[0], shops[1], out)
	if err != nil {
		return nil, fmt.Errorf("the story: %w", err)
	}
	if c.verify > 0 {
		shops = append(shops, open(c), open(c))
	}
	if err != nil {
		return nil, err
	}
	t := traffic{shops: shops[len(shops)-2:], history: floor.history, size: c.size, seed: c.seed, enough: c.enough}
	out.titlef("Traffic: %d readers and %d writers in two processes, for %v", readers, writers, c.traffic)
	r = t.run(ctx, c.traffic)
	r.storyWrong = wrong
	// An interrupt ends the traffic; what it left is looked at all the same.
	ctx = context.WithoutCancel(ctx)
	if err := r.sweep(ctx, t.shops[1]); err != nil {
		return nil, fmt.Errorf("the sweep: %w", err)
	}
	if err := r.inspect(ctx, floor.redis); err != nil {
		return nil, fmt.Errorf("looking for keys without a TTL: %w", err)
	}
	r.print(out)
	return r, nil
}
