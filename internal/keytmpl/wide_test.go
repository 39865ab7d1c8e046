package keytmpl_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

func TestWide(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"*": true, "?*": true, "[a-z]*": true, "[^~]*": true, "*:7": true,
		"": false, "user:*": false, `\*`: false, "u[a-z]*": false, "é*": false,
	} {
		if got := keytmpl.Wide(pattern); got != want {
			t.Errorf("Wide(%q) = %v, want %v", pattern, got, want)
		}
	}
}
