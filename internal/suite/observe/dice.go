package observe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/uptrace/bun"
)

// dice make what is random. The same seed makes the same.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 2))} }

// seedOf is that of the environment's SEED, else a new one.
func seedOf(t testing.TB) uint64 {
	t.Helper()
	if text := os.Getenv("SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		check(t, err)
		return n
	}
	return rand.Uint64() >> 16
}

// most is how many rows of each table there are to begin with; some ids are nobody's.
const most = 6

func (d dice) id() int64         { return 1 + d.Int64N(most+1) }
func (d dice) there() int64      { return 1 + d.Int64N(most) }
func (d dice) chance(n int) bool { return d.IntN(100) < n }

func (d dice) book(id int64) *Book {
	return &Book{ID: id, Title: fmt.Sprint("t", d.IntN(4)), Price: d.Int64N(4), AuthorID: d.Int64N(most + 1)}
}

func (d dice) review(id int64) *Review {
	return &Review{ID: id, BookID: d.there(), UserID: d.there(), Stars: d.Int64N(4)}
}

func nick(user int64) string { return fmt.Sprint("nick", user) }

// plant fills the empty tables, unseen by the cache.
func (p *place) plant(ctx context.Context, d dice) error {
	var authors []Author
	var users []User
	var books []Book
	var places []UserBook
	var reviews []Review
	for id := int64(1); id <= most; id++ {
		authors = append(authors, Author{ID: id, Name: fmt.Sprint("a", id)})
		users = append(users, User{ID: id, Name: fmt.Sprint("u", id), Nick: nick(id)})
		books = append(books, *d.book(id))
		places = append(places, UserBook{UserID: id, BookID: d.there()})
		reviews = append(reviews, *d.review(id))
	}
	return p.admin.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, rows := range []any{&authors, &users, &books, &places, &reviews} {
			if _, err := tx.NewInsert().Model(rows).Returning("NULL").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
