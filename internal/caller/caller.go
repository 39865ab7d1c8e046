// Package caller finds the line of the user's code behind a query: the first one on the stack that is neither cacheme's
// own nor that of what lies between the two, such as bun and database/sql.
package caller

import (
	"path"
	"runtime"
	"strconv"
	"strings"
)

// deep is how many frames are looked at: bun, database/sql and the hooks are some twenty, and users have helpers.
const deep = 64

// Line returns where the user's code called, as the last folder, file and line: "shop/books.go:42". It is empty where
// no such line is on the stack, as in a goroutine that cacheme itself began.
func Line() string {
	var pcs [deep]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if isUsers(f) {
			return path.Base(path.Dir(f.File)) + "/" + path.Base(f.File) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return ""
		}
	}
}

// between are the packages that stand between a user and his database, with all below them.
var between = []string{
	"runtime", "reflect", "sync", "testing", "database/sql", "iter", "slices", "maps", "golang.org/x/sync",
	"github.com/uptrace/bun", "github.com/cacheme/cacheme",
}

// module holds examples and suites, which use cacheme as its users do.
const (
	examples = "github.com/cacheme/cacheme/examples/"
	suites   = "github.com/cacheme/cacheme/internal/suite/"
)

func isUsers(f runtime.Frame) bool {
	if f.Function == "" || strings.HasSuffix(f.File, "_test.go") {
		return f.Function != ""
	}
	pkg := packageOf(f.Function)
	if strings.HasPrefix(pkg, examples) || strings.HasPrefix(pkg, suites) {
		return true
	}
	for _, b := range between {
		if pkg == b || strings.HasPrefix(pkg, b) && pkg[len(b)] == '/' {
			return false
		}
	}
	return true
}

// packageOf is the path of the package of a function, such as "github.com/uptrace/bun" of
// "github.com/uptrace/bun.(*DB).NewSelect".
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		return function[:slash+dot]
	}
	return function
}
