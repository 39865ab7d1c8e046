package integration_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/herd"
)

func openRedis(t testing.TB) suite.Server {
	t.Helper()
	return kit.Redis(t)
}

func TestHerd(t *testing.T) { herd.Run(t, openRedis) }

// herdOrder is the environment variable with which this test binary starts itself as one process of a herd.
const herdOrder = "CACHEME_HERD_ORDER"

// TestHerdProcess is the body of such a process; in any other it has nothing to do.
func TestHerdProcess(t *testing.T) {
	text := os.Getenv(herdOrder)
	if text == "" {
		return
	}
	var order herd.Order
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	if err := herd.Obey(order, os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

func TestHerd_of_processes(t *testing.T) {
	server := kit.Redis(t)
	lease, long := 300*time.Millisecond, time.Second
	if suite.Torture() {
		lease, long = 3*time.Second, 5*time.Second
	}
	for _, c := range []struct {
		name        string
		lease, load time.Duration
	}{
		{"costs one load", 3 * time.Second, 200 * time.Millisecond},
		{"costs one load that lasts for several leases", lease, long},
	} {
		t.Run(c.name, func(t *testing.T) {
			order := herd.Order{Addr: server.Addr(), Prefix: suite.Prefix(), Callers: 250, Lease: c.lease, Load: c.load}
			limit := herd.Bound(c.load)
			var slowest time.Duration
			for range 3 { // what another program does on the machine in one moment is not the cache's doing
				order.ID++
				if slowest = oneHerd(t, order); slowest <= limit || t.Failed() {
					return
				}
			}
			t.Errorf("the slowest caller took %v, want at most %v for a load of %v", slowest, limit, c.load)
		})
	}
}

// oneHerd lets four processes go at once and wants one load among them.
func oneHerd(t *testing.T, order herd.Order) (slowest time.Duration) {
	t.Helper()
	var herds []*herdProcess
	for range 4 {
		herds = append(herds, startHerd(t, order))
	}
	for _, p := range herds {
		p.await(t, herd.Ready)
	}
	for _, p := range herds {
		p.release(t)
	}
	var loads int64
	values := map[string]int{}
	for _, p := range herds {
		r := p.report(t)
		loads += r.Loads
		slowest = max(slowest, r.Slowest)
		for v, n := range r.Values {
			values[v] += n
		}
		if len(r.Errors) > 0 {
			t.Errorf("%d callers of a process got an error, the first: %s", len(r.Errors), r.Errors[0])
		}
	}
	if loads != 1 {
		t.Errorf("loads = %d, want 1", loads)
	}
	if want := 4 * order.Callers; values["load 1"] != want {
		t.Errorf("values = %v, want %d times %q", values, want, "load 1")
	}
	t.Logf("%d processes x %d callers: the slowest took %v, %.2f times the load", len(herds), order.Callers, slowest, float64(slowest)/float64(order.Load))
	return slowest
}

func TestHerd_whose_leading_process_is_killed_costs_one_load_more_after_at_most_one_lease(t *testing.T) {
	server := kit.Redis(t)
	order := herd.Order{Addr: server.Addr(), Prefix: suite.Prefix(), Callers: 1, ID: 1, Lease: time.Second, Load: -1}
	leader := startHerd(t, order)
	leader.await(t, herd.Ready)
	order.Callers, order.Load = 250, 200*time.Millisecond
	var herds []*herdProcess
	for range 2 {
		p := startHerd(t, order)
		p.await(t, herd.Ready)
		herds = append(herds, p)
	}
	leader.release(t)
	leader.await(t, herd.Loading)
	for _, p := range herds {
		p.release(t)
	}
	if err := leader.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}

	var loads int64
	var slowest time.Duration
	for _, p := range herds {
		r := p.report(t)
		loads, slowest = loads+r.Loads, max(slowest, r.Slowest)
		if len(r.Errors) > 0 || r.Values["load 1"] != order.Callers {
			t.Errorf("values = %v, errors = %v, want %d times %q", r.Values, r.Errors, order.Callers, "load 1")
		}
	}
	if loads != 1 {
		t.Errorf("loads after the leader's death = %d, want 1", loads)
	}
	// A look at the lease comes at most every 250 ms, and then the load; the rest is for a busy machine.
	if limit := order.Lease + 250*time.Millisecond + order.Load + 2*time.Second; slowest > limit {
		t.Errorf("the slowest caller took %v, want at most %v: a lease, a pause, a load", slowest, limit)
	}
	t.Logf("the slowest caller took %v, for a lease of %v and a load of %v", slowest, order.Lease, order.Load)
}

// herdProcess is one process of a herd.
type herdProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startHerd(t *testing.T, order herd.Order) *herdProcess {
	t.Helper()
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	p := &herdProcess{cmd: exec.Command(os.Args[0], "-test.run", "^TestHerdProcess$")}
	p.cmd.Env = append(os.Environ(), herdOrder+"="+string(text))
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // most have ended by themselves
		_ = p.cmd.Wait()
	})
	return p
}

func (p *herdProcess) line(t *testing.T) string {
	t.Helper()
	text, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("a process ended early: %q, %v", text, err)
	}
	return strings.TrimSpace(text)
}

func (p *herdProcess) await(t *testing.T, want string) {
	t.Helper()
	if got := p.line(t); got != want {
		t.Fatalf("a process said %q, want %q", got, want)
	}
}

func (p *herdProcess) release(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.in, "go\n"); err != nil {
		t.Fatal(err)
	}
}

func (p *herdProcess) report(t *testing.T) herd.Report {
	t.Helper()
	var r herd.Report
	if text := p.line(t); json.Unmarshal([]byte(text), &r) != nil {
		t.Fatalf("a process reported %q", text)
	}
	return r
}
