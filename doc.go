// Package cacheme is a declarative cache for Go services that use bun and Redis.
//
// You declare what you cache, as a struct (a node), and what makes it wrong, as structs that name rows of your models
// (invalid nodes). From that cacheme derives the keys, keeps every entry fresh, and loads each missing one once for the
// whole fleet. Package bunhooks sees every write that goes through your database handle and makes wrong what it has to.
// Nobody writes cache.Delete(key) any more.
//
//	// Shelf is the list of books on a user's shelf.
//	type Shelf struct {
//		cacheme.Node[[]Book]         // what is cached
//		User int64 `cacheme:"field"` // what the key is made of
//	}
//
//	func (Shelf) Meta() cacheme.Meta {
//		return cacheme.Meta{Key: "user:<user>:shelf", TTL: 10 * time.Minute}
//	}
//
//	// InvalidNodes are what makes a shelf wrong: any row of the user in the join table.
//	func (s Shelf) InvalidNodes() []cacheme.Invalid {
//		return []cacheme.Invalid{UserBooks{User: s.User}}
//	}
//
//	sqldb := sql.OpenDB(bunhooks.WrapConnector(connector))
//	db, err := bunhooks.Install(bun.NewDB(sqldb, pgdialect.New()), cache)
//
//	books, err := cacheme.Get(ctx, Shelf{User: 7}, store.LoadShelf)
//
// Writes that go another way are told by [Invalidate], or by a [Hold] around their COMMIT.
//
// # What is promised
//
// Fresh: once a write through the hooked database (or its Commit, or Invalidate) has returned, no Get that starts later, in
// any process, returns a value that was loaded before it. There is no window in which a slow load can put an old value back, because an entry
// carries the tokens of its dependencies from before its load, and is fresh only while all of them are equal to those
// in Redis. Stale serving and the near cache, each off unless asked for, may be behind by the time that is stated for them.
//
// Nothing before its time: what is not committed is never cached, and a rollback makes nothing wrong.
//
// Nothing lost: Redis may be flushed, restarted or short of memory, and processes may be killed at any moment: at worst
// something is loaded once more.
//
// One load: for one key there is one load at a time in the fleet while Redis is up, and one in each process while it
// is not. A dead loader delays others by at most one lease.
//
// Never the outage: when Redis is away or slow, Get calls its loader, within a budget. An invalidation that cannot be
// delivered is kept and delivered first thing when Redis is back; see UndeliveredError.
//
// # What is not
//
// Loaders have to read the primary database, and everything that a value depends on has to be in the fields of its
// node. Values are shared by those who wait for the same load and must not be changed. An entry may be gone at any time.
// While this process cannot reach Redis it does not know what others write; docs/promises.md says what that means, and
// every other limit.
//
// # Terms
//
// A node is something that is cached, an invalid node something that makes it wrong. A field is a part of a key. An
// entry is a stored value. A dependency has a token, which is replaced to make wrong whatever was loaded under it. A
// writer whose outcome is open holds a token. A lease is the right to load an entry. A stale value is a known old one
// that stands in while somebody loads. A loader is the function that reads the truth.
package cacheme
