package writes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
)

// class is all cached nodes of one type. The value of each is the rows of a table that its fields name, as text; where
// there are none it is not found, and that is cached as well.
type class struct {
	node    cacheme.Declaration
	table   string
	columns []string // what the fields of the node name; none: it is about the table as a whole
	names   []string // of the nodes
	nodes   []cacheme.Declaration
	about   [][]string
	// look gets all nodes, and tells which of them had to be loaded.
	look func(ctx context.Context, c *cacheme.Cache, load func(context.Context) ([]row, error)) (values []string, loaded []int, err error)
}

// whole reports whether its nodes are about the table as a whole, so that any row makes them wrong.
func (c *class) whole() bool { return len(c.columns) == 0 }

// truth is what the nodes have to be, given the rows of the table.
func (c *class) truth(all []row) []string {
	values := make([]string, len(c.about))
	for i, about := range c.about {
		values[i] = c.value(all, about)
	}
	return values
}

func (c *class) value(all []row, about []string) string {
	var lines []string
next:
	for _, r := range all {
		for i, column := range c.columns {
			if v, ok := r[column]; !ok || v != about[i] {
				continue next
			}
		}
		if _, deleted := r["deleted_at"]; deleted {
			continue
		}
		lines = append(lines, fmt.Sprint(r)) // fmt sorts the columns
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// cached declares the nodes of one type. name has a verb for each field, in the order of columns.
func cached[N interface {
	comparable
	cacheme.NodeOf[string]
}](table, columns, name string, nodes ...N) *class {
	c := &class{table: table, columns: strings.Fields(columns), node: *new(N)}
	index := make(map[N]int, len(nodes))
	for i, n := range nodes {
		index[n] = i
		about := fieldsOf(n)
		verbs := make([]any, len(about))
		for i, a := range about {
			verbs[i] = a
		}
		c.nodes = append(c.nodes, n)
		c.about = append(c.about, about)
		c.names = append(c.names, fmt.Sprintf(name, verbs...))
	}
	c.look = func(ctx context.Context, cache *cacheme.Cache, load func(context.Context) ([]row, error)) ([]string, []int, error) {
		var loaded []int
		values, err := cacheme.GetManyFrom(ctx, cache, nodes, func(ctx context.Context, missing []N) (map[N]string, error) {
			all, err := load(ctx)
			if err != nil {
				return nil, err
			}
			found := make(map[N]string, len(missing))
			for _, n := range missing {
				loaded = append(loaded, index[n])
				if v := c.value(all, c.about[index[n]]); v != "" {
					found[n] = v
				}
			}
			return found, nil
		})
		if errors.Is(err, cacheme.ErrNotFound) {
			err = nil
		}
		return values, loaded, err
	}
	return c
}

// fieldsOf returns the fields of a node as text, in their order.
func fieldsOf(n any) (fields []string) {
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("cacheme") != "" {
			fields = append(fields, fmt.Sprint(v.Field(i).Interface()))
		}
	}
	return fields
}

// upTo makes a node for each id from 1.
func upTo[N any](n int64, node func(id int64) N) []N {
	all := make([]N, n)
	for i := range all {
		all[i] = node(int64(i) + 1)
	}
	return all
}

// square makes a node for each pair of ids from 1.
func square[N any](n, m int64, node func(a, b int64) N) (all []N) {
	for a := range n {
		for b := range m {
			all = append(all, node(a+1, b+1))
		}
	}
	return all
}

// The ids that have nodes. The greatest have no row in the seed: "not found" is cached for them.
const (
	userNodes       = 4
	authorNodes     = 3
	bookNodes       = 6
	membershipNodes = 5
	noteNodes       = 5
)

// world is everything that is cached.
func world() []*class {
	return []*class{
		cached("users", "id", "user %s", upTo(userNodes, func(id int64) UserPage { return UserPage{ID: id} })...),
		cached("authors", "id", "author %s", upTo(authorNodes, func(id int64) AuthorPage { return AuthorPage{ID: id} })...),
		cached("books", "id", "book %s", upTo(bookNodes, func(id int64) BookPage { return BookPage{ID: id} })...),
		cached("books", "author_id", "books by author %s", upTo(authorNodes, func(id int64) BooksBy { return BooksBy{Author: id} })...),
		cached("books", "owner_id", "books of owner %s", upTo(userNodes, func(id int64) OwnedBy { return OwnedBy{Owner: id} })...),
		cached("books", "", "all books", Catalogue{}),
		cached("user_books", "user_id", "shelf of user %s", upTo(userNodes, func(id int64) Shelf { return Shelf{User: id} })...),
		cached("user_books", "book_id", "readers of book %s", upTo(bookNodes, func(id int64) Readers { return Readers{Book: id} })...),
		cached("user_books", "user_id book_id", "user %s with book %s", square(3, 4, func(u, b int64) OnShelf { return OnShelf{User: u, Book: b} })...),
		cached("user_books", "", "all shelves", Shelves{}),
		cached("follows", "follower_id", "whom user %s follows", upTo(userNodes, func(id int64) Following { return Following{User: id} })...),
		cached("follows", "followed_id", "who follows user %s", upTo(userNodes, func(id int64) Followers { return Followers{User: id} })...),
		cached("memberships", "id", "membership %s", upTo(membershipNodes, func(id int64) MembershipPage { return MembershipPage{ID: id} })...),
		cached("memberships", "user_id", "clubs of user %s", upTo(userNodes, func(id int64) Clubs { return Clubs{User: id} })...),
		cached("memberships", "author_id", "fans of author %s", upTo(authorNodes, func(id int64) Fans { return Fans{Author: id} })...),
		cached("memberships", "role", "members as %s", RoleList{Role: "fan"}, RoleList{Role: "chair"}, RoleList{Role: "guest"}),
		cached("chapters", "book_id number", "chapter of book %s, number %s", square(4, 2, func(b, n int64) ChapterPage { return ChapterPage{Book: b, Number: n} })...),
		cached("chapters", "book_id", "chapters of book %s", upTo(bookNodes, func(id int64) Contents { return Contents{Book: id} })...),
		cached("notes", "id", "note %s", upTo(noteNodes, func(id int64) NotePage { return NotePage{ID: id} })...),
		cached("notes", "user_id", "notes of user %s", upTo(userNodes, func(id int64) Notebook { return Notebook{User: id} })...),
		cached("shops", "id", "shop %s", ShopPage{ID: 1}, ShopPage{ID: 2}, ShopPage{ID: 3}),
		cached("shops", "", "all shops", ShopList{}),
		cached("coupons", "code", "coupon %s", CouponPage{Code: "SPRING"}, CouponPage{Code: "all"}, CouponPage{Code: "a:b"}, CouponPage{Code: "a"}, CouponPage{Code: "NEW"}, CouponPage{Code: ""}),
		cached("tickets", "id", "ticket %s", TicketPage{ID: ticketOne}, TicketPage{ID: ticketTwo}, TicketPage{ID: ticketNew}),
		cached("tickets", "code", "tickets by coupon %s", TicketList{Code: "SPRING"}, TicketList{Code: "all"}, TicketList{Code: "NEW"}),
	}
}

// declarations of the world.
func declarations() []cacheme.Declaration {
	all := []cacheme.Declaration{
		UserChanged{},
		AuthorChanged{},
		BookChanged{},
		BooksOf{},
		BooksOwned{},
		AnyBook{},
		UserBooks{},
		Follows{},
		MembershipChanged{},
		Memberships{},
		MembersAs{},
		ChapterChanged{},
		ChaptersOf{},
		NoteChanged{},
		NotesOf{},
		ShopChanged{},
		AnyShop{},
		CouponChanged{},
		TicketChanged{},
		TicketsBy{},
	}
	for _, c := range world() {
		all = append(all, c.node)
	}
	return all
}
