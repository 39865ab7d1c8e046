package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	// The processes of a fleet are this program started again.
	if was, err := child(); was {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	silenceGoZero()
	os.Exit(m.Run())
}

// requireRedis skips the test by name where no redis-server is installed; with CACHEME_REQUIRE=all it fails, as in
// internal/integration/kit, whose drivers of databases are of no use here.
func requireRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CACHEME_REQUIRE") == "all" {
		t.Fatalf("%s needs redis-server, which is not installed, and CACHEME_REQUIRE=all", t.Name())
	}
	t.Skipf("not run: %s needs redis-server, which is not installed", t.Name())
}

// tiny is a little of everything, so that a test of all workloads takes seconds.
func tiny() size {
	return size{
		rounds: 1, hold: 50 * time.Millisecond, calls: 20, gets: 640, goroutines: 64, herd: 40, herdLoad: 20 * time.Millisecond,
		requests: 500, universe: 500, callers: []int{50}, zipfLoad: 2 * time.Millisecond,
		trials: 2, dependents: []int{1, 20}, entries: 50, writes: 1000, seconds: 2,
		shortLived: 400, lingers: time.Second, growEntries: []int{10, 3000}, growDependencies: []int{1, 10}, growNodes: []int{1, 10},
		listeners: []int{0, 3}, capacityDependencies: []int{1, 3},
		fleet: 2, fleetReaders: 1, fleetKeys: 4, fleetRate: 200, fleetReads: 1000, fleetLasts: time.Second,
		fleetHold: 50 * time.Millisecond, faultLasts: 300 * time.Millisecond,
	}
}

func TestWorkloads(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	for _, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			r, err := w.measured(t.Context(), tiny(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range r.Tables {
				who := ours
				if w.name == "near-hit" {
					who = "otter"
				}
				if v, ok := table.figure(who, 0); !ok || v < 0 {
					t.Errorf("%s, %s: %s has the figure %v, %v", w.name, table.Title, who, v, ok)
				}
				for _, row := range table.Rows {
					if len(row.Cells) != len(table.Columns) {
						t.Errorf("%s, %s: %s has %d cells for %d columns", w.name, table.Title, row.Name, len(row.Cells), len(table.Columns))
					}
				}
			}
		})
	}
}
