package outbox

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/crash"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// OrderVariable is the environment variable in which a test binary that starts itself finds its Order.
const OrderVariable = "CACHEME_OUTBOX_ORDER"

// Order is what a process is to do: write paper 1 while its Redis is away, and then nothing.
type Order struct {
	Dialect           writes.Dialect
	DSN, Addr, Prefix string
	Broken            bool // without the row
}

// grace is how old a row of a process that dies is before another tells Redis of it.
const grace = 200 * time.Millisecond

// Killed kills a process after its COMMIT, while Redis is away and it holds what Redis has not been told. When Redis is
// there another process tells it, within grace and interval. Without the row nobody does.
func Killed(t *testing.T, open func(t testing.TB) crash.Place, test string) {
	place := open(t)
	w := newWorld(t, place.Database)
	survivor := w.start(bunhooks.OutboxOptions{Interval: 50 * time.Millisecond}, 0)
	for _, broken := range []bool{false, true} {
		survivor.warm()
		writeAndDie(t, test, Order{place.Dialect, place.DSN, place.Addr, w.prefix, broken})
		died := time.Now()
		if text, err := textOf(t.Context(), w.admin, 1); err != nil || text != word(broken) {
			t.Fatalf("paper 1 is %q, %v: it was not committed", text, err)
		}
		patience := 30 * time.Second // on however busy a machine
		if broken {
			patience = 2 * time.Second
		}
		for survivor.seen() != w.truth() && time.Since(died) < patience {
			time.Sleep(10 * time.Millisecond)
		}
		switch fresh := survivor.seen() == w.truth(); {
		case broken && fresh:
			t.Error("without a row the other process knows as well: this shows nothing")
		case !broken && !fresh:
			t.Errorf("%v after the process was killed the other one serves what was", time.Since(died))
		case !broken:
			t.Logf("fresh %v after the process was killed, with a grace of %v and an interval of 50 ms", time.Since(died), grace)
		}
	}
}

func word(broken bool) string { return fmt.Sprintf("written, broken: %v", broken) }

// writeAndDie starts this binary as another process, and kills it once it says that it has committed.
func writeAndDie(t *testing.T, test string, o Order) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+test+"$")
	cmd.Env = append(os.Environ(), OrderVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this process does
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, said := bufio.NewReader(out).ReadString('\n')
	killed := cmd.Process.Kill()
	_ = cmd.Wait() // "signal: killed"
	if said != nil || line != committed+"\n" || killed != nil {
		t.Fatalf("the process said %q, %v; killed: %v", line, said, killed)
	}
}

const committed = "committed"

// Obey is the life of the process that dies. It returns only where it cannot do what it is to do.
func Obey(drivers crash.Drivers, in io.Reader, out io.Writer) error {
	var o Order
	if err := json.Unmarshal([]byte(os.Getenv(OrderVariable)), &o); err != nil {
		return err
	}
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: o.Addr})
	defer rdb.Close()
	var away atomic.Bool
	rdb.AddHook(&tap.Redis{Around: func(_ context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
		if away.Load() {
			return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}
		return send(t.Cmds...)
	}})
	cache, err := cacheme.New(rdb, suite.Patient(cacheme.Options{Prefix: o.Prefix, Hold: time.Minute}))
	if err != nil {
		return err
	}
	if err := cache.Register(declarations()...); err != nil {
		return err
	}
	connector, err := drivers.Connector(o.DSN)
	if err != nil {
		return err
	}
	rules := guard.Set(0)
	if o.Broken {
		rules = guard.Without(guard.OutboxWithWrite)
	}
	sqldb := sql.OpenDB(bunhooks.WrapConnector(&guard.Connector{Connector: connector, Rules: rules}))
	defer sqldb.Close()
	db, err := bunhooks.Install(bun.NewDB(sqldb, drivers.Bun()), cache, bunhooks.WithLogger(slog.New(slog.DiscardHandler)),
		bunhooks.WithOutbox(bunhooks.NewOutbox(bunhooks.OutboxOptions{Grace: grace})))
	if err != nil {
		return err
	}
	away.Store(true)
	if _, err := db.ExecContext(ctx, "UPDATE outbox_papers SET text = '"+word(o.Broken)+"' WHERE id = 1"); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, committed); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in) // until it is killed, or whoever was to kill it has died
	return err
}
