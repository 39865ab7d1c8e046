// Package admin is a page for the people who run a cache: what is cached, why an entry is old, what a clearing would hit,
// and a clearing itself, with a record of who did it.
//
// It is one http.Handler, for any path of any server:
//
//	page, err := admin.New(cache.Console(), db, admin.Options{Authorize: authorize})
//	mux.Handle("/ops/cache/", http.StripPrefix("/ops/cache", page))
//	defer page.Close()
//
// Nobody gets in unless Options.Authorize says who he is and what he may do: see Role. Everything that clears is written
// to a table of the application's database first, by Migrations, and completed there afterwards; where that cannot be
// written nothing is cleared.
//
// The pages need no JavaScript, and are better with it. Nothing is loaded from elsewhere, there is no inline script or
// style, and nothing changes by GET. Keys of entries are in no URL as they are, so that the logs of servers and proxies
// have none: links to entries carry them encrypted, and searches are posted.
//
// docs/admin.md says what each page shows and what is not promised.
package admin
