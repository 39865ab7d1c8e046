// Package service sells products, and serves them from a cache.
package service

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/examples/adopt/shop"
)

// Service is one process of the shop.
type Service struct {
	db    *bun.DB
	cache *cacheme.Cache
}

// New makes a service on a database and a Redis.
func New(c driver.Connector, rdb redis.UniversalClient) (*Service, error) {
	cache, err := cacheme.New(rdb, cacheme.Options{})
	if err != nil {
		return nil, err
	}
	if err := cache.Register(ProductPage{}, ProductChanged{}); err != nil {
		return nil, err
	}
	db := bun.NewDB(sql.OpenDB(bunhooks.WrapConnector(c)), sqlitedialect.New())
	db, err = bunhooks.Install(db, cache)
	return &Service{db, cache}, err
}

// ProductPage is what is cached.
type ProductPage struct {
	cacheme.Node[shop.Product]

	ID int64 `cacheme:"field"`
}

// Meta names the entry.
func (ProductPage) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "product:<id>", TTL: 10 * time.Minute}
}

// InvalidNodes are what makes it wrong.
func (n ProductPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ProductChanged{ID: n.ID}}
}

// ProductChanged is a row of products.
type ProductChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta names the model.
func (ProductChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*shop.Product)(nil)} }

// Product is what the page of a product shows.
func (s *Service) Product(ctx context.Context, id int64) (p shop.Product, err error) {
	return cacheme.GetFrom(ctx, s.cache, ProductPage{ID: id}, func(ctx context.Context, n ProductPage) (p shop.Product, err error) {
		err = s.db.NewSelect().Model(&p).Where("id = ?", n.ID).Scan(ctx)
		return p, err
	})
}

// Rename gives a product another name.
func (s *Service) Rename(ctx context.Context, id int64, name string) error {
	_, err := s.db.NewUpdate().Model((*shop.Product)(nil)).Set("name = ?", name).Where("id = ?", id).Exec(ctx)
	return err
}

// Sale changes all prices of a category, to a percentage.
func (s *Service) Sale(ctx context.Context, category string, percent int64) error {
	_, err := s.db.NewUpdate().Model((*shop.Product)(nil)).
		Set("price = price * ? / 100", percent).Where("category = ?", category).Exec(ctx)
	return err
}

// Order takes one from the stock, if it is paid for.
func (s *Service) Order(ctx context.Context, id int64, pay func() error) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*shop.Product)(nil)).Set("stock = stock - 1").Where("id = ?", id).Exec(ctx)
		if err != nil {
			return err
		}
		return pay()
	})
}

// Close closes the cache and the database.
func (s *Service) Close() error {
	return errors.Join(s.cache.Close(context.Background()), s.db.Close())
}
