package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the commands print now into docs/cli.md and testdata")

// What differs from run to run, in the order in which it is looked for.
var varying = []struct {
	what *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d\.\d{3}`), "<time>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+|localhost:\d+`), "<redis>"},
	{regexp.MustCompile(`[\w.-]+:\d{3,}\b`), "<process>"},
	{regexp.MustCompile(`\d{16}\|[\w-]{11}`), "<token>"},
	{regexp.MustCompile(`"id": "[\w-]+"`), `"id": "<id>"`},
	{regexp.MustCompile(`trace [^\s,]+`), "trace <who>"},
	{regexp.MustCompile(`"trace": ?"[^"]+"`), `"trace": "<who>"`},
	{regexp.MustCompile(`("(?:age|left|kept|load_time|now|loaded)\w*": ?)-?[\d.e-]+`), "$1<n>"},
	{regexp.MustCompile(`\b(\d+(\.\d+)?(ns|µs|ms|s|m|h))+\b`), "<t>"},
	{regexp.MustCompile(`\b\d+ µs`), "<t>"},
	{regexp.MustCompile(`\b\d+\.\d+([^%\d.]|$)`), "<n>$1"},
	{regexp.MustCompile(`(main\.\w+ +)[\d.]+ `), "$1<n> "},
	{regexp.MustCompile(`(?m)[ \t]+`), " "},
	{regexp.MustCompile(`(?m) $`), ""},
}

// steady is an output without what differs from run to run.
func steady(text string) string {
	for _, v := range varying {
		text = v.what.ReplaceAllString(text, v.name)
	}
	return text
}

// fences are the examples of docs/cli.md: a command line, and what it prints.
var fences = regexp.MustCompile("(?s)```console\n\\$ cacheme ([^\n]*)\n(.*?)```\n")

// Each example of docs/cli.md is what the command prints, one after the other against one shop.
func TestThePageShowsWhatTheCommandsPrint(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "cli.md")
	text, err := os.ReadFile(page)
	check(t, err)
	s := openShop(t)
	s.server.Advance(30 * time.Second)
	s.write(7, "shop/writes.go:88")
	shown := map[string]bool{}
	next := fences.ReplaceAllStringFunc(string(text), func(block string) string {
		m := fences.FindStringSubmatch(block)
		args := words(m[1])
		shown[args[0]] = true
		if args[0] == "doctor" {
			return block // it takes a real server: internal/integration holds it
		}
		a := s.at(t.Context(), prefix+"\n", args...)
		if a.code > 1 {
			t.Errorf("cacheme %s: exit code %d\n%s", m[1], a.code, a.err)
		}
		got := a.out
		if diff := cmp.Diff(steady(m[2]), steady(got)); diff != "" && !*update {
			t.Errorf("cacheme %s, - docs/cli.md + what it prints (go test -update writes it):\n%s", m[1], diff)
		} else if diff == "" {
			got = m[2]
		}
		return "```console\n$ cacheme " + m[1] + "\n" + got + "```\n"
	})
	root := (&program{}).root(func(string) string { return "" })
	for _, c := range root.Commands() {
		if !shown[c.Name()] && c.RunE != nil {
			t.Errorf("docs/cli.md has no example of cacheme %s", c.Name())
		}
	}
	if *update {
		check(t, os.WriteFile(page, []byte(next), 0o600))
	}
}

// words are the arguments of a command line, of which the page quotes some.
func words(line string) []string {
	args := strings.Fields(line)
	for i := range args {
		args[i] = strings.Trim(args[i], "'")
	}
	return args
}

// The names of the JSON are stable: a script may rely on each.
func TestJSON(t *testing.T) {
	s := openShop(t)
	s.write(7, "shop/writes.go:88")
	for _, line := range []string{
		"nodes", "keys user:*", "explain user:1:shelf", "explain book:8 --value", "stats --count", "top --once", "verify", "graph", "doctor",
		"invalidate --invalid BookChanged id=8 --dry-run", "invalidate --pattern user:* --dry-run", "invalidate --key book:8 --dry-run",
		"invalidate --invalid BookChanged id=8", "invalidate --pattern user:*", "watch --last 2 --once", "bench --rounds 10",
	} {
		name := regexp.MustCompile(`\W+`).ReplaceAllString(line, "_")
		a := s.at(t.Context(), "", append(words(line), "--json")...)
		if a.code > 1 || a.err != "" {
			t.Errorf("cacheme %s --json: exit code %d\n%s", line, a.code, a.err)
		}
		golden(t, name+".json", steady(a.out))
	}
}

// The help of each command says what it does and has an example.
func TestHelp(t *testing.T) {
	t.Parallel()
	root := (&program{}).root(func(string) string { return "" })
	for _, c := range root.Commands() {
		if c.RunE == nil {
			continue // completion and help are cobra's
		}
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "cacheme "+c.Name()) || c.GroupID == "" {
			t.Errorf("the help of %s has no text, no example or no group", c.Name())
		}
	}
	var out strings.Builder
	if code := run(t.Context(), nil, func(string) string { return "" }, streams{out: &out, err: &out}); code != exitOK {
		t.Errorf("cacheme alone: exit code %d", code)
	}
	golden(t, "help.txt", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		check(t, os.MkdirAll("testdata", 0o750))
		check(t, os.WriteFile(file, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	check(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, - wanted + got:\n%s", name, diff)
	}
}
