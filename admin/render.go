package admin

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed templates/*.html
var templates embed.FS

// answer is what a route answers: a page, or where to go.
type answer struct {
	page   string // a template's name
	status int    // 0: 200
	title  string // of the page, and its heading
	body   any    // what the template is given as .Body
	to     string // relative to the mount: a redirect
}

// shell is what the layout is given.
type shell struct {
	Title, Service, Prefix string
	Page                   string
	Actor                  Actor
	May                    struct{ Reveal, Act bool }
	Body                   any
}

var pages = parse()

// parse makes one set of templates for each page: the layout, what pages share, and the page.
func parse() map[string]*template.Template {
	shared := template.Must(template.New("layout.html").Funcs(words).ParseFS(templates, "templates/layout.html", "templates/parts.html"))
	all := map[string]*template.Template{}
	names, err := templates.ReadDir("templates")
	if err != nil {
		panic(err)
	}
	for _, e := range names {
		name, _ := strings.CutSuffix(e.Name(), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		all[name] = template.Must(template.Must(shared.Clone()).ParseFS(templates, "templates/"+e.Name()))
	}
	return all
}

// write renders a page as a whole before the first byte is sent, so that a fault is no half of a page.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, a Actor, to *answer) {
	if to.to != "" {
		// A relative target, which browsers resolve against the URL that they asked for: http.Redirect would make it absolute
		// by the path that http.StripPrefix has left over.
		w.Header().Set("Location", to.to)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	s := shell{Title: to.title, Service: h.o.Title, Prefix: h.prefix, Page: to.page, Actor: a, Body: to.body}
	s.May.Reveal, s.May.Act = a.Role.May(Reveal), a.Role.May(Act)
	var b bytes.Buffer
	if err := pages[to.page].Execute(&b, s); err != nil {
		h.o.Logger.ErrorContext(r.Context(), "admin: a page cannot be rendered", "page", to.page, "error", err)
		http.Error(w, "500: this page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if to.status != 0 {
		w.WriteHeader(to.status)
	}
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) //nolint:errcheck // whoever asked has left
	}
}

// words are what the templates write numbers and times with.
var words = template.FuncMap{
	"count":    grouped,
	"many":     many,
	"bytes":    sized[int],
	"large":    sized[int64],
	"span":     spoken,
	"percent":  percent,
	"when":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"datetime": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"join":     strings.Join,
	"dict":     dict,
}
