package crash

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds what has to happen, on however busy a machine.
const patience = 60 * time.Second

// OrderVariable is the environment variable in which a test binary that starts itself finds its Order.
const OrderVariable = "CACHEME_CRASH_ORDER"

// OrderOf returns the Order of this process; not ok if it is an ordinary one.
func OrderOf(t testing.TB) (o Order, ok bool) {
	t.Helper()
	text := os.Getenv(OrderVariable)
	if text == "" {
		return o, false
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o, true
}

// victim is a running process.
type victim struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // closed when there are no more
}

// start starts this test binary as another process: test is the name of the test that obeys.
func start(t testing.TB, test string, o Order) (*victim, error) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	v := &victim{cmd: exec.Command(os.Args[0], "-test.run", "^"+test+"$"), lines: make(chan string, len(o.Deeds)+2)}
	v.cmd.Env = append(os.Environ(), OrderVariable+"="+string(text))
	v.cmd.Stderr = os.Stderr
	if v.in, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(v.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			v.lines <- s.Text()
		}
	}()
	return v, nil
}

// say waits for the next line.
func (v *victim) say() (string, error) {
	select {
	case line, ok := <-v.lines:
		if !ok {
			return "", fmt.Errorf("the process ended early")
		}
		return line, nil
	case <-time.After(patience):
		return "", fmt.Errorf("the process said nothing for %v", patience)
	}
}

// goOn lets a process that was stopped run, and its deed go on, and waits for what it says then.
func (v *victim) goOn() (string, error) {
	if err := v.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(v.in, "go on"); err != nil {
		return "", err
	}
	return v.say()
}

// stands waits until all deeds stand at their points.
func (v *victim) stands(deeds int) error {
	for range deeds {
		line, err := v.say()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, At+" ") {
			return fmt.Errorf("the process said %q", line)
		}
	}
	return nil
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (v *victim) kill() error {
	if err := v.cmd.Process.Kill(); err != nil {
		return err
	}
	for range v.lines {
	}
	_ = v.cmd.Wait() // "signal: killed"
	return nil
}
