package bunhooks

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/sqltx"
)

// Installed reports whether Install has joined this database, by wrapped connections, with this cache. It takes a
// connection of the pool to see.
func Installed(ctx context.Context, db *bun.DB, cache *cacheme.Cache) (bool, error) {
	c, err := sqltx.Of(ctx, db.DB)
	if err != nil || c == nil {
		return false, err
	}
	e, ok := c.Handler().(*engine)
	return ok && e.cache == cache, nil
}
