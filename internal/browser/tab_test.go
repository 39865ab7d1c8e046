package browser_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// patience bounds everything that a test waits for in the browser.
const patience = 30 * time.Second

// tab is somebody who sits before a browser of his own, with its own cookies.
type tab struct {
	t     testing.TB
	ctx   context.Context
	shop  *bookstore
	mu    sync.Mutex
	noise []string // what the console says and should not
}

// newTab opens a browser for one person of a test.
func newTab(t testing.TB, shop *bookstore) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, shop: shop}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		cancel()
		t.Fatalf("open a tab: %v", err)
	}
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == "assert" {
				b.mu.Lock()
				b.noise = append(b.noise, m.String()+" "+m.URL)
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.noise {
			t.Errorf("the console says: %s", text)
		}
	})
	return b
}

// do runs steps, in time.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// leads runs steps that lead to another page, and waits for it. It returns the status.
func (b *tab) leads(what string, steps ...chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%s: %v, on\n%s", what, err, b.text())
	}
	return answer.Status
}

// open goes to a page of the site.
func (b *tab) open(path string) {
	b.t.Helper()
	if status := b.leads("open "+path, chromedp.Navigate(b.shop.url+path)); status != 200 {
		b.t.Fatalf("%s = %d, %s", path, status, b.text())
	}
}

// call asks the browser for something.
func call[P, R any](b *tab, what string, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return r
}

// run evaluates what a test wants to know of a page.
func run[T any](b *tab, expression string, o ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, o...))
	if err != nil {
		b.t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return v
}

// text is what a person reads on the page; nothing while the next one is on its way.
func (b *tab) text() string {
	b.t.Helper()
	return run[string](b, `document.body?.innerText ?? ""`)
}

// reads fails the test unless the page says all that, once it does: pages may update themselves.
func (b *tab) reads(all ...string) {
	b.t.Helper()
	var missing string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		text := b.text()
		missing = ""
		for _, want := range all {
			if !strings.Contains(text, want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
	}
	b.t.Fatalf("the page does not say %q:\n%s", missing, b.text())
}

// readsNot fails the test if the page says any of that.
func (b *tab) readsNot(all ...string) {
	b.t.Helper()
	text := b.text()
	for _, want := range all {
		if strings.Contains(text, want) {
			b.t.Fatalf("the page says %q:\n%s", want, text)
		}
	}
}

// forgets fails the test unless the page ceases to say something: pages may update themselves.
func (b *tab) forgets(what string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); strings.Contains(b.text(), what); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("the page goes on to say %q:\n%s", what, b.text())
		}
	}
}

// seek is the element that a screen reader calls so, if there is one that can be seen.
func (b *tab) seek(role, name string) (cdp.BackendNodeID, bool) {
	b.t.Helper()
	root := call(b, "the document", dom.GetDocument, dom.GetDocumentParams{}).Root
	found := call(b, "look for "+name, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{
		BackendNodeID: root.BackendNodeID, AccessibleName: name, Role: role,
	})
	for _, n := range found.Nodes {
		if !n.Ignored && n.BackendDOMNodeID != 0 {
			return n.BackendDOMNodeID, true
		}
	}
	return 0, false
}

// find is seek for what has to be there, once it is.
func (b *tab) find(role, name string) cdp.BackendNodeID {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if id, ok := b.seek(role, name); ok {
			return id
		}
	}
	b.t.Fatalf("there is no %s %q on the page:\n%s", role, name, b.text())
	return 0
}

// at is a click in the middle of an element.
func (b *tab) at(id cdp.BackendNodeID, name string) chromedp.Action[chromedp.Void] {
	b.t.Helper()
	call(b, "scroll to "+name, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id})
	quads := call(b, "where is "+name, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id}).Quads
	if len(quads) == 0 {
		b.t.Fatalf("%s cannot be seen", name)
	}
	q := quads[0]
	return chromedp.MouseClickXY((q[0]+q[4])/2, (q[1]+q[5])/2)
}

// click clicks what leads to no other page.
func (b *tab) click(role, name string) {
	b.t.Helper()
	b.do("click on "+name, b.at(b.find(role, name), name))
}

// clickTo clicks what leads to a page that is answered so.
func (b *tab) clickTo(role, name string, want int64) {
	b.t.Helper()
	if status := b.leads("click on "+name, b.at(b.find(role, name), name)); status != want {
		b.t.Fatalf("%s led to %d, want %d:\n%s", name, status, want, b.text())
	}
}

// press clicks a button that leads to another page.
func (b *tab) press(name string) {
	b.t.Helper()
	b.clickTo("button", name, 200)
}

// refused clicks a button that leads to a page which says no. The console says so too, which is no noise.
func (b *tab) refused(name string, want int64) {
	b.t.Helper()
	b.clickTo("button", name, want)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noise = nil
}

// follow clicks a link.
func (b *tab) follow(name string) {
	b.t.Helper()
	b.clickTo("link", name, 200)
}

// tick clicks a box.
func (b *tab) tick(name string) {
	b.t.Helper()
	b.click("checkbox", name)
}

// fill writes into a field, in place of what is there.
func (b *tab) fill(role, name, text string) {
	b.t.Helper()
	id := b.find(role, name)
	b.do("click on "+name, b.at(id, name), chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	call(b, "write into "+name, input.InsertText, input.InsertTextParams{Text: text})
}

// withoutScripts turns JavaScript off.
func (b *tab) withoutScripts() {
	b.t.Helper()
	call(b, "turn scripts off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// as makes the person somebody, by the form of the site.
func (b *tab) as(name string) {
	b.t.Helper()
	b.open("/")
	b.fill("textbox", "On the admin page you are", name)
	b.press("Be somebody else")
}

// parts are the parts of a page of the site, by their titles: the tier that each came from.
func (b *tab) parts() map[string]string {
	b.t.Helper()
	return run[map[string]string](b, `Object.fromEntries([...document.querySelectorAll("section")].map(s =>
		[s.querySelector("h2").textContent, s.querySelector(".tier").className.replace("tier ", "")]))`)
}

// settle loads a page of the site until nothing of it comes from the database.
func (b *tab) settle(path string) {
	b.t.Helper()
	for range 50 {
		b.open(path)
		fresh := true
		for _, tier := range b.parts() {
			fresh = fresh && tier != "source"
		}
		if fresh {
			return
		}
	}
	b.t.Fatalf("%s: something of the page always comes from the database: %v", path, b.parts())
}
