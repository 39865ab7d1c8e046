package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// shop is one process of the bookstore: a database handle of its own, a cache of its own, and each node joined with its
// loader.
type shop struct {
	db      *bun.DB
	cache   *cacheme.Cache
	queries queryCount
	history *history

	shelf       *cacheme.Bound[Shelf, []Book]
	readers     *cacheme.Bound[Readers, []User]
	owner       *cacheme.Bound[BookOwner, User]
	chapters    *cacheme.Bound[BookChapters, Chapters]
	book        *cacheme.Bound[BookByID, Book]
	authorBooks *cacheme.Bound[AuthorBooks, []Book]
	followers   *cacheme.Bound[Followers, []User]
	club        *cacheme.Bound[Club, []Membership]
	bargains    *cacheme.Bound[Bargains, []Book]

	followerCount *cacheme.Bound[FollowerCount, int64]
	catalogue     *catalogue
}

// joining is how a shop's database and its cache come together: the two lines that keep everything fresh. A test breaks
// them to see the checker find it.
type joining struct {
	wrap    func(driver.Connector) driver.Connector
	install func(*bun.DB, *cacheme.Cache) (*bun.DB, error)
}

func asIntended() joining {
	return joining{
		wrap: bunhooks.WrapConnector,
		install: func(db *bun.DB, cache *cacheme.Cache) (*bun.DB, error) {
			return bunhooks.Install(db, cache)
		},
	}
}

// verifying is what the caches verify of the share that is asked for. Here every write is told before it has returned, so that
// nothing has to settle for long; and entries do not live for long here.
func verifying(share float64) cacheme.VerifyOptions {
	return cacheme.VerifyOptions{Share: share, PerSecond: 500, Settle: 100 * time.Millisecond}
}

// patience is how long the caches wait for Redis. Readers, writers, the database and mostly Redis too share this machine's cores:
// with the budgets that suit a server of its own the run would show how the machine schedules.
const patience = 5 * time.Second

func openShop(r *redisServer, d *database, h *history, c config) (*shop, error) {
	cache, err := cacheme.New(r.connect(), cacheme.Options{
		Prefix:      r.prefix,
		Budget:      patience,
		WriteBudget: patience,
		Hold:        c.hold,
		Verify:      verifying(c.verify),
		Observer:    c.told,
	})
	if err != nil {
		return nil, err
	}
	err = cache.Register(
		Shelf{}, Readers{}, BookOwner{}, BookChapters{}, BookByID{}, AuthorBooks{}, Followers{}, Club{}, Bargains{}, FollowerCount{},
		BookChanged{}, BooksOf{}, AnyBook{}, UserChanged{}, UserBooks{}, Follows{}, Memberships{},
	)
	if err != nil {
		return nil, err
	}
	s := &shop{cache: cache, history: h}
	db := bun.NewDB(pool(c.joining.wrap(d.file)), sqlitedialect.New())
	if s.db, err = c.joining.install(db, cache); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.db = s.db.WithQueryHook(&s.queries)
	load := loaders{s.db}
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
		bind(&s.followerCount, cache, load.followerCount),
	)
	if err == nil {
		cacheme.Refillable(s.followerCount, nil)
		s.catalogue, err = openCatalogue(cache, s.db)
	}
	if err == nil {
		err = cache.Publish(context.Background()) // so that cmd/cacheme can look into it
	}
	if err != nil {
		return nil, errors.Join(err, s.close(context.Background()))
	}
	return s, nil
}

func bind[N cacheme.NodeOf[V], V any](to **cacheme.Bound[N, V], c *cacheme.Cache, load func(context.Context, N) (V, error)) (err error) {
	*to, err = cacheme.Bind(c, load)
	return err
}

// write writes in some manner. That is all: nothing here tells the cache. The history is the checker's.
func (s *shop) write(ctx context.Context, m manner, w write, besides ...write) error {
	deletes := w.deletes
	for _, other := range besides {
		deletes = deletes || other.deletes
	}
	version := s.history.begin(s, deletes)
	err := m.run(ctx, s, job{w, besides, version})
	return errors.Join(err, s.history.end(ctx, version, err == nil))
}

// close waits for what the cache does in the background, also after an interrupt.
func (s *shop) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := errors.Join(s.cache.Close(ctx), s.db.Close()); err != nil {
		return fmt.Errorf("close shop: %w", err)
	}
	return nil
}

// closeShops closes those that were opened.
func closeShops(ctx context.Context, shops []*shop) (err error) {
	for _, s := range shops {
		if s != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}
	return err
}

// queryCount is a bun hook that counts what a process sends to the database.
type queryCount struct{ n atomic.Int64 }

func (c *queryCount) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *queryCount) AfterQuery(context.Context, *bun.QueryEvent) {}
