package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// built builds a program of the repository.
func built(t testing.TB, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(dir))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", dir, err, out)
	}
	return program
}

// urls are the ways to run Redis: the URL that a program is given, and the servers.
var urls = []struct {
	name  string
	start func(testing.TB) (url string, all []*kit.RedisServer)
}{
	{"single", func(t testing.TB) (string, []*kit.RedisServer) {
		s := kit.Redis(t)
		return "redis://" + s.Addr(), []*kit.RedisServer{s}
	}},
	{"sentinel", func(t testing.TB) (string, []*kit.RedisServer) {
		g := kit.Sentinel(t, noFailover)
		o := g.Options()
		return fmt.Sprintf("redis://%s?master_name=%s&addr=%s", o.SentinelAddrs[0], o.MasterName, strings.Join(o.SentinelAddrs[1:], "&addr=")), g.Servers()
	}},
	{"cluster", func(t testing.TB) (string, []*kit.RedisServer) {
		c := kit.Cluster(t, noFailover)
		addrs := c.Options().Addrs
		return "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr="), c.Servers()
	}},
}

// cli is the command line at one Redis.
type cli struct {
	t       *testing.T
	program string
	env     []string
}

func (c cli) run(stdin string, args ...string) (out, told string, code int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = strings.NewReader(stdin), &stdout, &stderr, append(os.Environ(), c.env...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("cacheme %s: %v", strings.Join(args, " "), err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// ok is run for what has to go well.
func (c cli) ok(args ...string) string {
	c.t.Helper()
	out, told, code := c.run("", args...)
	if code != 0 {
		c.t.Fatalf("cacheme %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, told)
	}
	return out
}

// json reads what a command says with --json.
func (c cli) json(to any, args ...string) {
	c.t.Helper()
	out := c.ok(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), to); err != nil {
		c.t.Fatalf("cacheme %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// heard is what a program has printed so far.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

func (h *heard) find(what *regexp.Regexp) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return what.FindStringSubmatch(h.text.String())
}

func (h *heard) await(t testing.TB, what string) []string {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if m := h.find(regexp.MustCompile(what)); m != nil {
			return m
		}
	}
	t.Fatalf("the bookstore has not printed %q:\n%s", what, h.find(regexp.MustCompile("(?s).*"))[0])
	return nil
}

// Each command does its work at a bookstore whose readers and writers are at it, on each way to run Redis, and nobody is served
// anything old meanwhile.
func TestCommandLine_at_a_live_bookstore(t *testing.T) {
	t.Parallel()
	kit.Require(t, "redis-server")
	program, bookstore := built(t, "cmd/cacheme"), built(t, "examples/bookstore")
	for _, c := range urls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, _ := c.start(t)
			var store heard
			service := exec.CommandContext(t.Context(), bookstore, "-for", "10m", "-redis", url)
			service.Stdout, service.Stderr = &store, &store
			check(t, service.Start())
			ended := make(chan error, 1)
			go func() { ended <- service.Wait() }()
			defer func() { _ = service.Process.Kill() }()
			prefix := store.await(t, `keys (bookstore:\w+:)\*`)[1]
			store.await(t, `Traffic: `)

			at := cli{t, program, []string{"CACHEME_REDIS=" + url, "CACHEME_PREFIX=" + prefix}}
			looksIntoIt(at)
			clears(at)
			measures(at)

			check(t, service.Process.Signal(syscall.SIGINT))
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("the bookstore: %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("the bookstore does not end")
			}
			t.Logf("%s", store.await(t, `stale reads found +0 of [1-9]\d* checked`)[0])
		})
	}
}

// entriesOf lists the entries of a node, once there are any.
func (c cli) entriesOf(node string) (keys []string) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && keys == nil; {
		for line := range strings.Lines(c.ok("keys", node, "--limit", "50", "--json")) {
			var e struct{ Key, Node string }
			check(c.t, json.Unmarshal([]byte(line), &e))
			if e.Node != "main."+node {
				c.t.Fatalf("cacheme keys %s lists one of %s", node, e.Node)
			}
			keys = append(keys, e.Key)
		}
	}
	if keys == nil {
		c.t.Fatalf("no entry of %s", node)
	}
	return keys
}

func looksIntoIt(c cli) {
	c.t.Helper()
	out := c.ok("nodes")
	for _, line := range []string{`main\.Shelf +user:<user>:shelf +10m `, `main\.UserBooks +user_books +user:<user>:book:<book> +user, book`} {
		if !regexp.MustCompile(line).MatchString(out) {
			c.t.Errorf("cacheme nodes has no %q:\n%s", line, out)
		}
	}
	key := c.entriesOf("Shelf")[0]
	if out := c.ok("explain", key); !strings.HasPrefix(out, key+" (main.Shelf) is ") || !strings.Contains(out, "table:user_books") {
		c.t.Errorf("cacheme explain %s:\n%s", key, out)
	}
	if out := c.ok("graph"); !strings.Contains(out, "flowchart") || !strings.Contains(out, "main.Shelf") {
		c.t.Errorf("cacheme graph:\n%s", out)
	}
	lines := c.ok("watch", "--for", "3s", "--json")
	wrong := 0
	for line := range strings.Lines(lines) {
		var h struct {
			Write     struct{ Operation, Table, Caller string }
			MadeWrong []string `json:"made_wrong"`
		}
		check(c.t, json.Unmarshal([]byte(line), &h))
		if h.Write.Table != "" && h.Write.Operation != "" && h.MadeWrong != nil {
			wrong++
		}
	}
	if wrong < 10 {
		c.t.Errorf("cacheme watch told %d writes in three seconds of traffic:\n%s", wrong, lines)
	}
}

func clears(c cli) {
	c.t.Helper()
	var would struct {
		Dependencies []string
		Scanned      int
	}
	c.json(&would, "invalidate", "--invalid", "BookChanged", "id=1", "--dry-run")
	if len(would.Dependencies) == 0 || would.Scanned == 0 {
		c.t.Errorf("a dry run says %+v", would)
	}
	var did struct {
		Dependencies []string
		Removed      int
	}
	c.json(&did, "invalidate", "--invalid", "BookChanged", "id=1")
	if strings.Join(did.Dependencies, " ") != strings.Join(would.Dependencies, " ") {
		c.t.Errorf("invalidate made wrong %q, and the dry run said %q", did.Dependencies, would.Dependencies)
	}
	if out := c.ok("watch", "--last", "65536", "--once"); !strings.Contains(out, " cacheme invalidate, trace ") {
		c.t.Errorf("cacheme watch does not tell of the invalidation in %d bytes", len(out))
	}
	c.ok("invalidate", "--node", "Shelf")
	c.ok("invalidate", "--tag", "nobody has this")
	c.ok("invalidate", "--key", c.entriesOf("Shelf")[0])
	if out, told, code := c.run("", "invalidate", "--pattern", "*"); code != 2 || out != "" || !strings.Contains(told, "nothing was removed") {
		c.t.Errorf("invalidate --pattern * without a word: exit code %d\n%s%s", code, out, told)
	}
	c.entriesOf("Shelf")
	c.json(&did, "invalidate", "--pattern", "*", "--yes")
	if did.Removed == 0 {
		c.t.Error("invalidate --pattern * --yes removed nothing")
	}
}

func measures(c cli) {
	c.t.Helper()
	c.entriesOf("Shelf")
	var stats struct {
		Processes []struct{ Stats struct{ Loads int } }
		Nodes     []struct {
			Node    string
			Entries *int
		}
		Servers []struct {
			Memory int `json:"memory_bytes"`
			Keys   int
		}
	}
	c.json(&stats, "stats", "--count")
	if len(stats.Processes) != 2 || len(stats.Nodes) < 10 || stats.Nodes[0].Entries == nil || stats.Servers[0].Memory == 0 || stats.Servers[0].Keys == 0 {
		c.t.Errorf("cacheme stats says %+v", stats)
	}
	within(c.t, 30*time.Second, "cacheme top has the nodes that stats has", func() bool { // the store declares more as it goes on
		var top []struct{ Node string }
		c.json(&stats, "stats")
		c.json(&top, "top", "--once")
		return len(top) == len(stats.Nodes)
	})
	var whole struct{ Entries, Tokens, Found int }
	c.json(&whole, "verify")
	if whole.Entries == 0 || whole.Tokens == 0 || whole.Found != 0 {
		c.t.Errorf("cacheme verify says %+v", whole)
	}
	var bench []struct {
		Name  string
		Ratio float64
	}
	c.json(&bench, "bench", "--rounds", "50")
	if len(bench) != 5 || bench[0].Ratio != 1 || bench[3].Ratio < 1 {
		c.t.Errorf("cacheme bench says %+v", bench)
	}
}
