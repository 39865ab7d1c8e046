package main

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// The shop's window is the first page of the site: plain functions, cached by Memo. Besides what makes them wrong they have
// tags, by which an operator clears one of them and leaves the rest.

// window is what stands in it.
type window struct {
	stock   *cacheme.Bound[struct{}, Stock]
	newest  *cacheme.Bound[struct{}, []Book]
	authors *cacheme.Bound[struct{}, []Author]
}

// Stock says how much the shop has to sell.
type Stock struct {
	Books int64
	Worth int64 // in cents
}

// windowed is how many things each part of the window shows.
const windowed = 5

func openWindow(cache *cacheme.Cache, db bun.IDB) (w window, err error) {
	anyBook := func(struct{}) []cacheme.Invalid { return []cacheme.Invalid{AnyBook{}} }
	w.stock, err = cacheme.Memo(cache, cacheme.Memoized[struct{}, Stock]{
		// Everybody sees it, and nobody minds if it is a moment behind: so it stays in the process, too.
		Meta:         cacheme.Meta{Key: "window:stock", Near: cacheme.On},
		InvalidNodes: anyBook,
		Tags:         []string{"window", "stock"},
	}, func(ctx context.Context, _ struct{}) (s Stock, err error) {
		err = db.NewSelect().Model((*Book)(nil)).ColumnExpr("count(*) AS books, sum(price) AS worth").Scan(ctx, &s)
		return s, err
	})
	if err != nil {
		return w, err
	}
	w.newest, err = cacheme.Memo(cache, cacheme.Memoized[struct{}, []Book]{
		Meta:         cacheme.Meta{Key: "window:newest"},
		InvalidNodes: anyBook,
		Tags:         []string{"window", "newest"},
	}, func(ctx context.Context, _ struct{}) (books []Book, err error) {
		err = db.NewSelect().Model(&books).Order("id DESC").Limit(windowed).Scan(ctx)
		return books, err
	})
	if err != nil {
		return w, err
	}
	w.authors, err = cacheme.Memo(cache, cacheme.Memoized[struct{}, []Author]{
		Meta: cacheme.Meta{Key: "window:authors"},
		InvalidNodes: func(struct{}) []cacheme.Invalid {
			return []cacheme.Invalid{AnyBook{}, cacheme.Table("authors")}
		},
		Tags: []string{"window", "authors"},
	}, func(ctx context.Context, _ struct{}) (authors []Author, err error) {
		err = db.NewSelect().Model(&authors).Join("JOIN books AS book ON book.author_id = author.id").
			Group("author.id").OrderExpr("count(*) DESC, author.id").Limit(windowed).Scan(ctx)
		return authors, err
	})
	return w, err
}
