package kit_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// orphanage is the environment variable with which this test binary starts itself as a process that is to be killed:
// which server it shall have.
const orphanage = "KIT_ORPHANAGE"

// orphans are the ways to have a server, by the program that is needed.
var orphans = map[string]func(*testing.T) (addr string){
	"redis-server":    func(t *testing.T) string { return kit.Redis(t).Addr() },
	"postgres":        func(t *testing.T) string { return kit.NewPostgresServer(t).Addr() },
	"postgres shared": func(t *testing.T) string { return kit.Postgres(t).Addr() },
	"mariadbd":        func(t *testing.T) string { return kit.NewMariaDBServer(t).Addr() },
	"mariadbd shared": func(t *testing.T) string { return kit.MariaDB(t).Addr() },
}

func TestServers_die_with_a_test_process_that_is_killed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("not run: only Linux kills a child with its parent")
	}
	for name := range orphans {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			binary, _, _ := strings.Cut(name, " ")
			kit.Require(t, binary)
			// A folder of t.TempDir is closed to the user that database servers run as.
			tmp, err := os.MkdirTemp("", "kit-orphan-") //nolint:usetesting // see above
			must(t, err)
			t.Cleanup(func() { must(t, os.RemoveAll(tmp)) })
			must(t, os.Chmod(tmp, 0o755))

			child := exec.Command(os.Args[0], "-test.run", "^TestOrphanage$")
			child.Env = append(os.Environ(), orphanage+"="+name, "TMPDIR="+tmp)
			out, err := child.StdoutPipe()
			must(t, err)
			must(t, child.Start())
			told, err := bufio.NewReader(out).ReadString('\n')
			must(t, err)
			addr := strings.TrimSpace(told)
			must(t, listens(addr))

			must(t, child.Process.Kill())
			_ = child.Wait() // "signal: killed"
			deadline := time.After(20 * time.Second)
			for listens(addr) == nil {
				select {
				case <-deadline:
					t.Fatalf("%s at %s outlived its parent by 20s", name, addr)
				default:
				}
			}
		})
	}
}

// TestOrphanage is the process to be killed in the test above, and nothing otherwise.
func TestOrphanage(t *testing.T) {
	start := orphans[os.Getenv(orphanage)]
	if start == nil {
		t.Skip("run by TestServers_die_with_a_test_process_that_is_killed")
	}
	_, err := os.Stdout.WriteString(start(t) + "\n")
	must(t, err)
	select {}
}

func listens(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}
