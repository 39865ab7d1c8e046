package kit

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// Child is a process that a test starts from its own binary, to kill and to pause it. On Linux it dies with the test's
// process however that one ends, paused or not.
type Child struct {
	t testing.TB
	p *process
}

// StartChild starts a command that is killed when the test ends.
func StartChild(t testing.TB, cmd *exec.Cmd) *Child {
	t.Helper()
	p, err := run(cmd, nil)
	if err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	c := &Child{t, p}
	t.Cleanup(c.Kill)
	return c
}

// PID returns the process id.
func (c *Child) PID() int { return c.p.pid }

// Kill ends it as kill -9 does, paused or not, and waits until it is gone. It may have ended by itself.
func (c *Child) Kill() {
	c.t.Helper()
	c.check("kill", c.p.kill())
}

// Pause stops it in its tracks. Continue ends that.
func (c *Child) Pause() {
	c.t.Helper()
	c.check("pause", c.p.pause())
}

// Continue lets it go on.
func (c *Child) Continue() {
	c.t.Helper()
	c.check("continue", c.p.resume())
}

// Wait waits until it has ended by itself, and returns an error if it failed, or still runs after that time.
func (c *Child) Wait(within time.Duration) error {
	select {
	case <-c.p.exited:
		return c.p.err
	case <-time.After(within):
		return fmt.Errorf("it still runs after %v", within)
	}
}

func (c *Child) check(what string, err error) {
	c.t.Helper()
	if err != nil && !gone(err) {
		c.t.Errorf("%s child %d: %v", what, c.p.pid, err)
	}
}
