// Package service sells products, and serves them from a cache.
package service

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme/examples/adopt/shop"
)

// Service is one process of the shop.
type Service struct {
	db    *bun.DB
	cache redis.UniversalClient
}

// New makes a service on a database and a Redis.
func New(c driver.Connector, rdb redis.UniversalClient) (*Service, error) {
	return &Service{bun.NewDB(sql.OpenDB(c), sqlitedialect.New()), rdb}, nil
}

func key(id int64) string { return fmt.Sprintf("product:%d", id) }

// Product is what the page of a product shows.
func (s *Service) Product(ctx context.Context, id int64) (p shop.Product, err error) {
	if stored, err := s.cache.Get(ctx, key(id)).Bytes(); err == nil && json.Unmarshal(stored, &p) == nil {
		return p, nil
	}
	if err := s.db.NewSelect().Model(&p).Where("id = ?", id).Scan(ctx); err != nil {
		return p, err
	}
	stored, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	return p, s.cache.Set(ctx, key(id), stored, 10*time.Minute).Err()
}

// Rename gives a product another name.
func (s *Service) Rename(ctx context.Context, id int64, name string) error {
	_, err := s.db.NewUpdate().Model((*shop.Product)(nil)).Set("name = ?", name).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return err
	}
	return s.cache.Del(ctx, key(id)).Err()
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
		if err := s.cache.Del(ctx, key(id)).Err(); err != nil {
			return err
		}
		return pay()
	})
}

// Close closes the database.
func (s *Service) Close() error { return s.db.Close() }
