package integration_test

import (
	"os"
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m).Run()) }
