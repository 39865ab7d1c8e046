// Package bunhooks turns every write that goes through a bun database into exactly the right invalidations of a cache.
//
//	sqldb := sql.OpenDB(bunhooks.WrapConnector(connector))
//	db, err := bunhooks.Install(bun.NewDB(sqldb, pgdialect.New()), cache)
//
// From then on nobody thinks of invalidation again: what the declared invalid nodes say about a row becomes wrong when
// that row is written, at the moment of the COMMIT, and not at all when the transaction is rolled back.
//
// It works on the connections below bun, where the final text of every statement passes: of bun's builders, raw SQL,
// prepared statements, and of any other library on the same *sql.DB. Which rows a statement wrote is learned by a
// RETURNING that is added to it, and whose columns the caller never sees, or by a locked SELECT before it on the same
// connection; the foreign keys before and after both count, so a book that moves from one author to another makes the
// lists of both wrong. Where rows cannot be named the table as a whole is wrong: more, never less.
//
// Around the COMMIT stands a hold: what is about to be committed is trusted by nobody until the outcome is known, and the
// database is told to give the transaction up before the hold lapses. A process that is killed anywhere in between
// leaves nothing old behind. See docs/invalidation.md for each kind of write, and for what cannot be seen.
package bunhooks
