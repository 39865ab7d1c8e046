package kit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is one running server program.
type process struct {
	pid    int
	exited chan struct{} // closed when the process is gone and reaped
}

// launch starts a program whose output is appended to the log file.
func launch(log, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = diesWithParent()

	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that started the child ends, not the process: so this
		// goroutine keeps that thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.exited)
		defer out.Close()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // the way it ended is in the log; most are killed on purpose
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal sends by pid, which is the child's own until it has been reaped.
func (p *process) signal(s syscall.Signal) error {
	if !p.alive() {
		return os.ErrProcessDone
	}
	return syscall.Kill(p.pid, s)
}

// kill ends the process at once, stopped or not, and waits until it is gone.
func (p *process) kill() error {
	return p.end(syscall.SIGKILL)
}

// terminate asks the process to end and waits; after ten seconds it kills.
func (p *process) terminate() error {
	if err := p.signal(syscall.SIGCONT); err != nil && !gone(err) {
		return err
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		return errors.Join(err, p.kill())
	}
	return nil
}

func (p *process) end(s syscall.Signal) error {
	if err := p.signal(s); err != nil && !gone(err) {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("pid %d still runs 10s after signal %q", p.pid, s)
	}
}

func gone(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
