package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// A URL of sentinels has passwords among its parameters; one that is mistaken has them anywhere.
func TestHelpTellsNoPassword(t *testing.T) {
	t.Parallel()
	for url, shown := range map[string]string{
		"redis://:s3cret@one:6379/2": `"one:6379"`,
		"redis://user:s3cret@s1:26379?master_name=main&addr=s2:26379&password=s3cret": `"main of the sentinels at s1:26379, s2:26379"`,
		"user:s3cret@one:6379":  "which is no URL",
		"redis://:s3/cret@one":  "which is no URL",
		"redis:s3cret@one:6379": "which is no URL",
	} {
		var out bytes.Buffer
		env := func(name string) string { return map[string]string{"CACHEME_REDIS": url}[name] }
		if code := run(t.Context(), []string{"--help"}, env, streams{out: &out, err: &out}); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		if text := out.String(); strings.Contains(text, "s3") && strings.Contains(text, "cret") || !strings.Contains(text, shown) {
			t.Errorf("with CACHEME_REDIS=%s the help is\n%s", url, text)
		}
	}
}

// full is a disk that takes a little.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	n := min(f.left, len(b))
	if f.left -= n; n < len(b) {
		return n, errFull
	}
	return n, nil
}

// What nobody can read has not been said: a script must not take half of a list for all of it.
func TestResultsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.write(7, "shop/writes.go:88")
	for _, line := range []string{
		"nodes", "nodes --json", "keys *", "keys * --json", "explain book:8", "stats", "top --once", "top", "top --json", "verify", "doctor", "doctor --json", "graph",
		"invalidate --tag bargains --dry-run", "invalidate --tag bargains", "invalidate --key book:9", "watch --last 1 --once", "watch --last 1", "bench --rounds 10", "--help",
	} {
		var told bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		code := s.run(ctx, streams{in: strings.NewReader(""), out: &full{10}, err: &told}, strings.Fields(line)...)
		if code != exitUnreachable || !strings.Contains(told.String(), errFull.Error()) || ctx.Err() != nil {
			t.Errorf("cacheme %s: exit code %d, %v\n%s", line, code, ctx.Err(), told.String())
		}
		cancel()
	}
}

// interrupter is a terminal before which somebody presses Ctrl-C once he is asked.
type interrupter struct {
	bytes.Buffer
	press func()
}

func (i *interrupter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "Type the prefix") {
		i.press()
	}
	return i.Buffer.Write(b)
}

func TestAnInterruptEndsTheQuestion(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	nobody, keyboard := io.Pipe()
	hung := time.AfterFunc(10*time.Second, func() { _ = keyboard.Close() })
	defer hung.Stop()
	told := &interrupter{press: cancel}
	code := s.run(ctx, streams{in: nobody, out: io.Discard, err: told}, "invalidate", "--pattern", "*")
	if code != exitInterrupted || !strings.Contains(told.String(), "nothing was removed") {
		t.Errorf("exit code %d, want %d\n%s", code, exitInterrupted, told.String())
	}
	check(t, keyboard.Close())
}

// A dry run knows what the act knows: what a Memo's entry depends on is not told by its key, and it can be removed all the same.
func TestDryRunOfAMemo(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	memo := cacheme.MustMemo(s.cache, cacheme.Memoized[int, string]{
		Meta: cacheme.Meta{Key: "list:<page>"}, Values: func(page int) []any { return []any{page} },
	}, func(context.Context, int) (string, error) { return "a list", nil })
	_, err := memo.Get(t.Context(), 7)
	check(t, err)
	check(t, s.cache.Publish(t.Context()))
	for _, line := range []string{"--dry-run", ""} {
		out := s.call(strings.Fields("invalidate --key list:7 --key list:8 " + line)...)
		if !strings.Contains(out, "1 entry") {
			t.Errorf("cacheme invalidate %s:\n%s", line, out)
		}
	}
}
