package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/queries"
)

func TestQueries(t *testing.T) { onEach(t, queries.Run) }
