package kit

import (
	"os"
	"os/exec"
	"testing"
)

// requireAll is the environment variable that turns a missing server from a skip into a failure.
const requireAll = "CACHEME_REQUIRE"

// Require skips the test, and says what it would have needed, if the binary is not installed. With CACHEME_REQUIRE=all
// in the environment, as in CI, it fails the test instead: there a suite must not shrink without anybody's knowledge.
func Require(t testing.TB, binary string) {
	t.Helper()
	if _, err := exec.LookPath(binary); err == nil {
		return
	}
	if os.Getenv(requireAll) == "all" {
		t.Fatalf("%s needs %s, which is not installed, and %s=all", t.Name(), binary, requireAll)
	}
	t.Skipf("not run: %s needs %s, which is not installed", t.Name(), binary)
}
