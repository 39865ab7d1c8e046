package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
)

// shop is one process of the bookstore: a cache, and each node joined with its loader.
type shop struct {
	db      *database
	cache   *cacheme.Cache
	witness witness

	shelf       *cacheme.Bound[Shelf, []Book]
	readers     *cacheme.Bound[Readers, []User]
	owner       *cacheme.Bound[BookOwner, User]
	chapters    *cacheme.Bound[BookChapters, Chapters]
	book        *cacheme.Bound[BookByID, Book]
	authorBooks *cacheme.Bound[AuthorBooks, []Book]
	followers   *cacheme.Bound[Followers, []User]
	club        *cacheme.Bound[Club, []Membership]
	bargains    *cacheme.Bound[Bargains, []Book]
}

func openShop(r *redisServer, db *database, w witness) (*shop, error) {
	cache, err := cacheme.New(r.cached, cacheme.Options{
		Prefix: r.prefix,
		// Readers, writers, the database and mostly Redis too share this machine's cores: with the budgets that suit a
		// server of its own the run would show how the machine schedules.
		Budget:      5 * time.Second,
		WriteBudget: 5 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	err = cache.Register(
		Shelf{}, Readers{}, BookOwner{}, BookChapters{}, BookByID{}, AuthorBooks{}, Followers{}, Club{}, Bargains{},
		BookChanged{}, BooksOf{}, UserChanged{}, UserBooks{}, Follows{}, Memberships{}, PricesChanged{},
	)
	if err != nil {
		return nil, err
	}
	s, load := &shop{db: db, cache: cache, witness: w}, loaders{db}
	err = errors.Join(
		bind(&s.shelf, cache, load.shelf),
		bind(&s.readers, cache, load.readers),
		bind(&s.owner, cache, load.owner),
		bind(&s.chapters, cache, load.chapters),
		bind(&s.book, cache, load.book),
		bind(&s.authorBooks, cache, load.authorBooks),
		bind(&s.followers, cache, load.followers),
		bind(&s.club, cache, load.club),
		bind(&s.bargains, cache, load.bargains),
	)
	return s, err
}

func bind[N cacheme.NodeOf[V], V any](to **cacheme.Bound[N, V], c *cacheme.Cache, load func(context.Context, N) (V, error)) (err error) {
	*to, err = cacheme.Bind(c, load)
	return err
}

// close waits for what the cache does in the background, also after an interrupt.
func (s *shop) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.cache.Close(ctx); err != nil {
		return fmt.Errorf("close cache: %w", err)
	}
	return nil
}
