package main

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// smallSize is a shop that is filled at once.
var smallSize = size{users: 60, authors: 20, books: 120, places: 500, follows: 150, members: 100}

func small() config {
	return config{traffic: 300 * time.Millisecond, seed: 1, size: smallSize, joining: asIntended()}
}

func runFor(t *testing.T, c config) (*report, string) {
	t.Helper()
	var out bytes.Buffer
	r, err := run(t.Context(), c, newPage(&out))
	if err != nil {
		t.Fatalf("run() = %v, after\n%s", err, &out)
	}
	return r, out.String()
}

func TestRun_tells_the_story_and_finds_no_fault(t *testing.T) {
	t.Parallel()
	r, out := runFor(t, small())
	for _, line := range []string{
		`loading books +120`,
		` 1  Ada looks at her shelf`,
		`get +user:7:shelf +miss`,
		`get +user:7:shelf +hit +0 queries +\d+ books`,
		`get, process two +user:7:shelf +hit +0 queries`,
		`write +Ada takes books \d+ and \d+ \(m2m bulk add, autocommit\)`,
		`makes wrong +book:\d+:readers, user:7:shelf`,
		`get, process two +user:8:shelf +hit +0 queries`,
		`get, process two +book:\d+>owner +miss .*Countess Lovelace`,
		`get, process two +book:\d+>chapters +hit +0 queries +3 chapters`,
		`makes wrong +author:\d+:books, author:\d+:books, book:\d+>chapters, book:\d+>owner and 1 more`,
		`get, process two +book:121:row +hit +0 queries +not found`,
		`get, process two +book:121:row +miss +1 query +Sketch of the Analytical Engine`,
		`get, process two +user:7:followers +hit +0 queries`,
		`get, process two +author:2:club +miss .*Ada is president`,
		`write +another title, taken back just before COMMIT \(struct by key, rollback\)\n +makes wrong +nothing that is cached`,
		`\(m2m bulk add, savepoint undone\)\n +makes wrong +user:7:shelf\n`,
		`\(update where, autocommit\)\n +makes wrong +author:\d+:books`,
		`\(cascade, autocommit\)\n +makes wrong .*book:\d+:readers, user:\d+:shelf`,
		`get, process two +bargains +stale 0 queries`,
		`author:\d+:books +miss +\d (query|queries) +for all 200`,
		`Traffic: 8 readers and 3 writers`,
		`stale reads found +0 of \d+ checked`,
		`wrong entries at the end +0 of \d+ compared`,
		`keys without a TTL +0 of \d+ in redis`,
		`steps not as told +0`,
		`redis commands +\d+`,
	} {
		if !regexp.MustCompile(line).MatchString(out) {
			t.Errorf("nothing matches %q", line)
		}
	}
	if all := r.total(); all.reads == 0 || r.writes+r.undone == 0 || r.swept == 0 || r.keys == 0 {
		t.Errorf("the run did nothing: %+v, %d writes, %d swept, %d keys", all, r.writes, r.swept, r.keys)
	}
	if r.faulty() {
		t.Error("the run found faults")
	}
	if strings.Contains(out, "\x1b[") {
		t.Error("colours where there is no terminal")
	}
	if t.Failed() {
		t.Log(out)
	}
}

// slow makes what happens around a COMMIT take its time, so that what is amiss there can be seen: the COMMIT itself, and
// the end of the hold after it.
func slow(c *config) {
	c.wrap = func(rdb redis.UniversalClient) redis.UniversalClient {
		rdb.AddHook(&tap.Redis{Around: func(_ context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
			if t.Purpose == tap.Release {
				time.Sleep(100 * time.Millisecond)
			}
			return send(t.Cmds...)
		}})
		return rdb
	}
	wrap := c.joining.wrap
	c.joining.wrap = func(c driver.Connector) driver.Connector {
		return wrap(&tap.Connector{Connector: c, Around: func(_ context.Context, call tap.Call, do func() error) error {
			if call.Commits() {
				time.Sleep(100 * time.Millisecond)
			}
			return do()
		}})
	}
}

// without takes rules out of what watches the database. Released before the COMMIT, a hold is released once more after
// it: that makes all good, unless somebody reads before, because the write has returned by then.
func without(rules ...guard.Rule) func(*config) {
	return func(c *config) {
		c.joining.wrap = func(c driver.Connector) driver.Connector {
			return bunhooks.WrapConnector(&guard.Connector{Connector: c, Rules: guard.Without(rules...)})
		}
		slow(c)
	}
}

func TestRun_refuses_a_database_whose_writes_nobody_is_told_of(t *testing.T) {
	t.Parallel()
	c := small()
	c.joining.install = func(db *bun.DB, _ *cacheme.Cache) (*bun.DB, error) { return db, nil }
	var out strings.Builder
	_, err := run(t.Context(), c, newPage(&out))
	if _, refused := errors.AsType[*cacheme.UsageError](err); !refused {
		t.Errorf("run() = %v, want a *cacheme.UsageError, after\n%s", err, out.String())
	}
}

func TestRun_finds_old_reads_when(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*config){
		"tokens_are_not_compared": func(c *config) {
			c.wrap = func(rdb redis.UniversalClient) redis.UniversalClient {
				return &guard.Client{UniversalClient: rdb, Rules: guard.Without(guard.EqualTokens)}
			}
		},
		"a_hold_is_released_before_the_COMMIT": without(guard.ReturnAfterRelease, guard.ReleaseAfterCommit),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := small()
			c.traffic, c.enough = time.Minute, true
			breaks(&c)
			r, out := runFor(t, c)
			if len(r.violations) == 0 || !r.faulty() {
				t.Errorf("%d violations, faulty %v, in\n%s", len(r.violations), r.faulty(), out)
			}
		})
	}
}

func TestRun_finds_no_old_read_when_nothing_is_broken_and_everything_slow(t *testing.T) {
	t.Parallel()
	c := small()
	c.traffic = time.Second
	slow(&c)
	if r, out := runFor(t, c); r.faulty() {
		t.Errorf("the run found faults, in\n%s", out)
	}
}

// cutter interrupts the run when it reads a word.
type cutter struct {
	bytes.Buffer

	word string
	cut  context.CancelFunc
}

func (c *cutter) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.word)) {
		c.cut()
	}
	return c.Buffer.Write(b)
}

func TestRun_reports_what_it_has_when_the_traffic_is_interrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &cutter{word: "Traffic:", cut: cancel}
	c := small()
	c.traffic = time.Hour
	r, err := run(ctx, c, newPage(out))
	if err != nil || r.faulty() || r.swept == 0 || !strings.Contains(out.String(), "stale reads found") {
		t.Errorf("run() = %v, in\n%s", err, &out.Buffer)
	}
}

func TestRun_with_a_redis_of_somebody_else_leaves_only_what_it_found(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Options{ListenTCP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	rdb := server.Client()
	if err := rdb.Set(t.Context(), "bookstore:mine", "stays", 0).Err(); err != nil {
		t.Fatal(err)
	}
	c := small()
	c.redisURL = "redis://" + server.Addr()
	r, out := runFor(t, c)
	if r.faulty() || r.keys == 0 {
		t.Errorf("faulty %v with %d keys, in\n%s", r.faulty(), r.keys, out)
	}
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 1 || keys[0] != "bookstore:mine" {
		t.Errorf("keys afterwards = %v, %v; want bookstore:mine alone", keys, err)
	}
}

func TestRun_keeps_a_database_that_it_was_given_and_refuses_one_in_use(t *testing.T) {
	t.Parallel()
	c := small()
	c.traffic = 0
	c.dsn = filepath.Join(t.TempDir(), "shop.db")
	if r, out := runFor(t, c); r.faulty() {
		t.Errorf("faulty, in\n%s", out)
	}
	if info, err := os.Stat(c.dsn); err != nil || info.Size() == 0 {
		t.Errorf("Stat() = %v, %v; want a database", info, err)
	}
	_, err := run(t.Context(), c, newPage(&bytes.Buffer{}))
	if err == nil || !strings.Contains(err.Error(), "create tables, in an empty database") {
		t.Errorf("the second run() = %v, want a refusal", err)
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args string
		code int
		says string
	}{
		{"-h", 0, "how long readers and writers run"},
		{"-for soon", 2, `invalid value "soon" for flag -for`},
		{"-for -1s", 2, "-for is negative: -1s"},
		{"-verify 2", 2, "-verify is no share of 0 to 1: 2"},
		{"-seed x", 2, `invalid value "x" for flag -seed`},
		{"-redis http://localhost", 2, "-redis: this is no URL of a Redis: redis: invalid URL scheme: http"},
		{"-shelves 3", 2, "flag provided but not defined: -shelves"},
		{"now", 2, `unexpected argument "now"`},
		{"-db /no/such/folder/shop.db", 1, "create tables"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := command(t.Context(), strings.Fields(tc.args), &stdout, &stderr)
			if code != tc.code || !strings.Contains(stderr.String(), tc.says) {
				t.Errorf("command(%s) = %d and says %q, want %d and %q", tc.args, code, &stderr, tc.code, tc.says)
			}
		})
	}
}

func TestParse_defaults_to_a_run_of_five_seconds_of_the_full_shop(t *testing.T) {
	t.Parallel()
	c, err := parse(nil, &bytes.Buffer{})
	if err != nil || c.traffic != 5*time.Second || c.size != fullSize || c.dsn != "" || c.redisURL != "" {
		t.Errorf("parse() = %+v, %v", c, err)
	}
}

func TestInspect_finds_a_key_that_stays_for_ever(t *testing.T) {
	t.Parallel()
	server, err := openRedis(config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.close(context.Background()) })
	ctx := context.Background()
	server.client.Set(ctx, server.prefix+"mortal", 1, time.Minute)
	server.client.Set(ctx, server.prefix+"immortal", 1, 0)
	server.client.Set(ctx, "elsewhere", 1, 0)
	r := newReport(nil)
	if err := r.inspect(ctx, server); err != nil {
		t.Fatal(err)
	}
	if len(r.immortal) != 1 || r.immortal[0] != server.prefix+"immortal" || r.keys != 2 || !r.faulty() {
		t.Errorf("inspect() found %v of %d keys, faulty %v", r.immortal, r.keys, r.faulty())
	}
}

func TestPage_updates_one_line_on_a_terminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &page{w: &out, terminal: true}
	progress := p.progress("loading", 2)
	progress(1)
	progress(2)
	if want := "\rloading                         1 of 2\rloading                         2 of 2\n"; out.String() != want {
		t.Errorf("progress wrote %q, want %q", &out, want)
	}
	if got := p.paint(red, "old"); got != "\x1b[31mold\x1b[0m" {
		t.Errorf("paint() = %q", got)
	}
}
