package suite

import (
	"os"
	"testing"
)

// Missing ends a test for lack of what this machine does not have: it is skipped and says so, or, with
// CACHEME_REQUIRE=all as in CI, it fails.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CACHEME_REQUIRE") == "all" {
		t.Fatalf("%s needs %s, which is not here, and CACHEME_REQUIRE=all", t.Name(), what)
	}
	t.Skipf("not run: %s needs %s, which is not here", t.Name(), what)
}
