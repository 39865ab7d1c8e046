package transactions_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/transactions"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestTransactions(t *testing.T) {
	t.Parallel()
	transactions.Run(t, writes.Embedded)
}
