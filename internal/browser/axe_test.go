package browser_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cacheme/cacheme/internal/suite"
)

// The checker of accessibility, in one version: another one finds other things. It is fetched by npm into the user's cache
// folder, once, and is the one that is meant if its hash is.
const (
	axePackage = "axe-core"
	axeVersion = "4.14.1"
	axeSHA512  = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// errNotFetched is that it is not here, and cannot be fetched.
var errNotFetched = errors.New("it is not in the cache folder and was not fetched")

// axe is the checker's program.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "cacheme-browser")
	file := filepath.Join(folder, axePackage+"-"+axeVersion+".tgz")
	packed, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		if err = fetchAxe(folder); err == nil {
			packed, err = os.ReadFile(file)
		}
	}
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != axeSHA512 {
		return "", fmt.Errorf("%s is not %s %s: remove it", file, axePackage, axeVersion)
	}
	return unpack(packed, "package/axe.min.js")
})

func fetchAxe(folder string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("%w: %w", errNotFetched, err)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	fetch := exec.CommandContext(ctx, npm, "pack", axePackage+"@"+axeVersion, "--pack-destination", folder)
	fetch.Dir = folder
	if out, err := fetch.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: npm pack: %w\n%s", errNotFetched, err, out)
	}
	return nil
}

// unpack returns one file of a packed archive.
func unpack(packed []byte, name string) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(z); ; {
		file, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if file.Name == name {
			text, err := io.ReadAll(files)
			return string(text), err
		}
	}
}

// finding is a rule that a page breaks.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// bars reports whether it keeps somebody from using the page.
func (f finding) bars() bool { return f.Impact == "serious" || f.Impact == "critical" }

func (f finding) String() string {
	text := fmt.Sprintf("%s: %s, %s", f.Impact, f.ID, f.Help)
	for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
		text += fmt.Sprintf("\n    %.200s\n    %s", n.HTML, strings.ReplaceAll(n.Summary, "\n", " "))
	}
	return text
}

// accessible has the checker look at the page.
func (b *tab) accessible() []finding {
	b.t.Helper()
	program, err := axe()
	if errors.Is(err, errNotFetched) {
		suite.Missing(b.t, axePackage+" "+axeVersion+" ("+err.Error()+")")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.do("give the page the checker", chromedp.Evaluate[chromedp.Void](program))
	told := run[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise)
	var all []finding
	if err := json.Unmarshal([]byte(told), &all); err != nil {
		b.t.Fatal(err)
	}
	return all
}

// isAccessible fails the test for what keeps somebody from using the page.
func (b *tab) isAccessible(page string) {
	b.t.Helper()
	for _, f := range b.accessible() {
		if f.bars() {
			b.t.Errorf("%s: %v", page, f)
		} else {
			b.t.Logf("%s, which bars nobody: %v", page, f)
		}
	}
}

func TestAccessibility_checker_finds_what_is_planted(t *testing.T) {
	shop := startBookstore(t)
	for name, plant := range map[string]string{
		"label":          `document.querySelector("label").remove()`,
		"color-contrast": `document.querySelector("h1").style.color = "#888"; document.querySelector("h1").style.background = "#999"`,
		"button-name":    `document.querySelector("button").textContent = ""`,
		"html-has-lang":  `document.documentElement.removeAttribute("lang")`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t, shop)
			b.open("/books/1")
			b.do("plant", chromedp.Evaluate[chromedp.Void](plant))
			var found []string
			for _, f := range b.accessible() {
				if f.bars() {
					found = append(found, f.ID)
				}
			}
			if len(found) != 1 || found[0] != name {
				t.Errorf("found %v, want %s alone", found, name)
			}
		})
	}
}
