package queries_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/queries"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

var update = flag.Bool("update", false, "write the grid of docs/queries.md anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQueries(t *testing.T) {
	t.Parallel()
	queries.Run(t, writes.Embedded)
}

// The grid of the document is the grid of this suite.
func TestDocument(t *testing.T) {
	t.Parallel()
	suite.Page(t, "../../../docs/queries.md", "<!-- grid:begin -->",
		"<!-- grid:end -->", queries.Document(), *update)
}
