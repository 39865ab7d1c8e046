package main

import (
	"fmt"
	"strconv"
	"strings"
)

// form is something that can be changed on a page: one value, and the write that it becomes.
type form struct {
	Name   string // in its path
	Label  string
	Type   string // of the input
	Button string
	write  func(id int64, value string) (write, error)
}

// siteForms are the forms of each kind of page.
var siteForms = map[string][]form{
	"books": {
		{"title", "Its title", "text", "Give it this title", byText(retitle)},
		{"chapters", "Its chapters, with commas between them", "text", "Rewrite it", byText(func(id int64, text string) write {
			chapters := strings.Split(text, ",")
			for i := range chapters {
				chapters[i] = strings.TrimSpace(chapters[i])
			}
			return rewrite(id, strings.Join(chapters, "\n"))
		})},
		{"author", "Number of the author who has written it", "number", "Give it to this author", byNumber(move)},
		{"owner", "Number of the user who buys it", "number", "Sell it", byNumber(sell)},
	},
	"authors": {
		{"prices", "Percentage of today's prices", "number", "Reprice all books", byNumber(reprice)},
		{"editor", "Number of a user", "number", "Make an editor of the club", byNumber(func(author, user int64) write {
			return setRole(user, author, "editor")
		})},
	},
	"users": {
		{"name", "Name", "text", "Rename", byText(rename)},
		{"add", "Number of a book to put on the shelf", "number", "Put it there", byNumber(func(user, book int64) write { return addToShelf(user, book) })},
		{"take", "Number of a book to take off the shelf", "number", "Take it off", byNumber(func(user, book int64) write { return takeFromShelf(user, book) })},
		{"follower", "Number of a user who follows", "number", "Follow", byNumber(func(user, follower int64) write { return follow(follower, user) })},
	},
}

func formOf(kind, name string) (form, bool) {
	for _, f := range siteForms[kind] {
		if f.Name == name {
			return f, true
		}
	}
	return form{}, false
}

func byText(w func(id int64, text string) write) func(int64, string) (write, error) {
	return func(id int64, value string) (write, error) {
		if value = strings.TrimSpace(value); value == "" {
			return write{}, fmt.Errorf("nothing was filled in")
		}
		return w(id, value), nil
	}
}

func byNumber(w func(id, n int64) write) func(int64, string) (write, error) {
	return func(id int64, value string) (write, error) {
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || n < 1 {
			return write{}, fmt.Errorf("%q is no number of anything here", value)
		}
		return w(id, n), nil
	}
}
