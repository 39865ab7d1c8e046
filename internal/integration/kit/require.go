package kit

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// requireAll is the environment variable that turns a missing server from a skip into a failure.
const requireAll = "CACHEME_REQUIRE"

// Require skips the test, and says what it would have needed, if the binary is not installed. With CACHEME_REQUIRE=all
// in the environment, as in CI, it fails the test instead: there a suite must not shrink without anybody's knowledge.
// It looks where packages put servers as well: beside PATH in sbin, and in PostgreSQL's own folders, the newest first.
func Require(t testing.TB, binary string) {
	t.Helper()
	require(t, binary)
}

// require is [Require] and returns the binary's path.
func require(t testing.TB, binary string) string {
	t.Helper()
	if path, ok := find(binary); ok {
		return path
	}
	if os.Getenv(requireAll) == "all" {
		t.Fatalf("%s needs %s, which is not installed, and %s=all", t.Name(), binary, requireAll)
	}
	t.Skipf("not run: %s needs %s, which is not installed", t.Name(), binary)
	return ""
}

// folders are where servers are installed outside PATH; the stars are versions.
var folders = []string{
	"/usr/sbin", "/usr/local/sbin",
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
}

func find(binary string) (path string, ok bool) {
	if path, err := exec.LookPath(binary); err == nil {
		return path, true
	}
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, binary))
		if err != nil {
			continue // the patterns above are well-formed
		}
		slices.SortFunc(found, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
		for _, path := range found {
			if _, err := exec.LookPath(path); err == nil {
				return path, true
			}
		}
	}
	return "", false
}

var digits = regexp.MustCompile(`\d+`)

// version is the first number in a path: 15 before 9.
func version(path string) int {
	n, err := strconv.Atoi(digits.FindString(path))
	if err != nil {
		return 0
	}
	return n
}
