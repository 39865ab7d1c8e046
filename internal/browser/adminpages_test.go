package browser_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "take the pictures in docs/ anew")

// pictured are the pages that the documents show, each in one window.
var pictured = map[string]string{
	"admin-overview": "desktop-light",
	"admin-entry":    "desktop-dark",
	"admin-clear":    "phone-light",
}

// mostPictured bounds a picture in the documents, in bytes.
const mostPictured = 200_000

func TestPages_of_the_admin_page_fit_and_can_be_used_by_everybody(t *testing.T) {
	shop := startBookstore(t)
	b := newTab(t, shop)
	b.as("Grace")
	for _, path := range []string{"/", "/books/1", "/books/2", "/authors/2", "/users/7", "/users/8"} {
		b.settle(path)
		b.open(path)
		b.open(path)
	}
	if *update { // an overview with nothing to see is no picture
		for begun := time.Now(); time.Since(begun) < 25*time.Second; {
			b.open("/books/1")
			b.open("/")
		}
	}
	for _, w := range windows {
		b.in(w)
		b.adminPages(func(page string) {
			b.seen(w, page)
			if *update && pictured[page] == w.name {
				b.document(page)
			}
		})
	}
	if t.Failed() {
		t.Logf("pictures of all pages are in %s", screenshots)
	}
}

// adminPages goes through all that the admin page can show, as Grace, who has written and cleared before.
func (b *tab) adminPages(seen func(page string)) {
	b.t.Helper()
	b.open("/books/1")
	b.fill("textbox", "Its title", "Notes by the Translator")
	b.press("Give it this title")

	for page, path := range map[string]string{
		"admin-overview": "",
		"admin-nodes":    "nodes",
		"admin-node":     "node?name=main.Shelf",
		"admin-graph":    "graph",
		"admin-choose":   "clear?node=main.Shelf&invalid=main.UserBooks",
		"admin-journal":  "journal",
	} {
		b.open("/admin/" + path)
		seen(page)
	}

	b.settle("/users/7")
	b.open("/admin/node?name=main.Shelf")
	b.click("button", ofItsEntries)
	b.reads("That is all", "user:7:shelf")
	seen("admin-node-entries")

	b.open("/admin/browse")
	seen("admin-browse")
	b.settle("/users/7")
	b.open("/admin/browse")
	b.click("button", "Look") // with JavaScript it stays on the page
	b.reads("That is all", "user:7:shelf")
	seen("admin-browsed")

	b.settle("/books/2")
	b.open("/authors/2")
	b.fill("spinbutton", "Percentage of today's prices", "90")
	b.press("Reprice all books") // so that book 2 is wrong, and nobody has asked for it since
	b.open("/admin/")
	b.fill("searchbox", "Find an entry by its key", "book:2:row")
	b.press("Find")
	b.reads("book:2:row", "made wrong", "UPDATE")
	seen("admin-entry")
	b.settle("/users/7")
	b.open("/admin/")
	b.fill("searchbox", "Find an entry by its key", "user:7:shelf")
	b.press("Find")
	b.reads("fresh")
	seen("admin-entry-fresh")
	b.follow("Show the value")
	seen("admin-value")
	b.fill("searchbox", "Find an entry by its key", "user:77:shelf")
	b.press("Find")
	seen("admin-entry-none")

	b.open("/admin/clear")
	b.fill("textbox", "Entries whose keys match are removed", "*")
	b.press("Preview")
	b.reads("All keys were looked at")
	seen("admin-preview-all")
	b.open("/admin/clear")
	b.tick("newest")
	b.tick("stock")
	b.press("Preview")
	b.reads("All keys were looked at")
	seen("admin-clear")
	b.press("Clear now")
	b.reads("Record ", "done")
	seen("admin-record")
	b.open("/admin/audit")
	seen("admin-audit")

	b.fill("searchbox", "Find an entry by its key", "nothing of ours")
	b.refused("Find", 400)
	seen("admin-refused")
	b.settle("/")
}

// document keeps a picture for docs/.
func (b *tab) document(page string) {
	b.t.Helper()
	file := filepath.Join("..", "..", "docs", page+".png")
	b.picture(file)
	if info, err := os.Stat(file); err != nil || info.Size() > mostPictured {
		b.t.Errorf("%s: %v, or larger than %d bytes", file, err, mostPictured)
	}
}
