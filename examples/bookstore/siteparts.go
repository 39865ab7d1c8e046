package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
)

// part is a part of a page: what was asked for, and where the answer came from.
type part struct {
	Title string
	Lines []line
	Key   string // of the entry; empty: package rowcache has made it, or it is put together from several
	From  string // redis, near or source
	Where string // the same, in words
	Age   string
	Stale bool
}

// line is one thing in a part, which may have a page of its own.
type line struct {
	Text string
	At   string
}

// asked asks for something and makes a part of the answer.
func asked[V any](title, key string, get func() (cacheme.Result[V], error), say func(V) []line) part {
	r, err := get()
	p := part{Title: title, Key: key, From: string(r.Tier), Stale: r.Stale, Where: whence(r.Tier)}
	if r.Tier != cacheme.TierSource {
		p.Age = r.Age.Round(100 * time.Millisecond).String()
	}
	switch {
	case errors.Is(err, cacheme.ErrNotFound):
		p.Lines = []line{{Text: "There is none."}}
	case err != nil:
		p.Lines = []line{{Text: err.Error()}}
	default:
		if p.Lines = say(r.Value); len(p.Lines) == 0 {
			p.Lines = []line{{Text: "Nothing."}}
		}
	}
	return p
}

// askedNode is asked for a node.
func askedNode[N, V any](ctx context.Context, s *shop, title string, bound *cacheme.Bound[N, V], node N, say func(V) []line) part {
	key, err := s.cache.KeyOf(bound.Node(node))
	if err != nil {
		return part{Title: title, Lines: []line{{Text: err.Error()}}}
	}
	return asked(title, key, func() (cacheme.Result[V], error) { return bound.GetResult(ctx, node) }, say)
}

func whence(t cacheme.Tier) string {
	switch t {
	case cacheme.TierNear:
		return "from this process"
	case cacheme.TierRedis:
		return "from redis"
	case cacheme.TierSource:
		return "from the database, just now"
	}
	return string(t)
}

func (x *site) front(ctx context.Context, _ int64) view {
	return view{Title: "The shop window", Parts: []part{
		askedNode(ctx, x.shop, "In stock", x.window.stock, struct{}{}, func(s Stock) []line {
			return []line{{Text: fmt.Sprintf("%d books, worth %s", s.Books, price(s.Worth))}}
		}),
		askedNode(ctx, x.shop, "Bargains", x.shop.bargains, Bargains{}, booksSaid),
		askedNode(ctx, x.shop, "Newest", x.window.newest, struct{}{}, booksSaid),
		askedNode(ctx, x.shop, "Authors with most books", x.window.authors, struct{}{}, func(authors []Author) (lines []line) {
			for _, a := range authors {
				lines = append(lines, line{a.Name, fmt.Sprintf("/authors/%d", a.ID)})
			}
			return lines
		}),
		askedNode(ctx, x.shop, "Ada's shelf", x.shop.shelf, Shelf{User: ada}, booksSaid),
	}}
}

func (x *site) book(ctx context.Context, id int64) view {
	return view{Title: fmt.Sprintf("Book %d", id), At: fmt.Sprintf("/books/%d", id), Forms: siteForms["books"], Parts: []part{
		askedNode(ctx, x.shop, "The book", x.shop.book, BookByID{ID: id}, func(b Book) []line {
			return []line{{Text: b.Title}, {Text: price(b.Price)}, {fmt.Sprintf("by author %d", b.AuthorID), fmt.Sprintf("/authors/%d", b.AuthorID)}}
		}),
		askedNode(ctx, x.shop, "Its owner", x.shop.owner, BookOwner{ID: id}, func(u User) []line { return usersSaid([]User{u}) }),
		askedNode(ctx, x.shop, "Its chapters", x.shop.chapters, BookChapters{ID: id}, func(c Chapters) (lines []line) {
			for _, title := range c.Titles {
				lines = append(lines, line{Text: title})
			}
			return lines
		}),
		askedNode(ctx, x.shop, "Who has it on the shelf", x.shop.readers, Readers{Book: id}, usersSaid),
		asked("The same, from rows by their keys", "", func() (cacheme.Result[Book], error) { return x.shop.catalogue.page(ctx, id) }, func(b Book) []line {
			lines := []line{{Text: b.Title}}
			if b.Author != nil {
				lines = append(lines, line{b.Author.Name, fmt.Sprintf("/authors/%d", b.AuthorID)})
			}
			return lines
		}),
	}}
}

func (x *site) author(ctx context.Context, id int64) view {
	return view{Title: fmt.Sprintf("Author %d", id), At: fmt.Sprintf("/authors/%d", id), Forms: siteForms["authors"], Parts: []part{
		asked("The author", "", func() (cacheme.Result[Author], error) { return x.shop.catalogue.authors.GetResult(ctx, id) }, func(a Author) []line {
			return []line{{Text: a.Name}}
		}),
		askedNode(ctx, x.shop, "Books", x.shop.authorBooks, AuthorBooks{Author: id}, booksSaid),
		askedNode(ctx, x.shop, "Fan club", x.shop.club, Club{Author: id}, func(members []Membership) (lines []line) {
			for _, m := range members {
				lines = append(lines, line{fmt.Sprintf("%s, %s", m.User.Name, m.Role), fmt.Sprintf("/users/%d", m.UserID)})
			}
			return lines
		}),
		asked("The dearest, by a cached query", "", func() (cacheme.Result[[]Book], error) { return x.shop.catalogue.listed(ctx, id, 0) }, booksSaid),
	}}
}

func (x *site) user(ctx context.Context, id int64) view {
	return view{Title: fmt.Sprintf("User %d", id), At: fmt.Sprintf("/users/%d", id), Forms: siteForms["users"], Parts: []part{
		asked("The user", "", func() (cacheme.Result[User], error) { return x.shop.catalogue.users.GetResult(ctx, id) }, func(u User) []line {
			return []line{{Text: u.Name}}
		}),
		askedNode(ctx, x.shop, "Shelf", x.shop.shelf, Shelf{User: id}, booksSaid),
		askedNode(ctx, x.shop, "Followers", x.shop.followers, Followers{User: id}, usersSaid),
		askedNode(ctx, x.shop, "How many that are", x.shop.followerCount, FollowerCount{User: id}, func(n int64) []line {
			return []line{{Text: plural(int(n), "follower")}}
		}),
	}}
}

func booksSaid(books []Book) (lines []line) {
	for _, b := range books {
		lines = append(lines, line{b.Title + ", " + price(b.Price), fmt.Sprintf("/books/%d", b.ID)})
	}
	return lines
}

func usersSaid(users []User) (lines []line) {
	for _, u := range users {
		lines = append(lines, line{u.Name, fmt.Sprintf("/users/%d", u.ID)})
	}
	return lines
}

func price(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
