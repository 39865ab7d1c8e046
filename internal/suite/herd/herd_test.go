package herd_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/herd"
)

func TestHerd(t *testing.T) { herd.Run(t, suite.Embedded) }
