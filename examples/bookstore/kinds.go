package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/cacheme/cacheme"
)

// kind is what traffic, checker and sweep have to know of a node.
type kind struct {
	name  string
	ids   func(size) int // how many there are to ask for: 1 to that
	stale time.Duration  // how old a value may stand in
	ask   func(ctx context.Context, s *shop, id int64) (reply, error)
	// fresh calls each with the key of every entry that the cache would serve as right.
	fresh func(ctx context.Context, s *shop, each func(key string)) error
	// sweep compares each of these entries with the database.
	sweep func(ctx context.Context, s *shop, each func(key string, right bool)) error
}

// reply is what the checker looks at of a read.
type reply struct {
	tier   cacheme.Tier
	stale  bool
	claims claims
}

var kinds = append([]kind{
	kindOf("shelf", "user:%d:shelf", users, func(s *shop) *cacheme.Bound[Shelf, []Book] { return s.shelf },
		func(id int64) Shelf { return Shelf{User: id} },
		func(c *claims, user int64, books []Book) {
			c.tellsAll(onShelf, user)
			for _, b := range books {
				c.says(onShelf, user, b.ID, 1)
				c.says(bookVersion, b.ID, 0, b.Version)
			}
		}),
	kindOf("readers", "book:%d:readers", books, func(s *shop) *cacheme.Bound[Readers, []User] { return s.readers },
		func(id int64) Readers { return Readers{Book: id} },
		func(c *claims, book int64, users []User) { c.saysUsers(readersOf, book, users) }),
	kindOf("owner", "book:%d>owner", books, func(s *shop) *cacheme.Bound[BookOwner, User] { return s.owner },
		func(id int64) BookOwner { return BookOwner{ID: id} },
		func(c *claims, book int64, owner User) {
			c.says(bookOwner, book, 0, owner.ID)
			c.says(userVersion, owner.ID, 0, owner.Version)
		}),
	kindOf("chapters", "book:%d>chapters", books, func(s *shop) *cacheme.Bound[BookChapters, Chapters] { return s.chapters },
		func(id int64) BookChapters { return BookChapters{ID: id} },
		func(c *claims, book int64, chapters Chapters) { c.says(bookVersion, book, 0, chapters.Version) }),
	kindOf("book", "book:%d:row", anyBook, func(s *shop) *cacheme.Bound[BookByID, Book] { return s.book },
		func(id int64) BookByID { return BookByID{ID: id} },
		func(c *claims, id int64, b Book) { c.says(bookVersion, id, 0, b.Version) }),
	kindOf("author's books", "author:%d:books", authors, func(s *shop) *cacheme.Bound[AuthorBooks, []Book] { return s.authorBooks },
		func(id int64) AuthorBooks { return AuthorBooks{Author: id} },
		func(c *claims, author int64, books []Book) {
			c.tellsAll(booksBy, author)
			for _, b := range books {
				c.says(booksBy, author, b.ID, b.Version)
			}
		}),
	kindOf("followers", "user:%d:followers", users, func(s *shop) *cacheme.Bound[Followers, []User] { return s.followers },
		func(id int64) Followers { return Followers{User: id} },
		func(c *claims, user int64, users []User) { c.saysUsers(followersOf, user, users) }),
	kindOf("club", "author:%d:club", authors, func(s *shop) *cacheme.Bound[Club, []Membership] { return s.club },
		func(id int64) Club { return Club{Author: id} },
		func(c *claims, author int64, members []Membership) {
			c.tellsAll(clubOf, author)
			for _, m := range members {
				c.says(clubOf, author, m.UserID, m.Version)
				c.says(userVersion, m.UserID, 0, m.User.Version)
			}
		}),
	kindOf("bargains", "bargains", func(size) int { return 1 }, func(s *shop) *cacheme.Bound[Bargains, []Book] { return s.bargains },
		func(int64) Bargains { return Bargains{} },
		func(c *claims, _ int64, books []Book) {
			for _, b := range books {
				c.says(bookVersion, b.ID, 0, b.Version)
			}
		}),
	kindOf("follower count", "user:%d:follower-count", users, func(s *shop) *cacheme.Bound[FollowerCount, int64] { return s.followerCount },
		func(id int64) FollowerCount { return FollowerCount{User: id} },
		func(*claims, int64, int64) {}), // no row: the sweep looks at it
}, catalogueKinds...)

func users(n size) int   { return n.users }
func authors(n size) int { return n.authors }
func books(n size) int   { return n.books }

// anyBook also asks for books that never were.
func anyBook(n size) int { return n.books + n.books/50 }

func (c *claims) saysUsers(a aspect, of int64, users []User) {
	c.tellsAll(a, of)
	for _, u := range users {
		c.says(a, of, u.ID, 1)
		c.says(userVersion, u.ID, 0, u.Version)
	}
}

// kindOf makes the kind of a node: how its key is scanned for the id, how it is made from one, and what a value says.
func kindOf[N cacheme.NodeOf[V], V any](name, key string, ids func(size) int, bound func(*shop) *cacheme.Bound[N, V],
	node func(id int64) N, says func(c *claims, id int64, value V),
) kind {
	var zero N
	k := kind{name: name, ids: ids, stale: zero.Meta().Stale}
	k.ask = func(ctx context.Context, s *shop, id int64) (reply, error) {
		result, err := bound(s).GetResult(ctx, node(id))
		return replied(result, err, id, says)
	}
	// served calls each with what the cache would serve as right: a value, or ErrNotFound.
	served := func(ctx context.Context, s *shop, each func(key string, node N, value V, err error) error) error {
		for entry, err := range s.cache.Keys(ctx, zero) {
			if err != nil {
				return err
			}
			var id int64
			_, _ = fmt.Sscanf(entry, key, &id) // the bargains have none
			cached, err := bound(s).Peek(ctx, node(id))
			if errors.Is(err, cacheme.ErrNoEntry) || cached.Stale {
				continue // wrong, and known to be
			}
			if err := each(entry, node(id), cached.Value, err); err != nil {
				return err
			}
		}
		return nil
	}
	k.fresh = func(ctx context.Context, s *shop, each func(string)) error {
		return served(ctx, s, func(key string, _ N, _ V, _ error) error {
			each(key)
			return nil
		})
	}
	k.sweep = func(ctx context.Context, s *shop, each func(string, bool)) error {
		return served(ctx, s, func(key string, node N, cached V, cachedErr error) error {
			truth, err := bound(s).Get(cacheme.Bypass(ctx), node)
			switch {
			case errors.Is(err, cacheme.ErrNotFound):
				each(key, errors.Is(cachedErr, cacheme.ErrNotFound))
			case err != nil || cachedErr != nil && !errors.Is(cachedErr, cacheme.ErrNotFound):
				return errors.Join(err, cachedErr)
			default:
				each(key, cachedErr == nil && reflect.DeepEqual(cached, truth))
			}
			return nil
		})
	}
	return k
}

// replied is what a Get of a kind gave. Not found is said of what is about one book.
func replied[V any](result cacheme.Result[V], err error, id int64, says func(c *claims, id int64, value V)) (reply, error) {
	r := reply{tier: result.Tier, stale: result.Stale}
	switch {
	case errors.Is(err, cacheme.ErrNotFound):
		r.claims.says(bookVersion, id, 0, 0)
	case err != nil:
		return reply{}, err
	default:
		says(&r.claims, id, result.Value)
	}
	return r, nil
}
