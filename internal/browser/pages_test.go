package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A window, as wide as a desk or a phone has it, and in the colours that its owner likes.
type window struct {
	name          string
	width, height int64
	scheme        string
}

var windows = []window{
	{"desktop-light", 1280, 900, "light"},
	{"desktop-dark", 1280, 900, "dark"},
	{"phone-light", 375, 740, "light"},
	{"phone-dark", 375, 740, "dark"},
}

// in sits the person before such a window.
func (b *tab) in(w window) {
	b.t.Helper()
	o := []chromedp.EmulateViewportOption{}
	if w.width < 500 {
		o = append(o, chromedp.EmulateMobile, chromedp.EmulateScale(2))
	}
	b.do(w.name, chromedp.EmulateViewport(w.width, w.height, o...))
	call(b, w.name, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: w.scheme}},
	})
}

// screenshots are kept here, for whoever wants to see what a run has seen.
const screenshots = "screenshots"

// seen keeps a picture of the page, and fails the test if the page is wider than its window, or is not in its colours.
func (b *tab) seen(w window, page string) {
	b.t.Helper()
	if wide := run[[]string](b, tooWide); len(wide) > 0 {
		b.t.Errorf("%s in %s is wider than its window: %v", page, w.name, wide)
	}
	if dark := run[float64](b, brightness) < 128; dark != (w.scheme == "dark") {
		b.t.Errorf("%s in %s: dark is %v", page, w.name, dark)
	}
	b.isAccessible(page + " in " + w.name)
	b.picture(filepath.Join(screenshots, fmt.Sprintf("%s-%s.png", page, w.name)))
}

// tooWide names what reaches beyond the window, where the page can be moved sideways; what moves within a frame of its own
// does not.
const tooWide = `(() => {
	const page = document.scrollingElement, wide = innerWidth;
	if (page.scrollWidth <= page.clientWidth) return [];
	return [page.scrollWidth + " of " + page.clientWidth].concat([...document.querySelectorAll("body *")]
		.filter(e => e.getBoundingClientRect().right > wide + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120)));
})()`

// brightness is that of the page's ground, 0 to 255.
const brightness = `(() => {
	const of = e => getComputedStyle(e).backgroundColor;
	const ground = [document.body, document.documentElement].map(of).find(c => c !== "rgba(0, 0, 0, 0)") ?? "rgb(255, 255, 255)";
	const canvas = new OffscreenCanvas(1, 1).getContext("2d");
	canvas.fillStyle = ground;
	canvas.fillRect(0, 0, 1, 1);
	const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
	return (r + g + b) / 3;
})()`

// picture keeps what there is of the page, also below the window's edge.
func (b *tab) picture(file string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o750)
	}
	if err == nil {
		err = os.WriteFile(file, png, 0o600)
	}
	if err != nil {
		b.t.Fatalf("take a picture: %v", err)
	}
}

func TestPages_of_the_site_fit_and_can_be_used_by_everybody(t *testing.T) {
	shop := startBookstore(t)
	b := newTab(t, shop)
	for _, w := range windows {
		b.in(w)
		for page, path := range map[string]string{"site-window": "/", "site-book": "/books/1?wrote=struct+by+key", "site-author": "/authors/2", "site-user": "/users/7"} {
			b.open(path)
			b.seen(w, page)
		}
	}
}
