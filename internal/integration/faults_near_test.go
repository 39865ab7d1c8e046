package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// nearPage is a page that processes keep near.
type nearPage struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (nearPage) Meta() cacheme.Meta { return cacheme.Meta{Key: "near:<id>", Near: cacheme.On} }

func (p nearPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{pageChanged{ID: p.ID}} }

// nearOrder is what a process with near values is told when it is started; for each line it gets it reads the page once and
// writes the version and where it came from. Truth is a key of Redis, which stands for a database.
type nearOrder struct{ Addr, Prefix, Truth string }

const nearVariable = "CACHEME_NEAR_ORDER"

// nearLag is Near.Lag of such a process.
const nearLag = 400 * time.Millisecond

func nearOptions(prefix string) cacheme.Options {
	return suite.Patient(cacheme.Options{Prefix: prefix, Near: cacheme.NearOptions{Lag: nearLag}})
}

// TestNearProcess is the body of such a process; in any other it has nothing to do.
func TestNearProcess(t *testing.T) {
	text := os.Getenv(nearVariable)
	if text == "" {
		return
	}
	var o nearOrder
	check(t, json.Unmarshal([]byte(text), &o))
	rdb := redis.NewClient(&redis.Options{Addr: o.Addr, ContextTimeoutEnabled: true})
	defer rdb.Close()
	c := suite.NewCache(t, rdb, nearOptions(o.Prefix), nearPage{}, pageChanged{})
	b, err := cacheme.Bind(c, func(ctx context.Context, _ nearPage) (int64, error) { return rdb.Get(ctx, o.Truth).Int64() })
	check(t, err)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		r, err := b.GetResult(t.Context(), nearPage{ID: 1})
		fmt.Println(r.Value, r.Tier, err)
	}
}

// nearProcess is one that runs.
type nearProcess struct {
	*kit.Child
	t     *testing.T
	in    io.Writer
	lines chan string
}

func startNear(t *testing.T, o nearOrder) *nearProcess {
	t.Helper()
	text, err := json.Marshal(o)
	check(t, err)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNearProcess$")
	cmd.Env = append(os.Environ(), nearVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	p := &nearProcess{t: t, lines: make(chan string, 10)}
	p.in, err = cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	p.Child = kit.StartChild(t, cmd)
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// ask has it read once.
func (p *nearProcess) ask() {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, "read")
	check(p.t, err)
}

// answer is what it read.
func (p *nearProcess) answer() (version int64, tier cacheme.Tier) {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		var failed string
		if n, err := fmt.Sscan(line, &version, &tier, &failed); !ok || n != 3 || failed != "<nil>" {
			p.t.Fatalf("the process says %q, %v", line, err)
		}
	case <-time.After(20 * time.Second):
		p.t.Fatal("the process says nothing")
	}
	return version, tier
}

func nearSleeps(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t)
	rdb := server.Client()
	o := nearOrder{Addr: server.Addr(), Prefix: suite.Prefix(), Truth: "the truth"}
	writer := suite.NewCache(t, rdb, nearOptions(o.Prefix), nearPage{}, pageChanged{})
	check(t, rdb.Set(t.Context(), o.Truth, 1, 0).Err())
	p := startNear(t, o)
	for version := int64(1); version < 4; version++ {
		within(t, 20*time.Second, "it has the page near", func() bool {
			p.ask()
			got, tier := p.answer()
			return got == version && tier == cacheme.TierNear
		})
		p.Pause()
		check(t, rdb.Set(t.Context(), o.Truth, version+1, 0).Err())
		check(t, writer.Invalidate(t.Context(), pageChanged{ID: 1}))
		time.Sleep(nearLag + 50*time.Millisecond)
		p.ask()
		p.Continue()
		if got, tier := p.answer(); got != version+1 {
			t.Errorf("the first Get after the pause = %d (%s), want %d", got, tier, version+1)
		}
	}
}
