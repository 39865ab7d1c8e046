package caller

import (
	"regexp"
	"runtime"
	"slices"
	"testing"
)

func TestLine_is_that_of_the_user(t *testing.T) {
	t.Parallel()
	var line string
	_ = slices.ContainsFunc([]int{1}, func(int) bool { line = Line(); return true })
	if !regexp.MustCompile(`^caller/caller_test\.go:\d+$`).MatchString(line) {
		t.Errorf("Line() = %q, want one of this file", line)
	}
}

func TestIsUsers(t *testing.T) {
	t.Parallel()
	for function, want := range map[string]bool{
		"github.com/cacheme/cacheme.(*Cache).Get":                         false,
		"github.com/cacheme/cacheme/bunhooks.(*engine).run":               false,
		"github.com/cacheme/cacheme/sqltx.fullConn.QueryContext":          false,
		"github.com/cacheme/cacheme/examples/bookstore.(*shop).write":     true,
		"github.com/cacheme/cacheme/internal/suite/writes.(*place).write": true,
		"github.com/cacheme/cachemeotel.Observe":                          true,
		"github.com/uptrace/bun.(*SelectQuery).Scan":                      false,
		"github.com/uptrace/bun/driver/pgdriver.(*Conn).Query":            false,
		"github.com/uptrace/bunrouter.(*Router).ServeHTTP":                true,
		"database/sql.(*DB).QueryContext":                                 false,
		"shop.load[...]":                                                  true,
		"example.org/sync/shop.(*Books).Load.func1":                       true,
		"main.main": true,
		"":          false,
	} {
		if got := isUsers(runtime.Frame{Function: function, File: "/go/src/x.go"}); got != want {
			t.Errorf("isUsers(%q) = %v, want %v", function, got, want)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	for b.Loop() {
		_ = Line()
	}
}
