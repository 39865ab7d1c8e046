package archtest

import (
	"go/ast"
	"slices"
)

// wallClockMayBeRead are the files of product code that turn a moment into a number, with the reason: what they turn is
// Redis's time, a value of the user's, or what a person reads and nothing hangs on.
var wallClockMayBeRead = map[string]string{
	"internal/store/epoch.go":    "Redis's time",
	"internal/store/fleet.go":    "Redis's time",
	"internal/store/inspect.go":  "Redis's time",
	"internal/store/step.go":     "Redis's time",
	"internal/codec/time.go":     "a value of the user's",
	"internal/keytmpl/append.go": "a key field of the user's",
	"bunhooks/outbox_row.go":     "in what order rows came, where nothing hangs on it",
	"provenance.go":              "when a write was, for a person, where Redis has not told its time",
}

// noWallClock holds that a process's wall clock decides nothing: moments are compared with others of the same process,
// which Go does by the monotonic clock, and never turned into numbers that another process, or Redis, compares. An hour by
// which the clocks of two machines differ, or by which one jumps, is nothing then.
func noWallClock(p *pkg, f *file, report func(string, ...any)) {
	if f.test || forTests(p.dir) || under(p.dir, "examples", "cmd", "contrib") || wallClockMayBeRead[f.path] != "" {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		// time.Unix(..) and its like make a moment of a number; they have arguments.
		if ok && len(call.Args) == 0 && slices.Contains([]string{"Unix", "UnixMilli", "UnixMicro", "UnixNano"}, method.Sel.Name) {
			report("calls %s: no decision hangs on a process's wall clock; measure by time.Since, or ask Redis", method.Sel.Name)
		}
		return true
	})
}
