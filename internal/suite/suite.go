// Package suite is what all acceptance suites share. A suite is a package below this one with func Run(t, open): the
// same tests run here on an embedded Redis and in internal/integration on a real one.
package suite

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

// Server is one running Redis.
type Server interface {
	// Client is closed when the server is. Of a Cluster it is a *redis.ClusterClient, with what it has of the options.
	Client(with ...func(*redis.Options)) redis.UniversalClient
}

// Open starts a Redis of the test's own, which ends with the test.
type Open func(t testing.TB) Server

// Embedded is the Open of this module's own tests. It keeps time with the machine, and has what INFO tells.
func Embedded(t testing.TB) Server {
	t.Helper()
	s, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return embedded.Universal{Server: s}
}

// Torture reports whether the suites run in full, as make torture has it.
func Torture() bool { return os.Getenv("TORTURE") != "" }

// Count is how often to do what make torture does full times: a twentieth of it in make test, at least once.
func Count(full int) int {
	if Torture() {
		return full
	}
	return max(1, full/20)
}

// Patient returns options whose budgets and holds do not run out on a busy machine, so that what a test sees is the protocol
// and not the machine.
func Patient(o cacheme.Options) cacheme.Options {
	o.Budget = cmp.Or(o.Budget, 30*time.Second)
	o.WriteBudget = cmp.Or(o.WriteBudget, 30*time.Second)
	o.Hold = cmp.Or(o.Hold, time.Minute)
	return o
}

// PatientClient is an option of a client that does not give up on a busy machine either.
func PatientClient(o *redis.Options) {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Minute, time.Minute, time.Minute
}

// NewCache returns a cache with its declarations, closed when the test ends. What it leaves in Redis has to end by itself:
// a key of its prefix without a TTL fails the test, see [EveryKeyHasATTL].
func NewCache(t testing.TB, rdb redis.UniversalClient, o cacheme.Options, declarations ...cacheme.Declaration) *cacheme.Cache {
	t.Helper()
	c, err := cacheme.New(rdb, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Errorf("Close() = %v", err)
		}
		EveryKeyHasATTL(t, rdb, cmp.Or(o.Prefix, "CM:"))
	})
	if err := c.Register(declarations...); err != nil {
		t.Fatal(err)
	}
	return c
}

var prefixes atomic.Int64

// Prefix returns a key prefix that no other test of this process has.
func Prefix() string { return fmt.Sprintf("T%d:", prefixes.Add(1)) }
