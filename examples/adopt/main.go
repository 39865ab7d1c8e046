// The adopt example makes an existing service fresh, in one small diff: nothing but Go has to be installed.
//
//	go run ./examples/adopt
//
// before/service.go is a service on bun and Redis as many are: it reads through a cache, and whoever writes a product
// deletes what is cached of it. after/service.go is the same service with cacheme. The program sends both the same
// requests and prints what each of them serves, beside what the database says.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	after "github.com/cacheme/cacheme/examples/adopt/after"
	before "github.com/cacheme/cacheme/examples/adopt/before"
	"github.com/cacheme/cacheme/examples/adopt/shop"
	"github.com/cacheme/cacheme/internal/embedded"
)

func main() {
	old, err := run(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "adopt:", err)
	}
	if err != nil || old["after"] > 0 {
		os.Exit(1)
	}
}

// service is what both can do.
type service interface {
	Product(ctx context.Context, id int64) (shop.Product, error)
	Rename(ctx context.Context, id int64, name string) error
	Sale(ctx context.Context, category string, percent int64) error
	Order(ctx context.Context, id int64, pay func() error) error
	Close() error
}

const mug int64 = 1

// requests are sent one after the other; after each a visitor looks at the mug.
var requests = []struct {
	says string
	send func(ctx context.Context, s service) error
}{
	{"a visitor looks at the mug", func(context.Context, service) error { return nil }},
	{"it is renamed", func(ctx context.Context, s service) error { return s.Rename(ctx, mug, "Big mug") }},
	{"UPDATE .. WHERE category: a sale", func(ctx context.Context, s service) error { return s.Sale(ctx, "kitchen", 90) }},
	{"it is renamed once more", func(ctx context.Context, s service) error { return s.Rename(ctx, mug, "Huge mug") }},
	{"one is sold; somebody looks before COMMIT", func(ctx context.Context, s service) error {
		return s.Order(ctx, mug, func() error {
			_, err := s.Product(ctx, mug)
			return err
		})
	}},
	{"an order is not paid: ROLLBACK", func(ctx context.Context, s service) error {
		broke := errors.New("no money")
		if err := s.Order(ctx, mug, func() error { return broke }); !errors.Is(err, broke) {
			return fmt.Errorf("an order without money: %w", err)
		}
		return nil
	}},
}

// services are the two.
var services = []struct {
	name string
	open func(driver.Connector, redis.UniversalClient) (service, error)
}{
	{"before", func(c driver.Connector, rdb redis.UniversalClient) (service, error) { return before.New(c, rdb) }},
	{"after", func(c driver.Connector, rdb redis.UniversalClient) (service, error) { return after.New(c, rdb) }},
}

// subject is one of them, on a database and a Redis of its own.
type subject struct {
	service

	name  string
	truth *bun.DB // past the service
}

// run sends the requests to both, and returns how many of the answers of each were old.
func run(ctx context.Context, out io.Writer) (old map[string]int, err error) {
	folder, err := os.MkdirTemp("", "adopt-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var subjects []subject
	for _, each := range services {
		server, err := embedded.Start(embedded.Options{})
		if err != nil {
			return nil, err
		}
		defer server.Close()
		file := shop.File(filepath.Join(folder, each.name))
		s := subject{name: each.name, truth: bun.NewDB(sql.OpenDB(file), sqlitedialect.New())}
		defer func() { _ = s.truth.Close() }()
		if err := shop.Open(ctx, s.truth); err != nil {
			return nil, err
		}
		if s.service, err = each.open(file, server.Client()); err != nil {
			return nil, err
		}
		defer func() { _ = s.Close() }()
		subjects = append(subjects, s)
	}
	return compare(ctx, subjects, out)
}

func compare(ctx context.Context, subjects []subject, out io.Writer) (map[string]int, error) {
	old := map[string]int{}
	page := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { _, _ = fmt.Fprintln(page, strings.Join(cells, "\t")) } // Flush returns the error
	line("", "the database says", subjects[0].name+" serves", subjects[1].name+" serves")
	for _, r := range requests {
		var truth shop.Product
		cells := []string{r.says, ""}
		for _, s := range subjects {
			if err := r.send(ctx, s); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", s.name, r.says, err)
			}
			if err := s.truth.NewSelect().Model(&truth).Where("id = ?", mug).Scan(ctx); err != nil {
				return nil, err
			}
			got, err := s.Product(ctx, mug)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", s.name, r.says, err)
			}
			if got == truth {
				cells = append(cells, "the same")
				continue
			}
			old[s.name]++
			cells = append(cells, "OLD: "+got.String())
		}
		cells[1] = truth.String() // of both, for they were sent the same
		line(cells...)
	}
	line("old answers", "", strconv.Itoa(old["before"]), strconv.Itoa(old["after"]))
	return old, page.Flush()
}
