package browser_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun/driver/sqliteshim"
)

// built is the program, as a user has it.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "cacheme-bookstore-")
	if err != nil {
		return "", err
	}
	ends = append(ends, func() error { return os.RemoveAll(folder) })
	program := filepath.Join(folder, "bookstore")
	build := exec.Command("go", "build", "-o", program, "./examples/bookstore")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// bookstore is one that runs, with its site and the admin page.
type bookstore struct {
	t      testing.TB
	url    string
	prefix string
	db     *sql.DB // past everything that could tell the cache
}

var (
	opened   = regexp.MustCompile(`Open (http://\S+)/,`)
	prefixed = regexp.MustCompile(`CACHEME_PREFIX=(\S+)`)
)

// startBookstore starts one for a test, and ends it with the test.
func startBookstore(t testing.TB) *bookstore {
	t.Helper()
	browser(t) // without one there is nothing to start
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shop.db")
	cmd := exec.Command(program, "-serve", "127.0.0.1:0", "-db", file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(2*time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	b := &bookstore{t: t}
	lines := bufio.NewScanner(out)
	for (b.url == "" || b.prefix == "") && lines.Scan() {
		if m := prefixed.FindStringSubmatch(lines.Text()); m != nil {
			b.prefix = m[1]
		}
		if m := opened.FindStringSubmatch(lines.Text()); m != nil {
			b.url = m[1]
		}
	}
	hung.Stop()
	ended := make(chan error, 1)
	go func() {
		for lines.Scan() { // so that it never waits to be read
		}
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		hung := time.AfterFunc(20*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		defer hung.Stop()
		if err := <-ended; err != nil {
			t.Errorf("the bookstore ended with %v\n%s", err, complaints.String())
		}
	})
	if b.url == "" || b.prefix == "" {
		t.Fatalf("the bookstore tells no address")
	}
	if b.db, err = sql.Open(sqliteshim.ShimName, file+"?_pragma=busy_timeout(10000)&_busy_timeout=10000"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	return b
}

// behindItsBack writes to the database as a program does that knows of no cache.
func (b *bookstore) behindItsBack(query string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(query, args...); err != nil {
		b.t.Fatal(err)
	}
}
