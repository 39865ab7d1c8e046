package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/writecost"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestWriteCost(t *testing.T) {
	for _, c := range hookedDatabases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			writecost.Run(t, c.open)
		})
	}
}

func BenchmarkWriteCost(b *testing.B) {
	for _, c := range hookedDatabases() {
		b.Run(c.name, func(b *testing.B) { writecost.Bench(b, c.open) })
	}
}

type hookedDatabase struct {
	name string
	open writes.Open
}

// hookedDatabases are those that run as servers, by each driver that there is.
func hookedDatabases() []hookedDatabase {
	return []hookedDatabase{
		{"PostgreSQL by pgdriver", onPgdriver}, {"PostgreSQL by pgx", onPgx}, {"MariaDB", onMariaDB},
	}
}
