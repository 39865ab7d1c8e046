package crash

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// process is one that dies on the way.
type process struct {
	order Order
	out   io.Writer
	goOn  chan struct{} // a line came
	mu    sync.Mutex    // of out
	db    *bun.DB
	cache *cacheme.Cache
}

type deedKey struct{}

// stand says that a deed has come to its point, where it stays.
func (p *process) stand(i int) {
	p.tell("%s %d", At, i)
	select {}
}

func (p *process) tell(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// at reports whether the context is that of a deed with this point, and which.
func (p *process) at(ctx context.Context, points ...Point) (int, bool) {
	i, ok := ctx.Value(deedKey{}).(int)
	if !ok {
		return 0, false
	}
	return i, slices.Contains(points, p.order.Deeds[i].Point)
}

// trip stops a deed at its point on the way to Redis.
func (p *process) trip(ctx context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
	switch t.Purpose {
	case tap.Hold:
		if i, ok := p.at(ctx, BeforeHold); ok {
			p.stand(i)
		}
		if i, ok := p.at(ctx, InHold); ok {
			if err := send(t.Cmds[:len(t.Cmds)/2]...); err != nil {
				return err
			}
			p.stand(i)
		}
		err := send(t.Cmds...)
		if i, ok := p.at(ctx, BeforeCommit); ok && err == nil {
			p.stand(i)
		}
		return err
	case tap.Release, tap.Invalidate:
		if i, ok := p.at(ctx, BeforeRelease); ok {
			p.stand(i)
		}
		if i, ok := p.at(ctx, InRelease); ok {
			if err := send(t.Cmds[:len(t.Cmds)/2]...); err != nil {
				return err
			}
			p.stand(i)
		}
	}
	if !fills(t.Cmds) {
		return send(t.Cmds...)
	}
	if i, ok := p.at(ctx, BeforeFill); ok {
		p.stand(i)
	}
	err := send(t.Cmds...)
	if i, ok := p.at(ctx, AfterFill); ok && err == nil {
		p.stand(i)
	}
	return err
}

// fills reports whether a round trip stores what was loaded: its script has each entry and the entry's lease in turn.
func fills(cmds []redis.Cmder) bool {
	args := cmds[len(cmds)-1].Args()
	if name, _ := args[0].(string); name != "evalsha" || len(args) < 5 {
		return false
	}
	second, _ := args[4].(string)
	return strings.HasSuffix(second, ":lease")
}

// call stops a process at its COMMIT until it gets a line.
func (p *process) call(_ context.Context, c tap.Call, do func() error) error {
	if c.Commits() && p.order.Deeds[0].Point == Stopped {
		p.tell("%s 0", At)
		<-p.goOn
	}
	return do()
}

// listen takes lines, and ends the process when there are no more: whoever was to kill it has died before it.
func (p *process) listen(in io.Reader) {
	lines := bufio.NewReader(in)
	for {
		if _, err := lines.ReadString('\n'); err != nil {
			os.Exit(1)
		}
		p.goOn <- struct{}{}
	}
}

// Obey is the life of one process. It returns only from an Order that can be carried out to its end.
func Obey(order Order, drivers Drivers, in io.Reader, out io.Writer) error {
	p := &process{order: order, out: out, goOn: make(chan struct{}, 1)}
	go p.listen(in)
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: order.Addr, ContextTimeoutEnabled: true})
	defer rdb.Close()
	rdb.AddHook(&tap.Redis{Around: p.trip})
	var err error
	if p.cache, err = cacheme.New(rdb, options(order)); err != nil {
		return err
	}
	if err := p.cache.Register(declarations()...); err != nil {
		return err
	}
	connector, err := drivers.Connector(order.DSN)
	if err != nil {
		return err
	}
	sqldb := sql.OpenDB(bunhooks.WrapConnector(&tap.Connector{Connector: connector, Around: p.call}))
	defer sqldb.Close()
	sqldb.SetMaxIdleConns(len(order.Deeds))
	install := []bunhooks.Option{bunhooks.WithLogger(slog.New(slog.DiscardHandler))}
	if order.AfterCommit {
		install = append(install, bunhooks.AfterCommit())
	}
	p.db, err = bunhooks.Install(bun.NewDB(sqldb, drivers.Bun()), p.cache, install...)
	if err != nil {
		return err
	}
	if err := p.warmUp(ctx, sqldb); err != nil {
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, len(order.Deeds))
	for i, d := range order.Deeds {
		all.Go(func() {
			err := p.do(context.WithValue(ctx, deedKey{}, i), d)
			if d.Point.goesOn() {
				p.tell("%s %v", End, err)
				return
			}
			failed <- fmt.Errorf("deed %d did not come to its point %q: %w", i, d.Point, err)
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return p.cache.Close(ctx)
	}
}

// warmUp opens connections and loads scripts, so that the deeds come to their points within a hold.
func (p *process) warmUp(ctx context.Context, sqldb *sql.DB) error {
	if err := p.cache.Invalidate(ctx, cacheme.Tag("warm")); err != nil {
		return err
	}
	var conns []*sql.Conn
	for range p.order.Deeds {
		c, err := sqldb.Conn(ctx)
		if err != nil {
			return err
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// do does a deed. It does not return from one with a point to be killed at.
func (p *process) do(ctx context.Context, d Deed) error {
	switch {
	case d.Point.loads():
		return p.load(ctx, d)
	case d.Alone:
		return write(ctx, p.db, d.First, written)
	default:
		return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return write(ctx, tx, d.First, written) })
	}
}

func (p *process) load(ctx context.Context, d Deed) error {
	nodes := make([]RowVersion, RowsOfDeed)
	for i := range nodes {
		nodes[i].ID = d.First + int64(i)
	}
	_, err := cacheme.GetManyFrom(ctx, p.cache, nodes, func(ctx context.Context, missing []RowVersion) (map[RowVersion]int64, error) {
		found := make(map[RowVersion]int64, len(missing))
		for _, v := range missing {
			version, err := versionOf(ctx, p.db, v.ID)
			if err != nil {
				return nil, err
			}
			found[v] = version
		}
		if i, ok := p.at(ctx, Loading); ok {
			p.stand(i)
		}
		if i, ok := p.at(ctx, StoppedLoading); ok {
			p.tell("%s %d", At, i)
			<-p.goOn
		}
		return found, nil
	})
	return err
}

func options(o Order) cacheme.Options {
	return suite.Patient(cacheme.Options{Prefix: o.Prefix, Hold: o.Hold, Lease: o.Lease, LoadTimeout: 10 * time.Minute})
}
