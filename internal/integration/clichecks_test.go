package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
)

type checkedRow struct {
	ID int64 `bun:"id,pk"`
}

// checkedBook is what a service has published.
type checkedBook struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

// checkedChange is a row of it.
type checkedChange struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (checkedBook) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>"} }
func (b checkedBook) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{checkedChange{ID: b.ID}}
}
func (checkedChange) Meta() cacheme.Meta { return cacheme.Meta{Model: (*checkedRow)(nil)} }

// publishes is a service with an entry.
func publishes(t *testing.T, rdb redis.UniversalClient, prefix string) {
	t.Helper()
	c, err := cacheme.New(rdb, cacheme.Options{Prefix: prefix, Budget: time.Second, WriteBudget: time.Second})
	check(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // the server may be gone
	c.MustRegister(checkedBook{}, checkedChange{})
	check(t, c.Publish(t.Context()))
	_, err = cacheme.GetFrom(t.Context(), c, checkedBook{ID: 7}, func(context.Context, checkedBook) (string, error) { return "Momo", nil })
	check(t, err)
}

// verify finds what somebody else has left under the prefix, or done to what is there.
func TestCommandLine_verify_finds_what_is_not_whole(t *testing.T) {
	t.Parallel()
	s := kit.Redis(t)
	rdb := kit.Admin(t, s.Addr())
	at := cli{t, built(t, "cmd/cacheme"), []string{"CACHEME_REDIS=redis://" + s.Addr(), "CACHEME_PREFIX=shop:"}}
	if _, told, code := at.run("", "verify"); code != 3 || !strings.Contains(told, "Publish") {
		t.Errorf("without anything published: exit code %d\n%s", code, told)
	}
	publishes(t, rdb, "shop:")
	if out, told, code := at.run("", "verify"); code != 0 {
		t.Fatalf("of what is whole: exit code %d\n%s%s", code, out, told)
	}
	ctx := t.Context()
	entry, token := rdb.Keys(ctx, "shop:{*}").Val()[0], rdb.Keys(ctx, "shop:row:*:invalid").Val()[0]
	text := rdb.Get(ctx, entry).Val()
	for _, c := range []struct {
		what, want string
		do         func() error
		undo       func() error
	}{
		{"an entry that never ends", "never ends", func() error { return rdb.Persist(ctx, entry).Err() }, func() error { return rdb.Expire(ctx, entry, time.Minute).Err() }},
		{"an entry of other bytes", "checksum differs", func() error { return rdb.SetRange(ctx, entry, 30, "x").Err() }, func() error { return rdb.Set(ctx, entry, text, time.Minute).Err() }},
		{"a list for an entry", "is no string", func() error { return rdb.RPush(ctx, "shop:{x}", 1).Err() }, func() error { return rdb.Del(ctx, "shop:{x}").Err() }},
		{"a key of somebody else", "somebody else writes", func() error { return rdb.Set(ctx, "shop:session:7", "x", time.Minute).Err() }, func() error { return rdb.Del(ctx, "shop:session:7").Err() }},
		{"a token of other bytes", "no token that can be read", func() error { return rdb.Set(ctx, token, "1", time.Minute).Err() }, func() error { return rdb.Del(ctx, token).Err() }},
	} {
		check(t, c.do())
		out, _, code := at.run("", "verify")
		if code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want %q in\n%s", c.what, code, c.want, out)
		}
		check(t, c.undo())
	}
	if out, _, code := at.run("", "verify"); code != 0 {
		t.Errorf("once all is whole again: exit code %d\n%s", code, out)
	}
	s.Kill()
	if _, told, code := at.run("", "verify"); code != 3 || !strings.Contains(told, "does not answer") {
		t.Errorf("without Redis: exit code %d\n%s", code, told)
	}
}

// doctor finds each of what is planted here, says the remedy and exits with 1, and finds nothing that matters once it is undone.
func TestCommandLine_doctor_finds_what_is_planted(t *testing.T) {
	t.Parallel()
	s := kit.Redis(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	rdb := kit.Admin(t, s.Addr())
	ctx, one := t.Context(), rdb.Conn() // which is there when no other is let in
	t.Cleanup(func() { _ = one.Close() })
	program := built(t, "cmd/cacheme")
	at := cli{t, program, []string{"CACHEME_REDIS=redis://" + s.Addr(), "CACHEME_PREFIX=shop:"}}
	if out, told, code := at.run("", "doctor"); code != 0 {
		t.Fatalf("of a server that is set right: exit code %d\n%s%s", code, out, told)
	}
	set := func(name, value string) func() error {
		return func() error { return one.ConfigSet(ctx, name, value).Err() }
	}
	acl := func(rule string) func() error {
		return func() error { return one.Do(ctx, "ACL", "SETUSER", "default", rule).Err() }
	}
	for _, c := range []struct {
		what, subject, remedy string
		do, undo              func() error
	}{
		{"memory without a bound", "memory policy", "set maxmemory, and", set("maxmemory", "0"), set("maxmemory", "100mb")},
		{"a full server that refuses", "memory policy", "set maxmemory-policy allkeys-lru", set("maxmemory-policy", "noeviction"), set("maxmemory-policy", "allkeys-lru")},
		{"a file of all writes", "appendonly", "set appendonly no", set("appendonly", "yes"), set("appendonly", "no")},
		{"snapshots", "save", `set save ""`, set("save", "3600 1"), set("save", "")},
		{"snapshots that stop writes", "stop-writes-on-bgsave-error", "set stop-writes-on-bgsave-error no", set("save", "3600 1"), set("save", "")},
		{"connections that are closed early", "timeout", "set timeout 0", set("timeout", "20"), set("timeout", "0")},
		{
			"a small buffer for subscribers", "client-output-buffer-limit", "set client-output-buffer-limit pubsub 32mb",
			set("client-output-buffer-limit", "pubsub 65536 32768 10"), set("client-output-buffer-limit", "pubsub 33554432 8388608 60"),
		},
		{"notifications of keys", "notify-keyspace-events", `set notify-keyspace-events ""`, set("notify-keyspace-events", "KEA"), set("notify-keyspace-events", "")},
		{"no scripts for this user", "rights", "give its user the rights below", acl("-evalsha"), acl("+evalsha")},
		{"no channel for this user", "rights", "give its user the rights below", acl("resetchannels"), acl("allchannels")},
		{"settings that are not told", "CONFIG", "+config|get", acl("-config|get"), acl("+config|get")},
		{"INFO that is refused", "INFO", "allow INFO", acl("-info"), acl("+info")},
		{"few connections", "connections", "raise maxclients", func() error {
			if err := one.ConfigSet(ctx, "maxclients", "1").Err(); err != nil {
				return err
			}
			if err := kit.Client(t, s.Addr()).Ping(ctx).Err(); err == nil {
				t.Error("a second client was let in")
			}
			return one.ConfigSet(ctx, "maxclients", "100").Err()
		}, func() error { return one.ConfigResetStat(ctx).Err() }},
	} {
		check(t, c.do())
		out, told, code := at.run("", "doctor", "--json")
		check(t, c.undo())
		var said struct {
			Findings []struct{ Subject, Remedy string }
		}
		check(t, json.Unmarshal([]byte(out), &said))
		found := false
		for _, f := range said.Findings {
			found = found || f.Subject == c.subject && strings.Contains(f.Remedy, c.remedy)
		}
		if code != 1 || !found {
			t.Errorf("%s: exit code %d, and %q is no remedy for %s in\n%s%s", c.what, code, c.remedy, c.subject, out, told)
		}
		if out, told, code := at.run("", "doctor", "--ignore", c.subject); code != 0 {
			t.Errorf("%s is undone: exit code %d\n%s%s", c.what, code, out, told)
		}
	}
	pageShows(t, at)

	g := kit.Sentinel(t, noFailover, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	o := g.Options()
	at.env[0] = fmt.Sprintf("CACHEME_REDIS=redis://%s?master_name=%s", o.SentinelAddrs[0], o.MasterName)
	for _, want := range []string{"set min-replicas-to-write 1", "there are too few"} {
		if out, told, code := at.run("", "doctor", "--wait-replicas", "3"); code != 1 || !strings.Contains(out, want) {
			t.Errorf("with replicas: exit code %d, want %q in\n%s%s", code, want, out, told)
		}
	}
}

// pageShows holds that docs/cli.md shows what doctor prints of a server that is set right but for one thing.
func pageShows(t *testing.T, at cli) {
	t.Helper()
	page := filepath.Join("..", "..", "docs", "cli.md")
	text, err := os.ReadFile(page)
	check(t, err)
	block := regexp.MustCompile("(?s)(\\$ cacheme doctor --wait-replicas 1\n)(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("docs/cli.md has no doctor")
	}
	out, _, _ := at.run("", "doctor", "--wait-replicas", "1")
	// The version is the machine's, and so is what is connected.
	varies := regexp.MustCompile(`version: [\d.]+|\d+ of \d+ in use|\d+ keys evicted`)
	if want, got := varies.ReplaceAllString(string(block[2]), ""), varies.ReplaceAllString(out, ""); want != got {
		t.Errorf("docs/cli.md shows of doctor\n%s\nand it prints\n%s", want, out)
	}
}
