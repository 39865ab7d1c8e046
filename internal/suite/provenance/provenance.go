// Package provenance holds what Explain says of writes against what was written: random histories of several processes on
// one Redis, each with a database of its own whose tables have the same names, so that their transactions hold the same
// tokens at the same time, commit in any order, roll back, and roll back to savepoints. After each step a checker that
// knows for each dependency the last write that made it wrong compares.
//
// A database opens as for package writes: here SQLite, in internal/integration on real servers.
package provenance

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Histories is how many make torture plays; make test plays a twentieth.
const Histories = 1000

// Run holds all of it against the databases that open opens.
func Run(t *testing.T, open writes.Open) {
	t.Run("random histories", func(t *testing.T) {
		t.Parallel()
		histories(t, open, suite.Count(Histories))
	})
	t.Run("planted mistake", func(t *testing.T) {
		t.Parallel()
		planted(t, open)
	})
}

func seed() uint64 {
	if seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		return seed
	}
	return rand.Uint64()
}

// histories: each dependency's last write is named, but for one in a thousand, and never a wrong one.
func histories(t *testing.T, open writes.Open, n int) {
	w, seed := newWorld(t, open, nil), seed()
	for i := range n {
		w.history(uint64(i), seed)
		if len(w.wrong) > 0 {
			t.Fatalf("SEED=%d, history %d: a wrong write is named:\n%s", seed, i, strings.Join(w.wrong, "\n"))
		}
	}
	t.Logf("%d histories, %d writes, %d statements: %d dependencies explained, %d not; SEED=%d", n, w.writes, w.statements, w.named, len(w.unnamed), seed)
	// The records of two processes meet in the ring by chance: so many may be lost in the shortest run too.
	if most := max(2, (w.named+len(w.unnamed))/1000); len(w.unnamed) > most {
		t.Errorf("SEED=%d: %d of %d are not named, want at most %d:\n%s", seed, len(w.unnamed), w.named+len(w.unnamed), most, strings.Join(w.unnamed[:min(10, len(w.unnamed))], "\n"))
	}
	if w.named < 10*n {
		t.Errorf("SEED=%d: %d dependencies explained in %d histories: the suite explains too little to show anything", seed, w.named, n)
	}
}

// mistakes are scripts in which the token of a hold that ends is not that of the write that made it wrong.
var mistakes = map[string]func(name, source string) string{
	"the token is that of whoever ends the hold": func(name, source string) string {
		if name != "release" {
			return source
		}
		return strings.Replace(source, "  finish(r, now)\nend\nif", "  if r.writer ~= CLEAN then r.writer = nonce end\n  finish(r, now)\nend\nif", 1)
	},
	"the first write under a hold stays its writer": func(name, source string) string {
		return strings.ReplaceAll(source, "r.writer = nonce\n", "if r.writer == CLEAN then r.writer = nonce end\n")
	},
}

// enough histories find a planted mistake; most take a few.
const enough = 200

func planted(t *testing.T, open writes.Open) {
	for name, mistake := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, seed := newWorld(t, open, mistake), seed()
			for i := range enough {
				w.history(uint64(i), seed)
				if len(w.wrong) > 0 || len(w.unnamed) > max(2, w.named/100) {
					t.Logf("found in history %d", i)
					return
				}
			}
			t.Errorf("SEED=%d: is not found in %d histories", seed, enough)
		})
	}
}
