package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// size is how much the shop holds.
type size struct{ users, authors, books, places, follows, members int }

var fullSize = size{users: 2000, authors: 500, books: 5000, places: 20_000, follows: 4000, members: 2000}

// The people of the story. The first users are the staff, who never leave.
const (
	ada   int64 = 7
	bob   int64 = 8
	staff int64 = 10
)

// fill puts the shop's contents into empty tables, before any process of the shop has opened them. The same seed gives
// the same shop.
func fill(ctx context.Context, db *database, h *history, n size, seed uint64, out *page) error {
	random := rand.New(rand.NewPCG(seed, 0))
	version := h.begin(nil, false)
	users := rows(n.users, func(i int) User {
		return User{Name: name(random, int64(i+1)), Version: version}
	})
	authors := rows(n.authors, func(i int) Author { return Author{Name: name(random, int64(i+1))} })
	books := rows(n.books, func(i int) Book {
		return Book{
			Title:    title(random),
			Price:    500 + random.Int64N(4500),
			Chapters: strings.Join([]string{title(random), title(random), title(random)}, "\n"),
			// The first authors have a book each; so there is somebody's book for every step of the story.
			AuthorID: pick(random, n.authors, i),
			OwnerID:  1 + random.Int64N(int64(n.users)),
			Version:  version,
		}
	})
	places := relation(random, n.places, n.users, n.books, func(user, book int64) UserBook {
		return UserBook{UserID: user, BookID: book, Version: version}
	})
	follows := relation(random, n.follows, n.users, n.users, func(follower, followed int64) Follow {
		return Follow{FollowerID: follower, FollowedID: followed, Version: version}
	})
	// Ada follows nobody before the story has her do so.
	follows = slices.DeleteFunc(follows, func(f Follow) bool { return f.FollowerID == ada })
	members := relation(random, n.members, n.users, n.authors, func(user, author int64) Membership {
		return Membership{UserID: user, AuthorID: author, Role: "fan", Version: version}
	})

	if err := insertAll(ctx, db, "users", users, out); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "authors", authors, out); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "books", books, out); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "places on shelves", places, out); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "follows", follows, out); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "memberships", members, out); err != nil {
		return err
	}
	return h.end(ctx, version, true)
}

func rows[T any](n int, row func(i int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = row(i)
	}
	return out
}

// relation draws n different pairs of different ids.
func relation[T any](random *rand.Rand, n, left, right int, row func(left, right int64) T) []T {
	var out []T
	drawn := map[[2]int64]bool{}
	for len(out) < n {
		pair := [2]int64{1 + random.Int64N(int64(left)), 1 + random.Int64N(int64(right))}
		if !drawn[pair] && pair[0] != pair[1] {
			drawn[pair] = true
			out = append(out, row(pair[0], pair[1]))
		}
	}
	return out
}

// pick gives the first n rows one of n ids each, and draws for the others.
func pick(random *rand.Rand, n, i int) int64 {
	if i < n {
		return int64(i + 1)
	}
	return 1 + random.Int64N(int64(n))
}

// insertBatch keeps a bulk insert below SQLite's limit of variables; it is also the step of the progress shown.
const insertBatch = 500

// insertAll inserts rows in bulk, and fills in the ids that the database gives them.
func insertAll[T any](ctx context.Context, db *database, what string, rows []T, out *page) error {
	progress := out.progress("loading "+what, len(rows))
	err := db.plain.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for from := 0; from < len(rows); from += insertBatch {
			batch := rows[from:min(from+insertBatch, len(rows))]
			if _, err := tx.NewInsert().Model(&batch).Exec(ctx); err != nil {
				return err
			}
			progress(from + len(batch))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", what, err)
	}
	return nil
}

var (
	firstNames = []string{"Grace", "Alan", "Edsger", "Barbara", "Niklaus", "Frances", "Tony", "Hedy", "Donald", "Radia"}
	lastNames  = []string{"Quill", "Marlow", "Finch", "Ashdown", "Thorne", "Vale", "Hollis", "Pryce", "Winter", "Sandoval"}
	adjectives = []string{"Silent", "Crooked", "Last", "Golden", "Distant", "Borrowed", "Hollow", "Second", "Patient", "Northern"}
	nouns      = []string{"Garden", "Ledger", "Tide", "Orchard", "Letter", "Engine", "Winter", "Harbour", "Clock", "Mirror"}
)

func name(random *rand.Rand, id int64) string {
	switch id {
	case ada:
		return "Ada"
	case bob:
		return "Bob"
	}
	return one(random, firstNames) + " " + one(random, lastNames)
}

func title(random *rand.Rand) string {
	return "The " + one(random, adjectives) + " " + one(random, nouns)
}

func one(random *rand.Rand, of []string) string { return of[random.IntN(len(of))] }
