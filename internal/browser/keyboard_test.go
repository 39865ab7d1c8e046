package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is where the keyboard is.
func (b *tab) focused() cdp.BackendNodeID {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	element, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject]("document.activeElement"))
	if err != nil {
		b.t.Fatal(err)
	}
	return call(b, "what has the focus", dom.DescribeNode, dom.DescribeNodeParams{ObjectID: element.ObjectID}).Node.BackendNodeID
}

// tabTo goes on with the Tab key until the element has the focus, and sees that one can see that.
func (b *tab) tabTo(role, name string) {
	b.t.Helper()
	id := b.find(role, name)
	for range 200 {
		if b.focused() == id {
			if shown := run[bool](b, `(() => { const s = getComputedStyle(document.activeElement);
				return s.outlineStyle !== "none" && s.outlineWidth !== "0px" || s.boxShadow !== "none" })()`); !shown {
				b.t.Errorf("nobody can see that %s %q has the focus", role, name)
			}
			return
		}
		b.do("Tab", chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the Tab key does not get to %s %q", role, name)
}

// enter presses a key that leads to another page.
func (b *tab) enter() {
	b.t.Helper()
	if status := b.leads("Enter", chromedp.KeyEvent(kb.Enter)); status != 200 {
		b.t.Fatalf("Enter led to %d:\n%s", status, b.text())
	}
}

func TestKeyboard_alone_clears_a_tag(t *testing.T) {
	inBothWays(t, func(t *testing.T, _ *bookstore, person func(string) *tab) {
		b := person("Grace")
		b.settle("/")
		b.open("/admin/")
		b.tabTo("link", "Skip to the page")
		b.do("skip", chromedp.KeyEvent(kb.Enter))
		b.open("/admin/")
		b.tabTo("link", "Clear")
		b.enter()
		b.tabTo("checkbox", "newest")
		b.do("Space", chromedp.KeyEvent(" "))
		b.tabTo("button", "Preview")
		b.enter()
		b.reads("Clear this?", "newest")
		b.tabTo("button", "Clear now")
		b.enter()
		b.reads("Record 1", "done", "newest")
		b.open("/")
		if got := b.parts(); got["Newest"] != "source" || got["Authors with most books"] != "redis" {
			t.Errorf("after newest was cleared the window is from %v", got)
		}
	})
}

func TestKeyboard_alone_chooses_a_node_and_clears_one_entry(t *testing.T) {
	inBothWays(t, func(t *testing.T, _ *bookstore, person func(string) *tab) {
		b := person("Grace")
		b.settle("/users/7")
		b.open("/admin/clear")
		b.tabTo("combobox", "A node’s fields")
		// Key by key, as people do who do not see the list.
		for range 50 {
			if run[string](b, "document.activeElement.value") == "main.Shelf" {
				break
			}
			b.do("down", chromedp.KeyEvent(kb.ArrowDown))
		}
		b.tabTo("button", "Ask for its fields")
		b.enter()
		b.tabTo("textbox", "user")
		b.do("type", chromedp.KeyEvent("7"))
		b.enter()
		b.reads("Clear this?", "main.Shelf")
		b.tabTo("button", "Clear now")
		b.enter()
		b.reads("Record 1", "done")
		b.open("/users/7")
		if got := b.parts(); got["Shelf"] != "source" || got["Followers"] != "redis" {
			t.Errorf("after the shelf was cleared the user's page is from %v", got)
		}
	})
}
