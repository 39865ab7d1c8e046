package torture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// OrderVariable is the environment variable in which a test binary that starts itself finds its Order.
const OrderVariable = "CACHEME_TORTURE_ORDER"

// recordsFile is the file descriptor by which a child tells: its standard output is the test framework's.
const recordsFile = 3

// OrderOf returns the Order of this process; not ok if it is an ordinary one.
func OrderOf(t testing.TB) (o Order, ok bool) {
	t.Helper()
	text := os.Getenv(OrderVariable)
	if text == "" {
		return o, false
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil { //nolint:musttag // both ends are this binary
		t.Fatal(err)
	}
	return o, true
}

// Obey is the life of a child: it reads and writes until its standard input ends. Each record is handed to the kernel
// before what it tells of goes on, so that whoever kills the child loses none.
func Obey(o Order) error {
	logging.Disable() // of connections, which are broken on purpose
	out := os.NewFile(recordsFile, "records")
	defer out.Close()
	var mu sync.Mutex
	records := gob.NewEncoder(out)
	p, err := newProcess(o, Broken{}, func(r Record) {
		mu.Lock()
		defer mu.Unlock()
		_ = records.Encode(r) // nobody is there any more to tell
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	p.run(ctx)
	return p.end()
}

// child is a process of the run that can be killed.
type child struct {
	*kit.Child

	number int
	stdin  io.Closer
	said   bytes.Buffer  // by its test framework; complete when it has ended
	told   chan struct{} // closed when all that it has told was taken
	held   chan struct{} // it has placed a hold
}

// startChild starts this test binary as a process of the run: test is the name of the test that obeys.
func startChild(t testing.TB, test string, o Order, take func(Record)) *child {
	t.Helper()
	text, err := json.Marshal(o) //nolint:musttag // as in OrderOf
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^"+test+"$")
	cmd.Env = append(os.Environ(), OrderVariable+"="+string(text))
	c := &child{number: o.Number, told: make(chan struct{}), held: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = &c.said, os.Stderr
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{out}
	c.Child = kit.StartChild(t, cmd)
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	go func() {
		defer close(c.told)
		defer in.Close()
		for records := gob.NewDecoder(bufio.NewReader(in)); ; {
			var r Record
			if err := records.Decode(&r); err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) { // it was killed in the midst of one
					t.Errorf("what process %d tells: %v", o.Number, err)
				}
				return
			}
			if r.Held != nil {
				select {
				case c.held <- struct{}{}:
				default:
				}
			}
			take(r)
		}
	}()
	return c
}

// awaitHold waits, for a while, until the child has just placed a hold, so that what befalls it does so around its COMMIT.
func (c *child) awaitHold() {
	select {
	case <-c.held: // from before
	default:
	}
	select {
	case <-c.held:
	case <-time.After(time.Second):
	}
}
