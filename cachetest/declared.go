package cachetest

import "testing"

// RequireDependenciesDeclared ends the test where a load that do brings about reads what its node does not declare, with the
// table, the line of the query and what to declare; and where do loads nothing, which shows nothing. Every test of New fails
// by such a load anyway: this is for a subtest that is to fail by its own name, and for a table of nodes. Loads of others
// at the same time count too. What is told once of a node is not told again. A node of which it is meant says
// Meta{Observe: cacheme.Off}.
func RequireDependenciesDeclared(t testing.TB, c *Cache, do func()) {
	t.Helper()
	former, before := c.seen.fail(t)
	defer c.seen.fail(former)
	loads := c.Stats().Loads
	do()
	if _, missed := c.seen.fail(t); missed != before {
		t.FailNow() // it was told what is missed, each as it was seen
	}
	if c.Stats().Loads == loads {
		t.Fatalf("cachetest: nothing was loaded, so that nothing was seen; ask for entries that are not cached yet")
	}
}
