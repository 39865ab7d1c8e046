package freshness

import (
	"github.com/cacheme/cacheme/internal/suite"
	"testing"
)

func RandomRounds(t *testing.T, open suite.Open)  {}
func RandomCatches(t *testing.T, open suite.Open) {}
