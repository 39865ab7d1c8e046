package browser_test

import (
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// inBothWays runs a story with JavaScript and without it.
func inBothWays(t *testing.T, story func(t *testing.T, shop *bookstore, person func(name string) *tab)) {
	t.Helper()
	for _, way := range []struct {
		name  string
		begin func(*tab)
	}{{"with_JavaScript", func(*tab) {}}, {"without_JavaScript", (*tab).withoutScripts}} {
		t.Run(way.name, func(t *testing.T) {
			shop := startBookstore(t)
			story(t, shop, func(name string) *tab {
				b := newTab(t, shop)
				way.begin(b)
				b.as(name)
				return b
			})
		})
	}
}

// records are the rows of the audit, the newest first, as a person reads them: number, who, when, kind, ..., outcome.
func (b *tab) records() [][]string {
	b.t.Helper()
	b.open("/admin/audit")
	return run[[][]string](b, `[...document.querySelectorAll("tbody tr")].map(r => [...r.cells].map(c => c.textContent.trim()))`)
}

// asked is what a record says was asked for: pairs of kind and text.
func (b *tab) asked(id string) [][]string {
	b.t.Helper()
	b.records()
	b.follow(id)
	b.reads("Record " + id)
	return run[[][]string](b, `[...document.querySelectorAll("section dt")].map(t => [t.textContent, t.nextElementSibling.textContent])`)
}

// Scenario 29 and the page that is old at three in the morning: something has written that nobody was told of.
func TestOperator_finds_an_old_page_reads_why_and_clears_exactly_that(t *testing.T) {
	inBothWays(t, func(t *testing.T, shop *bookstore, person func(string) *tab) {
		reader, grace := person("a reader"), person("Grace")
		for _, path := range []string{"/books/1", "/books/2", "/users/7"} {
			reader.settle(path)
		}
		shop.behindItsBack("UPDATE books SET title = 'What it is called now' WHERE id = 1")
		reader.open("/books/1")
		reader.readsNot("What it is called now")

		// From the page to its entry, and why it is as it is.
		grace.open("/books/1")
		grace.press("Why? book:1:row")
		grace.reads("book:1:row", "fresh", "every token is the one that it was loaded under", "row:book:1", "unchanged")
		grace.press("Clear what depends on row:book:1")
		grace.reads("Clear this?", "row:book:1", "All keys were looked at")
		grace.click("DisclosureTriangle", "Some of them")
		grace.reads("book:1>chapters")
		grace.readsNot("book:2")
		reader.open("/books/1")
		reader.readsNot("What it is called now") // a preview clears nothing
		grace.press("Clear now")
		grace.reads("Record 1", "done", "Grace", "row:book:1")

		reader.open("/books/1")
		reader.reads("What it is called now")
		if got := reader.parts(); got["The book"] != "source" || got["Its owner"] != "source" || got["Who has it on the shelf"] != "redis" {
			t.Errorf("the parts of the book's page are from %v; want the book and its owner from source, and its readers from redis", got)
		}
		for _, path := range []string{"/books/2", "/users/7"} {
			reader.open(path)
			for part, tier := range reader.parts() {
				if tier != "redis" {
					t.Errorf("%s on %s is from %s, want redis: it was not cleared", part, path, tier)
				}
			}
		}
		if all := grace.records(); len(all) != 1 || all[0][0] != "1" || all[0][1] != "Grace" || all[0][len(all[0])-1] != "done" {
			t.Errorf("the audit has %q, want Grace's record alone, done", all)
		}
	})
}

// What the ancestor did: after anybody had opened an old record, its form cleared that record's tags in place of the new
// ones (D29a).
func TestOperator_who_has_opened_an_old_record_clears_the_new_tags_alone(t *testing.T) {
	inBothWays(t, func(t *testing.T, _ *bookstore, person func(string) *tab) {
		reader, grace, ada := person("a reader"), person("Grace"), person("Ada")
		reader.settle("/")
		grace.open("/admin/clear")
		grace.tick("stock")
		grace.press("Preview")
		grace.press("Clear now")
		if got := grace.asked("1"); len(got) != 1 || got[0][1] != "stock" {
			t.Fatalf("record 1 says %q, want the tag stock", got)
		}
		reader.open("/")
		if got := reader.parts(); got["In stock"] != "source" || got["Newest"] != "redis" || got["Authors with most books"] != "redis" {
			t.Errorf("after stock was cleared the window is from %v", got)
		}
		reader.settle("/")

		// Both open the old record, and add a new one from there.
		for _, b := range []*tab{ada, grace} {
			b.open("/admin/record?id=1")
			b.reads("stock")
			b.follow("Clear")
			if got := run[int](b, `document.querySelectorAll("main input:checked, main input:disabled, main fieldset:disabled").length`); got != 0 {
				t.Errorf("%d boxes of a new form are ticked, or cannot be", got)
			}
			if got := run[string](b, `[...document.querySelectorAll("main form.choose input:not([type=hidden]):not([type=checkbox]), main textarea")].map(e => e.value).join("")`); got != "" {
				t.Errorf("a new form is filled in with %q", got)
			}
		}
		ada.tick("newest")
		ada.tick("authors")
		ada.press("Preview")
		ada.reads("Clear this?", "newest", "authors")
		ada.readsNot("stock")
		ada.press("Clear now")
		reader.open("/")
		if got := reader.parts(); got["In stock"] == "source" || got["Newest"] != "source" || got["Authors with most books"] != "source" ||
			got["Bargains"] != "redis" || got["Ada's shelf"] != "redis" {
			t.Errorf("after newest and authors were cleared the window is from %v", got)
		}
		if got := ada.asked("2"); len(got) != 2 || got[0][1] != "newest" && got[1][1] != "newest" || got[0][1] != "authors" && got[1][1] != "authors" {
			t.Errorf("record 2 says %q, want the tags newest and authors", got)
		}
		// Nobody's record has become somebody else's.
		if all := grace.records(); len(all) != 2 || all[0][1] != "Ada" || all[1][1] != "Grace" {
			t.Errorf("the audit has %q, want Ada's and Grace's", all)
		}
	})
}

func TestOperators_two_at_once_clear_each_his_own(t *testing.T) {
	inBothWays(t, func(t *testing.T, _ *bookstore, person func(string) *tab) {
		reader := person("a reader")
		reader.settle("/")
		both := map[string]*tab{"newest": person("Grace"), "authors": person("Ada")}
		for tag, b := range both {
			b.open("/admin/clear")
			b.tick(tag)
			b.press("Preview")
			b.reads("Clear this?", tag)
		}
		var done sync.WaitGroup
		for _, b := range both {
			done.Go(func() { b.press("Clear now") })
		}
		done.Wait()
		reader.open("/")
		if got := reader.parts(); got["In stock"] == "source" || got["Newest"] != "source" || got["Authors with most books"] != "source" {
			t.Errorf("after both had cleared the window is from %v", got)
		}
		all := reader.records()
		if len(all) != 2 {
			t.Fatalf("the audit has %q, want two records", all)
		}
		for _, record := range all {
			want := map[string]string{"Grace": "newest", "Ada": "authors"}[record[1]]
			if got := reader.asked(record[0]); len(got) != 1 || got[0][1] != want {
				t.Errorf("the record of %s says %q, want %s", record[1], got, want)
			}
		}
	})
}

var several = regexp.MustCompile(`(\d+) match the pattern`)

func TestOperator_types_the_prefix_to_clear_everything(t *testing.T) {
	inBothWays(t, func(t *testing.T, shop *bookstore, person func(string) *tab) {
		grace := person("Grace")
		grace.settle("/")
		preview := func() {
			grace.open("/admin/clear")
			grace.fill("textbox", "Entries whose keys match are removed", "*")
			grace.press("Preview")
			grace.reads("This pattern may match everything", "All keys were looked at")
		}
		preview()
		if m := several.FindStringSubmatch(grace.text()); m == nil {
			t.Errorf("the preview counts nothing:\n%s", grace.text())
		} else if n, _ := strconv.Atoi(m[1]); n < 5 {
			t.Errorf("the preview counts %d entries, want 5 or more", n)
		}
		typed := "Type the prefix, " + shop.prefix + ", to confirm"
		// Nothing typed: the browser does not even send it.
		grace.click("button", "Clear now")
		grace.reads("This pattern may match everything")
		grace.fill("textbox", typed, "yes")
		grace.refused("Clear now", 400)
		grace.open("/")
		for part, tier := range grace.parts() {
			if tier == "source" {
				t.Errorf("%s was cleared without a confirmation", part)
			}
		}
		if all := grace.records(); len(all) != 0 {
			t.Errorf("the audit has %q of what was refused", all)
		}

		preview()
		grace.fill("textbox", typed, shop.prefix)
		grace.press("Clear now")
		grace.reads("Record 1", "done")
		grace.open("/")
		for part, tier := range grace.parts() {
			if tier != "source" {
				t.Errorf("%s is from %s after everything was cleared", part, tier)
			}
		}
	})
}
