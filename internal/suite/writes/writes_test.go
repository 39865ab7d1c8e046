package writes_test

import (
	"flag"
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

var update = flag.Bool("update", false, "write the table of docs/invalidation.md anew")

func TestWrites(t *testing.T) {
	t.Parallel()
	writes.Run(t, writes.Embedded)
}

// The table of the document is the table of this suite.
func TestDocument(t *testing.T) {
	t.Parallel()
	suite.Page(t, "../../../docs/invalidation.md", "<!-- The table of writes, made by: go test ./internal/suite/writes -run TestDocument -update -->",
		"<!-- end of the table of writes -->", writes.Document(), *update)
}
