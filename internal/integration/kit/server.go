package kit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// daemon is one server program with its port and folder, which it keeps over any number of starts.
type daemon struct {
	name    string // the program's, for messages
	port    int
	dir     string
	as      *syscall.Credential // nil: as the tests themselves
	quit    syscall.Signal      // ends it in good order, whoever is connected
	drop    syscall.Signal      // ends it at once, when its data is wanted no longer
	command func(*daemon) []string
	ping    func(addr string) error // asks the server for a sign of life

	run *process // nil while it is down
}

// settle finds a free port and starts on it. Between looking for one and listening on it somebody else may take it.
func (d *daemon) settle() error {
	var err error
	for range 5 {
		if d.port, err = freePort(); err != nil {
			break
		}
		if err = d.start(); err == nil {
			return nil
		}
	}
	return err
}

// start starts the server and waits until it answers.
func (d *daemon) start() error {
	command := d.command(d)
	p, err := launch(d.logFile(), d.as, command[0], command[1:]...)
	if err != nil {
		return err
	}
	if err := d.ready(p); err != nil {
		return errors.Join(err, p.kill())
	}
	d.run = p
	return nil
}

// ready waits until the server answers. Nothing tells when it will, so it is asked every few milliseconds.
func (d *daemon) ready(p *process) error {
	deadline := time.After(patience)
	ask := time.NewTicker(2 * time.Millisecond)
	defer ask.Stop()
	var last error
	for {
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-deadline:
			return fmt.Errorf("no answer within %v: %w", patience, last)
		case <-ask.C:
			if last = d.ping(d.addr()); last == nil {
				return nil
			}
		}
	}
}

// stop ends a server that runs, by kill or in good order.
func (d *daemon) stop(how func(*process) error) error {
	if d.run == nil {
		return nil
	}
	err := how(d.run)
	if !d.run.alive() {
		d.run = nil
	}
	return err
}

// discard ends a server whose data is wanted no longer.
func (d *daemon) discard() error {
	return d.stop(func(p *process) error { return p.terminate(d.drop) })
}

func (d *daemon) addr() string { return loopback(d.port) }

func (d *daemon) logFile() string { return filepath.Join(d.dir, d.name+".log") }

func (d *daemon) log() string {
	text, err := os.ReadFile(d.logFile())
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

// Server is what every server of a test can do, and have done to it. It keeps its port and its data folder over Kill,
// Stop and Start.
type Server struct {
	t testing.TB
	d *daemon
}

// Addr returns host and port.
func (s *Server) Addr() string { return s.d.addr() }

// PID returns the process id, 0 while the server is down.
func (s *Server) PID() int {
	if s.d.run == nil {
		return 0
	}
	return s.d.run.pid
}

// Kill ends the server as kill -9 does. Start brings it back on the same port with what was saved.
func (s *Server) Kill() {
	s.t.Helper()
	s.check("kill", s.d.stop((*process).kill))
}

// Stop ends the server in good order. Start brings it back on the same port with what was saved.
func (s *Server) Stop() {
	s.t.Helper()
	s.check("stop", s.d.stop(func(p *process) error { return p.terminate(s.d.quit) }))
}

// Start starts a server that is down again, on the same port and data folder, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.d.run != nil {
		s.t.Fatalf("Start of a %s that runs", s.d.name)
	}
	if err := s.d.start(); err != nil {
		s.t.Fatalf("start %s again: %v\n%s", s.d.name, err, s.Log())
	}
}

// Pause stops the server in its tracks: connections stay open, nothing is answered. Continue ends that.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal("pause", (*process).pause)
}

// Continue lets a paused server go on.
func (s *Server) Continue() {
	s.t.Helper()
	s.signal("continue", (*process).resume)
}

func (s *Server) signal(what string, send func(*process) error) {
	s.t.Helper()
	if s.d.run == nil {
		s.t.Fatalf("%s of a %s that is down", what, s.d.name)
	}
	s.check(what, send(s.d.run))
}

// Log returns what the server has written since the first start.
func (s *Server) Log() string { return s.d.log() }

func (s *Server) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s %s at %s: %v", what, s.d.name, s.Addr(), err)
	}
}

// serve starts a server of the test's own that is gone when the test ends.
func serve(t testing.TB, d *daemon) Server {
	t.Helper()
	t.Cleanup(func() {
		if err := d.discard(); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
	})
	if err := d.settle(); err != nil {
		t.Fatalf("start %s: %v\n%s", d.name, err, d.log())
	}
	return Server{t, d}
}
