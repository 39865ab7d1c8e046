package integration_test

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// The bookstore, as a user starts it, on each way to run Redis: its own checker finds nothing, and it leaves nothing behind.
func TestBookstore_on_a_real_Redis(t *testing.T) {
	t.Parallel()
	kit.Require(t, "redis-server")
	program := built(t, "examples/bookstore")
	for _, c := range urls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, all := c.start(t)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, program, "-for", "2s", "-redis", url).CombinedOutput()
			for _, line := range []string{
				`stale reads found +0 of [1-9]\d* checked`, `wrong entries at the end +0 of [1-9]\d* compared`,
				`keys without a TTL +0 of [1-9]\d* in redis`, `steps not as told +0`,
			} {
				if err == nil && !regexp.MustCompile(line).Match(out) {
					err = fmt.Errorf("nothing matches %q", line)
				}
			}
			if err != nil {
				t.Fatalf("bookstore -redis %s: %v\n%s", url, err, out)
			}
			t.Logf("%s", regexp.MustCompile(`stale reads found.*`).Find(out))
			for _, s := range all {
				rdb := kit.Admin(t, s.Addr())
				within(t, 30*time.Second, s.Addr()+" has no keys", func() bool { return rdb.DBSize(ctx).Val() == 0 }) // replicas follow
			}
		})
	}
}
