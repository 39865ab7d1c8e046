// Package rowcache caches rows by their keys, the relations between them, and the results of queries, of bun models whose
// database bunhooks watches. Nothing has to be declared but the models.
//
//	rc, err := rowcache.New(cache, db, rowcache.Options{})
//	books, err := rowcache.For[Book](rc, rowcache.Model{})
//	authors, err := rowcache.For[Author](rc, rowcache.Model{})
//	author, err := rowcache.ToOne(books, "Author", authors)
//
//	book, err := books.Get(ctx, 7)                       // no SQL once it is cached
//	book, err = books.GetBy(ctx, "slug", "emma")         // a column that is tagged unique
//	page, err := books.GetMany(ctx, 7, 8, 9)             // one round trip, one SELECT for all that is missing
//	err = rowcache.Preload(ctx, page, author)            // page[i].Author is set, in one round trip more
//
//	recent, err := rowcache.Query[Book](rc, db.NewSelect().Model((*Book)(nil)).
//		Where("author_id = ?", 3).Order("id DESC").Limit(20)).All(ctx)
//
// It is made of nodes: what package cacheme promises of those holds here. A row, a list or a result is wrong once a write
// that it may depend on is committed, however that was written. A query is read to find out what it depends on: the rows that
// have certain values in certain columns where its conditions show that, else whole tables. docs/queries.md says which query
// is how narrow.
//
// Rows are values, with all that bun reads of them and without relations. Every caller gets his own, but what their fields
// point to is shared and must not be changed.
//
// Processes that share a cache have to make the same For calls: a writer makes wrong what it knows of.
package rowcache
