package bunhooks

import (
	"context"
	"slices"
)

type touchesKey struct{}

// Touches returns a context whose statements, whatever they are, also write the given tables: for what nobody can see in
// a text, such as a function or a trigger that writes. Names are "books" or "schema.books"; the tables become wrong as a
// whole.
//
//	_, err := db.ExecContext(bunhooks.Touches(ctx, "books"), "SELECT refresh_prices()")
//
// For a COPY, or any other work on the driver's own connection, run a statement with this context in the same
// transaction, SELECT 1 for one.
func Touches(ctx context.Context, tables ...string) context.Context {
	return context.WithValue(ctx, touchesKey{}, append(slices.Clone(touched(ctx)), tables...))
}

func touched(ctx context.Context) []string {
	tables, _ := ctx.Value(touchesKey{}).([]string)
	return tables
}
