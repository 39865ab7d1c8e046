package kit

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// ClockedRedis is a redis-server whose wall clock a test sets.
type ClockedRedis struct {
	*RedisServer
	file string
}

//go:embed testdata/clock.c
var clockSource []byte

// RedisWithClock is [Redis] with a clock that is right until [ClockedRedis.Set]: a small library that is loaded into the
// server shows it another one. Without a C compiler the test is skipped, see [Require].
func RedisWithClock(t testing.TB, args ...string) *ClockedRedis {
	t.Helper()
	compiler, env := require(t, "gcc"), require(t, "env")
	dir := t.TempDir()
	source, library := filepath.Join(dir, "clock.c"), filepath.Join(dir, "clock.so")
	if err := os.WriteFile(source, clockSource, 0o600); err != nil {
		t.Fatalf("write the clock: %v", err)
	}
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("compile the clock: %v\n%s", err, out)
	}
	s := &ClockedRedis{file: filepath.Join(dir, "clock")}
	s.write(t, 0)
	d := newRedis(t, args)
	plain := d.command
	d.command = func(d *daemon) []string {
		return slices.Concat([]string{env, "LD_PRELOAD=" + library, "KIT_CLOCK=" + s.file}, plain(d))
	}
	s.RedisServer = serveRedis(t, d)
	return s
}

// Set makes the server's clock so many whole seconds fast, or slow, from now on.
func (s *ClockedRedis) Set(fast time.Duration) {
	s.t.Helper()
	s.write(s.t, fast)
}

// write replaces the file at once: the server reads it whenever it asks for the time.
func (s *ClockedRedis) write(t testing.TB, fast time.Duration) {
	t.Helper()
	next := s.file + ".next"
	err := os.WriteFile(next, fmt.Appendf(nil, "%d\n", int64(fast/time.Second)), 0o600)
	if err == nil {
		err = os.Rename(next, s.file)
	}
	if err != nil {
		t.Fatalf("set the clock: %v", err)
	}
}
