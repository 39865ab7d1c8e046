package cacheme

import (
	"context"
	"time"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// tokensToBegin are the tokens that a load reads, and makes where they are missing, before it begins: all of them.
func (c *Cache) tokensToBegin(w *work) []string {
	if c.tokensComeLate(w) {
		return nil
	}
	return w.r.keys
}

// tokensComeLate reports whether a test has broken the order of tokens and load.
func (c *Cache) tokensComeLate(w *work) bool {
	return c.rules.Off(guard.ReadThenLoad) || c.rules.Off(guard.CreateThenLoad) && w.missing
}

// breakTokenOrder reads the declared tokens after the load, where a test wants to see what that breaks.
func (c *Cache) breakTokenOrder(ctx context.Context, ws []*work, money *purse) {
	for _, w := range ws {
		if !c.tokensComeLate(w) {
			continue
		}
		late, err := spend(money, func(budget time.Duration) (store.Late, error) {
			return c.store.ReadLate(ctx, budget, w.begun, w.r.keys, c.tokenLife(w))
		})
		if err == nil {
			w.begun.Tokens = late.Tokens
		}
	}
}
