package freshness

import (
	"testing"
	"github.com/cacheme/cacheme/internal/suite"
)
func RandomRounds(t *testing.T, open suite.Open) {}
func RandomCatches(t *testing.T, open suite.Open) {}
