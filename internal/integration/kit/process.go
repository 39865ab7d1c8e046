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

// process is one running server program with the children it has.
type process struct {
	pid    int
	exited chan struct{} // closed when the process is gone and reaped
	err    error         // how it ended, once it has
}

// launch starts a program, as somebody else if that is given, whose output is appended to the log file.
func launch(log string, as *syscall.Credential, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	return run(cmd, as)
}

// run starts a command, as somebody else if that is given, that dies with this process.
func run(cmd *exec.Cmd, as *syscall.Credential) (*process, error) {
	cmd.SysProcAttr = diesWithParent()
	cmd.SysProcAttr.Credential = as
	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that started the child ends, not the process: so this
		// goroutine keeps that thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.exited)
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
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

// pause stops the process and its children where they are. The process comes first: it can then start no other child,
// and reaps none, so that no child's pid becomes a stranger's.
func (p *process) pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return p.signalChildren(syscall.SIGSTOP)
}

// resume ends a pause, and does nothing to a process that was not paused.
func (p *process) resume() error {
	if err := p.signalChildren(syscall.SIGCONT); err != nil {
		return err
	}
	return p.signal(syscall.SIGCONT)
}

func (p *process) signalChildren(s syscall.Signal) error {
	if !p.alive() {
		return os.ErrProcessDone
	}
	pids, err := children(p.pid)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// kill ends the process and its children at once, stopped or not, and waits until they are gone. The children go first:
// a database's next start on the same folder refuses while one of them still has the shared memory.
func (p *process) kill() error {
	if err := p.pause(); err != nil && !gone(err) {
		return err
	}
	deadline := time.Now().Add(patience)
	for p.alive() {
		pids, err := children(p.pid)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("children %v of pid %d are still there %v after signal %q", pids, p.pid, patience, syscall.SIGKILL)
		}
		if err := p.signalChildren(syscall.SIGKILL); err != nil && !gone(err) {
			return err
		}
		time.Sleep(time.Millisecond) // nothing tells when somebody else's child has ended
	}
	return p.end(syscall.SIGKILL)
}

// terminate asks the process by a signal that it understands to end, and waits; when it does not, it kills.
func (p *process) terminate(s syscall.Signal) error {
	if err := p.resume(); err != nil && !gone(err) {
		return err
	}
	if err := p.end(s); err != nil {
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
	case <-time.After(patience):
		return fmt.Errorf("pid %d still runs %v after signal %q", p.pid, patience, s)
	}
}

// patience is how long a server may take to start, to answer or to end, on a machine that others use as well.
const patience = 20 * time.Second

func gone(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
