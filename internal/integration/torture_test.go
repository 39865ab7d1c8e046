package integration_test

import (
	"cmp"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/torture"
	"github.com/cacheme/cacheme/internal/suite"
)

// TestTortureProcess is the body of a process of the torture run; in any other it has nothing to do.
func TestTortureProcess(t *testing.T) {
	if order, ok := torture.OrderOf(t); ok {
		if err := torture.Obey(order); err != nil {
			t.Fatal(err)
		}
	}
}

// The rates of a run beside other tests, and alone: processes that do without Redis load as fast as they can, and would
// leave Redis no processor to come back with.
const (
	rateBeside = 500
	rateAlone  = 3000
)

// TestTorture is the random run of docs/torture.md: a minute in make test, ten in make torture.
func TestTorture(t *testing.T) {
	t.Parallel()
	s := torture.Settings{
		For: time.Minute, Seed: rand.Uint64(), Rate: rateBeside, Children: 2, Inside: 2, Child: "TestTortureProcess",
		Topology: cmp.Or(os.Getenv("TOPOLOGY"), torture.Single), Database: cmp.Or(os.Getenv("DATABASE"), torture.SQLite),
		Live: 5 * time.Second, Rest: 2 * time.Second,
	}
	if suite.Torture() {
		s.For, s.Rate = 10*time.Minute, rateAlone
	}
	var err error
	if text := os.Getenv("FOR"); text != "" {
		s.For, err = time.ParseDuration(text)
		check(t, err)
	}
	if text := os.Getenv("SEED"); text != "" {
		s.Seed, err = strconv.ParseUint(text, 10, 64)
		check(t, err)
	}
	r := torture.Run(t, s)
	t.Logf("%v", r)
	if r.Count() != 0 {
		t.Errorf("%d violations; to run it again: %s", r.Count(), r.Command())
	}
}
