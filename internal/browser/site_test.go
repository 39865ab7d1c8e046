package browser_test

import (
	"testing"
)

func TestSite_shows_entries_turn_when_a_book_is_changed(t *testing.T) {
	shop := startBookstore(t)
	reader := newTab(t, shop)
	reader.settle("/users/7")
	reader.settle("/books/1")
	reader.fill("textbox", "Its title", "Notes on the Analytical Engine")
	reader.press("Give it this title")
	reader.reads("Written, by way of struct by key", "Notes on the Analytical Engine")
	if got := reader.parts(); got["The book"] != "source" || got["Who has it on the shelf"] != "redis" {
		t.Errorf("after the write the parts are from %v; want the book from source, and its readers from redis", got)
	}
	reader.settle("/books/1")
	reader.reads("Notes on the Analytical Engine")
}
