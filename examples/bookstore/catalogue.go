package main

import (
	"context"
	"errors"
	"reflect"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

// What needs no node of its own: rows by their keys, what they are related to, and the results of queries. Their models
// say enough.

// catalogue is the part of a shop that is cached so.
type catalogue struct {
	db      *bun.DB
	rows    *rowcache.Cache
	books   *rowcache.Rows[Book]
	authors *rowcache.Rows[Author]
	users   *rowcache.Rows[User]
	author  *rowcache.One[Book, Author]
	owner   *rowcache.One[Book, User]
}

func openCatalogue(cache *cacheme.Cache, db *bun.DB) (c *catalogue, err error) {
	c = &catalogue{db: db}
	// Two processes have one cache, so they have to call the database by one name; a temporary file has another each time.
	if c.rows, err = rowcache.New(cache, db, rowcache.Options{Database: "shop"}); err != nil {
		return nil, err
	}
	if c.books, err = rowcache.For[Book](c.rows, rowcache.Model{}); err != nil {
		return nil, err
	}
	if c.authors, err = rowcache.For[Author](c.rows, rowcache.Model{}); err != nil {
		return nil, err
	}
	if c.users, err = rowcache.For[User](c.rows, rowcache.Model{}); err != nil {
		return nil, err
	}
	if c.author, err = rowcache.ToOne(c.books, "Author", c.authors); err != nil {
		return nil, err
	}
	c.owner, err = rowcache.ToOne(c.books, "Owner", c.users)
	return c, err
}

// page is a book with its author and its owner: three rows, each cached by its key.
func (c *catalogue) page(ctx context.Context, id int64) (cacheme.Result[Book], error) {
	r, err := c.books.GetResult(ctx, id)
	if err != nil {
		return r, err
	}
	one := []Book{r.Value}
	err = rowcache.Preload(ctx, one, c.author, c.owner)
	r.Value = one[0]
	return r, err
}

// pageSize is how many books a page of a list has.
const pageSize = 5

// listed is one page of an author's books, the dearest first, each with its owner.
func (c *catalogue) listed(ctx context.Context, author, page int64) (cacheme.Result[[]Book], error) {
	return rowcache.Query[Book](c.rows, c.db.NewSelect().Model((*Book)(nil)).Relation("Owner").
		Where("book.author_id = ?", author).Order("book.price DESC", "book.id").
		Limit(pageSize).Offset(page*pageSize)).Result(ctx)
}

// FollowerCount is how many follow a user. Whoever changes that counts anew, so that the next visitor need not.
type FollowerCount struct {
	cacheme.Node[int64]

	User int64 `cacheme:"field"`
}

// Meta names the entry: user:7:follower-count.
func (FollowerCount) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:follower-count"} }

// InvalidNodes has this user on the followed side.
func (f FollowerCount) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Follows{Followed: f.User}}
}

// Refill has the process that writes a row count anew.
func (Follows) Refill(row Follow) []cacheme.Declaration {
	return []cacheme.Declaration{FollowerCount{User: row.FollowedID}}
}

func (l loaders) followerCount(ctx context.Context, n FollowerCount) (int64, error) {
	return l.db.NewSelect().Model((*Follow)(nil)).Where("followed_id = ?", n.User).Count(ctx)
}

// The catalogue's kinds have no key that traffic, checker or sweep could scan for: they are asked for by id.
var catalogueKinds = []kind{
	askedFor("book page", anyBook, func(ctx context.Context, s *shop, id int64) (cacheme.Result[Book], error) {
		return s.catalogue.page(ctx, id)
	}, func(c *claims, id int64, b Book) {
		c.says(bookVersion, id, 0, b.Version)
		if b.Owner != nil {
			c.says(userVersion, b.OwnerID, 0, b.Owner.Version)
		}
	}),
	askedFor("list page", authors, func(ctx context.Context, s *shop, id int64) (cacheme.Result[[]Book], error) {
		return s.catalogue.listed(ctx, id, 0)
	}, func(c *claims, _ int64, books []Book) {
		for _, b := range books {
			c.says(bookVersion, b.ID, 0, b.Version)
			if b.Owner != nil {
				c.says(userVersion, b.OwnerID, 0, b.Owner.Version)
			}
		}
	}),
}

// sweptOfKind is how many of a kind the sweep asks for: the ids that are drawn most.
const sweptOfKind = 25

// askedFor makes the kind of what is asked for by id alone.
func askedFor[V any](name string, ids func(size) int, get func(context.Context, *shop, int64) (cacheme.Result[V], error),
	says func(c *claims, id int64, value V),
) kind {
	return kind{
		name: name,
		ids:  ids,
		ask: func(ctx context.Context, s *shop, id int64) (reply, error) {
			result, err := get(ctx, s, id)
			return replied(result, err, id, says)
		},
		fresh: func(context.Context, *shop, func(string)) error { return nil },
		sweep: func(ctx context.Context, s *shop, each func(string, bool)) error {
			for id := range int64(sweptOfKind) {
				cached, cachedErr := get(ctx, s, id+1)
				truth, err := get(cacheme.Bypass(ctx), s, id+1)
				if cachedErr != nil || err != nil {
					if !errors.Is(cachedErr, cacheme.ErrNotFound) && !errors.Is(err, cacheme.ErrNotFound) {
						return errors.Join(cachedErr, err)
					}
					each(name, errors.Is(cachedErr, cacheme.ErrNotFound) && errors.Is(err, cacheme.ErrNotFound))
					continue
				}
				each(name, reflect.DeepEqual(cached.Value, truth.Value))
			}
			return nil
		},
	}
}
