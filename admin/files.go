package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"time"
)

//go:embed assets
var assets embed.FS

// file is the style sheet, the script, or the icon, without which browsers ask the host for one of its own.
type file struct {
	name, kind, tag string
	text            []byte
}

var files = map[string]*file{
	"style.css": load("style.css", "text/css; charset=utf-8"),
	"script.js": load("script.js", "text/javascript; charset=utf-8"),
	"icon.svg":  load("icon.svg", "image/svg+xml"),
}

func load(name, kind string) *file {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return &file{name: name, kind: kind, text: text, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// serve sends the file, or says that the browser has it.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "405: this is a file", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", f.tag)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.text))
}
