package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/pages"
	"github.com/cacheme/cacheme/internal/suite/transactions"
	"github.com/cacheme/cacheme/internal/suite/writecost"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestWrites(t *testing.T) { onEach(t, writes.Run) }

func TestTransactions(t *testing.T) { onEach(t, transactions.Run) }

func TestWriteCost(t *testing.T) { onEach(t, writecost.Run) }

func TestPages(t *testing.T) { onEach(t, pages.Run) }

func BenchmarkPages(b *testing.B) {
	for _, d := range databases() {
		b.Run(d.name, func(b *testing.B) { pages.Bench(b, d.open) })
	}
}

func BenchmarkWriteCost(b *testing.B) {
	for _, d := range databases() {
		b.Run(d.name, func(b *testing.B) { writecost.Bench(b, d.open) })
	}
}
