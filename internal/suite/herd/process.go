package herd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

// Order is what one process of a herd of real processes is to do.
type Order struct {
	Addr    string // of the Redis
	Prefix  string
	Callers int
	ID      int64 // of the page
	Lease   time.Duration
	Load    time.Duration // how long a load takes; negative: it never ends
}

// Report is what a process tells when it has done so.
type Report struct {
	Loads   int64
	Slowest time.Duration
	Values  map[string]int
	Errors  []string
}

// The lines that a process writes before its Report.
const (
	Ready   = "ready"   // the callers stand at the barrier, which a line on stdin opens
	Loading = "loading" // the load that never ends has begun
)

// Obey is the life of one process: it says that it is ready, waits for a line, lets its callers go, and reports.
func Obey(order Order, in io.Reader, out io.Writer) error {
	rdb := redis.NewClient(&redis.Options{Addr: order.Addr, ContextTimeoutEnabled: true})
	defer rdb.Close()
	c, err := cacheme.New(rdb, cacheme.Options{
		Prefix: order.Prefix, Lease: order.Lease, Budget: 5 * time.Second, WriteBudget: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	if err := c.Register(declarations()...); err != nil {
		return err
	}
	// A fleet that has run for a while knows its server; the dial is not part of what is measured.
	if err := c.Invalidate(context.Background(), cacheme.Tag("warm")); err != nil {
		return err
	}
	fmt.Fprintln(out, Ready)
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	l := &loads{took: order.Load}
	load := l.page
	if order.Load < 0 {
		load = func(context.Context, Page) (string, error) {
			fmt.Fprintln(out, Loading)
			select {}
		}
	}
	a := crowd([]*cacheme.Cache{c}, order.Callers, func(c *cacheme.Cache) (any, error) {
		return cacheme.GetFrom(context.Background(), c, Page{ID: order.ID}, load)
	})
	r := Report{Loads: l.n.Load(), Slowest: a.slowest, Values: a.values}
	for _, err := range a.errs {
		r.Errors = append(r.Errors, err.Error())
	}
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return err
	}
	return c.Close(context.Background())
}

// Bound is how long the slowest of a herd of processes may wait for a load.
func Bound(load time.Duration) time.Duration { return bound(load) }
