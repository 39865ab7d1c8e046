package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// fleet is a writer and some readers, each a process of its own, on one Redis and one database.
type fleet struct {
	redis   *server
	folder  string // of the database
	relay   *relay // through which the readers reach that Redis; nil: they have it themselves
	members []*process
}

// process is a member of a fleet as it is seen from outside.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	errors bytes.Buffer
	ready  chan struct{}
	ended  chan error // one value, when it has said its last word
	reads  atomic.Int64
	report *report // set before ended
}

// startFleet starts servers and processes, and waits until all have settled. The writer is the last of them, so that none of its
// writes is missed.
func startFleet(ctx context.Context, s size, w watcher, relayed bool) (f *fleet, err error) {
	f = &fleet{}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.redis, err = startServer(ctx); err != nil {
		return f, err
	}
	if f.folder, err = os.MkdirTemp("", "cacheme-fleet-"); err != nil {
		return f, err
	}
	database := sqlite(filepath.Join(f.folder, "rows.db"))
	if err = database.create(ctx, rowOf(int64(s.fleetKeys))); err != nil {
		return f, err
	}
	o := order{Watcher: w.name, Cache: f.redis.addr, Database: database, Hold: s.fleetHold, Keys: s.fleetKeys, Rate: s.fleetRate}
	reader := o
	reader.Readers = s.fleetReaders
	if relayed {
		if f.relay, err = newRelay(ctx, f.redis.addr); err != nil {
			return f, err
		}
		reader.Cache = f.relay.addr()
	}
	for range s.fleet {
		if err = f.start(ctx, reader); err != nil {
			return f, err
		}
	}
	if err = f.settled(ctx); err != nil {
		return f, err
	}
	if err = f.start(ctx, o); err != nil {
		return f, err
	}
	return f, f.settled(ctx)
}

func (f *fleet) start(ctx context.Context, o order) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p := &process{cmd: exec.CommandContext(ctx, self), ready: make(chan struct{}), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	p.cmd.Stderr = &p.errors
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	f.members = append(f.members, p)
	go func() { p.ended <- p.listen(out) }()
	return nil
}

// listen takes in what the process says, to its end.
func (p *process) listen(out io.Reader) error {
	words := json.NewDecoder(out)
	for {
		var w word
		if err := words.Decode(&w); err != nil {
			err = errors.Join(p.cmd.Wait(), err)
			if p.report != nil && errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("a member of the fleet ended: %w\n%s", err, p.errors.String())
		}
		switch {
		case w.Ready:
			close(p.ready)
		case w.Report != nil:
			p.report = w.Report
		default:
			p.reads.Store(w.Reads)
		}
	}
}

func (f *fleet) settled(ctx context.Context) error {
	for _, p := range f.members {
		select {
		case <-p.ready:
		case err := <-p.ended:
			p.ended <- err
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reads is how many there were so far.
func (f *fleet) reads() (sum int64) {
	for _, p := range f.members {
		sum += p.reads.Load()
	}
	return sum
}

// stop has all of them end and report.
func (f *fleet) stop(ctx context.Context) error {
	var errs []error
	for _, p := range f.members {
		_ = p.stdin.Close()
	}
	for _, p := range f.members {
		select {
		case err := <-p.ended:
			p.ended <- err
			errs = append(errs, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

// close ends whatever is left.
func (f *fleet) close() {
	for _, p := range f.members {
		_ = p.cmd.Process.Kill()
		<-p.ended //nolint:errcheck // it was killed, or has been told already
	}
	if f.relay != nil {
		f.relay.close()
	}
	if f.redis != nil {
		_ = f.redis.close()
	}
	_ = os.RemoveAll(f.folder)
}

// pause stops one reader as if its machine had, for so long.
func (f *fleet) pause(ctx context.Context, lasts time.Duration) error {
	reader := f.members[0].cmd.Process
	if err := reader.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, lasts), reader.Signal(syscall.SIGCONT))
}
