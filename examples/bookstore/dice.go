package main

import "math/rand/v2"

// dice are one reader's or writer's own, so that a seed means the same in every run.
type dice struct {
	*rand.Rand

	size  size
	zipfs map[int]*rand.Zipf
}

func (t *traffic) dice(who int) *dice {
	return &dice{Rand: rand.New(rand.NewPCG(t.seed, uint64(who+1))), size: t.size, zipfs: map[int]*rand.Zipf{}}
}

// id draws one of 1 to n, the low ones far more often: everybody reads, and changes, the same few things.
func (d *dice) id(n int) int64 {
	if d.zipfs[n] == nil {
		d.zipfs[n] = rand.NewZipf(d.Rand, 1.5, 4, uint64(n-1))
	}
	return int64(d.zipfs[n].Uint64()) + 1
}

// drawings draw something to write: one of each way.
var drawings = []func(d *dice) write{
	func(d *dice) write { return retitle(d.book(), title(d.Rand)) },
	func(d *dice) write { return reprice(d.author(), 90+d.Int64N(21)) },
	func(d *dice) write { return move(d.book(), d.author()) },
	func(d *dice) write {
		books := map[int64]bool{d.book(): true, d.book(): true, d.book(): true}
		var prices []Book
		for id := range books {
			prices = append(prices, Book{ID: id, Price: 500 + d.Int64N(4500)})
		}
		return setPrices(prices)
	},
	func(d *dice) write {
		return addBooks(rows(4, func(int) Book {
			return Book{
				ID: d.book(), Title: title(d.Rand), Price: 500 + d.Int64N(4500), Chapters: title(d.Rand),
				AuthorID: d.author(), OwnerID: 1 + d.Int64N(staff),
			}
		}))
	},
	func(d *dice) write {
		return addUsers(rows(4, func(int) User {
			id := d.user()
			return User{ID: id, Name: name(d.Rand, id)}
		}))
	},
	func(d *dice) write { return deleteBook(d.book()) },
	func(d *dice) write { return deleteUser(d.customer()) },
	func(d *dice) write { id := d.user(); return rename(id, name(d.Rand, id)) },
	func(d *dice) write { return rewrite(d.book(), title(d.Rand)+"\n"+title(d.Rand)) },
	func(d *dice) write { return sell(d.book(), d.user()) },
	func(d *dice) write { return follow(d.user(), d.user()) },
	func(d *dice) write { return unfollow(d.user()) },
	func(d *dice) write { return addToShelf(d.user(), d.book(), d.book()) },
	func(d *dice) write { return takeFromShelf(d.user(), d.book(), d.book(), d.book()) },
	func(d *dice) write { return clearShelf(d.user()) },
	func(d *dice) write { return collect(d.user(), d.author()) },
	func(d *dice) write {
		return setRole(d.user(), d.author(), one(d.Rand, []string{"fan", "editor", "president"}))
	},
	func(d *dice) write { return leaveClubs(d.user()) },
}

// write draws any of them.
func (d *dice) write() write { return drawings[d.IntN(len(drawings))](d) }

func (d *dice) book() int64 { return d.id(d.size.books) }

func (d *dice) user() int64 { return d.id(d.size.users) }

func (d *dice) author() int64 { return d.id(d.size.authors) }

// customer is a user who may leave.
func (d *dice) customer() int64 { return staff + d.id(d.size.users-int(staff)) }
