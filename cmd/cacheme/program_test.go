package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, c := range []struct {
		line, stdin string
		code        int
		says        string
	}{
		{"nodes", "", exitOK, ""},
		{"nodse", "", exitUsage, "nodes"},
		{"keys nothing", "", exitUsage, "neither a node nor a pattern"},
		{"keys --limit -1", "", exitUsage, "--limit"},
		{"keys [", "", exitUsage, "unclosed"},
		{"explain", "", exitUsage, "accepts 1 arg"},
		{"explain nothing", "", exitUsage, "no registered node"},
		{"graph --format png", "", exitUsage, "mermaid, dot, svg or json"},
		{"top --by name", "", exitUsage, "loads, gets, hits or time"},
		{"watch --once", "", exitUsage, "--last"},
		{"watch --for 2s", "", exitOK, ""},
		{"invalidate", "", exitUsage, "at least one"},
		{"invalidate --tag a --key b", "", exitUsage, "none of the others"},
		{"invalidate --tag a x=1", "", exitUsage, "only --node and --invalid take fields"},
		{"invalidate --invalid BookChanged id", "", exitUsage, "no field=value"},
		{"invalidate --invalid BookChanged id=1 id=2", "", exitUsage, "twice"},
		{"invalidate --invalid BookChanged", "", exitUsage, "id"},
		{"invalidate --node Nobody", "", exitUsage, "is no node"},
		{"invalidate --node UserBooks", "", exitUsage, "is no node"},
		{"invalidate --invalid main.Shelf", "", exitUsage, "is no invalid node"},
		{"invalidate --pattern=", "", exitUsage, "--pattern is empty"},
		{"invalidate --node=", "", exitUsage, "--node is empty"},
		{"invalidate --tag=", "", exitUsage, "--tag is empty"},
		{"invalidate --key=", "", exitUsage, "--key is empty"},
		{"invalidate --invalid BookChanged id=x", "", exitUsage, "is a int64"},
		{"invalidate --invalid UserBooks user=", "", exitUsage, "int64"},
		{"invalidate --invalid UserBooks user=0", "", exitUsage, "stands for any"},
		{"invalidate --node Shelf user=x", "", exitUsage, "other types"},
		{"invalidate --pattern [^~]*", "", exitUsage, "nothing was removed"},
		{"invalidate --pattern *:*", "", exitUsage, "nothing was removed"},
		{"invalidate --key session:7", "", exitUsage, "no registered node"},
		{"invalidate --pattern *", "", exitUsage, "nothing was removed"},
		{"invalidate --pattern ?**", "CM:\n", exitUsage, "nothing was removed"},
		{"verify", "", exitOK, ""},
		{"doctor", "", exitFound, ""},
		{"nodes --prefix other:", "", exitUnreachable, "Publish"},
		{"nodes --prefix=", "", exitUsage, "--prefix"},
		{"nodes --timeout 0s", "", exitUsage, "--timeout"},
		{"nodes --redis redis://:secret@127.0.0.1:1/", "", exitUnreachable, "does not answer"},
		{"nodes --redis redis://:secret@nowhere:x/", "", exitUsage, "--redis"},
		{"invalidate --pattern *", prefix + "\n", exitOK, ""},
	} {
		a := s.at(t.Context(), c.stdin, strings.Fields(c.line)...)
		if a.code != c.code || !strings.Contains(a.err, c.says) || strings.Contains(a.err, "secret") {
			t.Errorf("cacheme %s: exit code %d, want %d and %q in\n%s", c.line, a.code, c.code, c.says, a.err)
		}
	}
}

func TestAnInterruptHasItsCode(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := s.at(ctx, "", "keys"); a.code != exitInterrupted {
		t.Errorf("exit code %d, want %d\n%s", a.code, exitInterrupted, a.err)
	}
}

// What a terminal would obey is shown as what it is.
func TestKeysCannotWriteToTheTerminal(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	check(t, s.rdb.Set(t.Context(), prefix+"{bargains:\x1b[2J\n}", "x", time.Minute).Err())
	check(t, s.rdb.Set(t.Context(), prefix+"\x1b[2J", "x", time.Minute).Err())
	for _, args := range [][]string{{"keys", "*"}, {"verify"}, {"invalidate", "--pattern", "bargains:*", "--dry-run"}} {
		a := s.at(t.Context(), "", args...)
		if strings.Contains(a.out+a.err, "\x1b") || !strings.Contains(a.out, `\x1b[2J`) {
			t.Errorf("cacheme %s prints %q", strings.Join(args, " "), a.out+a.err)
		}
	}
}

// lines hands over each line that a command prints.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// A write is told once it is committed, with all that it made wrong; one that is rolled back is not.
func TestWatch(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	told, ended := make(lines, 1000), make(chan int, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { ended <- s.run(ctx, streams{out: told, err: io.Discard}, "watch", "--json") }()
	for len(told) == 0 && ctx.Err() == nil { // it listens once it tells of a write
		s.write(6, "shop/first.go:1")
		time.Sleep(10 * time.Millisecond)
	}
	s.write(7, "shop/writes.go:88")
	rolledBack, err := s.cache.Hold(ctx, BookChanged{ID: 8})
	check(t, err)
	check(t, rolledBack.End(ctx, context.Canceled))
	held, err := s.cache.Hold(ctx, cacheme.By(cacheme.Write{Operation: "DELETE", Table: "book_rows"}), BookChanged{ID: 9})
	check(t, err)
	check(t, held.End(ctx, nil))
	_, err = s.cache.RemovePattern(ctx, "user:1:*")
	check(t, err)

	var all string
	take := func(line string) {
		var h happened
		check(t, json.Unmarshal([]byte(line), &h))
		if h.Write != nil {
			all += h.Write.Operation + " "
		}
		all += strings.Join(append(h.MadeWrong, h.Removed...), " ") + "\n"
	}
	const last = "user:1:shelf"
	for ctx.Err() == nil && !strings.Contains(all, last) {
		select {
		case line := <-told:
			take(line)
		case <-ctx.Done():
		}
	}
	cancel()
	code := <-ended
	for len(told) > 0 { // what was told together with the last
		take(<-told)
	}
	for _, want := range []string{"UPDATE row:book_row:7", "DELETE row:book_row:9", last} {
		if strings.Count(all, want) != 1 {
			t.Errorf("watch does not tell %q once in\n%s", want, all)
		}
	}
	if strings.Contains(all, "row:book_row:8") || code != exitOK {
		t.Errorf("watch ends with %d, or tells what was rolled back:\n%s", code, all)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "-", time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 12 * time.Second: "12s", 1234 * time.Millisecond: "1.2s", 1500 * time.Microsecond: "1.5ms",
		20 * time.Hour: "20h", -5 * time.Second: "-5s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %q, want %q", d, got, want)
		}
	}
}
