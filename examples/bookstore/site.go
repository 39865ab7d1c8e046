package main

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// The site is the shop for a person to click through: every part of a page says where it came from, and how old it is.
// What is changed by its forms goes the ways of writes.go; here too no line tells the cache.

//go:embed site
var siteFiles embed.FS

var siteTemplates = template.Must(template.New("").ParseFS(siteFiles, "site/*.html"))

// site answers with the pages of one process of the shop.
type site struct {
	shop   *shop
	window window
}

// newSite returns the pages of the shop, with the admin page beside them, and what ends that.
func newSite(ctx context.Context, s *shop, db *database) (h http.Handler, end func(), err error) {
	w, err := openWindow(s.cache, s.db)
	if err != nil {
		return nil, nil, err
	}
	operators, end, err := newAdmin(ctx, s, db)
	if err != nil {
		return nil, nil, err
	}
	x := &site{shop: s, window: w}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /site.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, siteFiles, "site/site.css")
	})
	pages.HandleFunc("GET /{$}", x.page(x.front))
	pages.HandleFunc("GET /books/{id}", x.page(x.book))
	pages.HandleFunc("GET /authors/{id}", x.page(x.author))
	pages.HandleFunc("GET /users/{id}", x.page(x.user))
	pages.HandleFunc("POST /{kind}/{id}/{form}", x.change)
	pages.HandleFunc("POST /operator", becomeOperator)

	all := http.NewServeMux()
	all.Handle("/", http.NewCrossOriginProtection().Handler(careful(pages)))
	all.Handle(adminAt, operators)
	return fromHere(all), end, nil
}

// fromHere refuses who has come by another name than that of this machine: a page elsewhere whose name was made to point
// here would otherwise be read by its author.
func fromHere(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if name := (&url.URL{Host: r.Host}).Hostname(); err != nil || !here(from) || !here(name) {
			http.Error(w, "this is for the machine that it runs on alone", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// careful has a browser do nothing with a page but show it and send its forms.
func careful(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// view is what a page shows.
type view struct {
	Title    string
	At       string // the path of what it is about, below which its forms are sent
	Parts    []part
	Forms    []form
	Wrote    string // the way that a write has just gone
	Operator string
	Queries  int64 // that the page took
}

// page answers with what look gives, which asks the shop for it.
func (x *site) page(look func(ctx context.Context, id int64) view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil && r.PathValue("id") != "" {
			http.NotFound(w, r)
			return
		}
		before := x.shop.queries.n.Load()
		v := look(r.Context(), id)
		v.Queries = x.shop.queries.n.Load() - before
		v.Operator = operatorOf(r)
		v.Wrote = r.URL.Query().Get("wrote")
		var whole bytes.Buffer // so that a mistake in a template is an error, and no half of a page
		if err := siteTemplates.ExecuteTemplate(&whole, "page.html", v); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = whole.WriteTo(w)
	}
}

// change writes what a form asks for, in a transaction, and goes back to its page.
func (x *site) change(w http.ResponseWriter, r *http.Request) {
	kind := r.PathValue("kind")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	f, known := formOf(kind, r.PathValue("form"))
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	change, err := f.write(id, r.PostFormValue("value"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := x.shop.write(r.Context(), inTx, change); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	back := url.URL{Path: "/" + kind + "/" + strconv.FormatInt(id, 10), RawQuery: url.Values{"wrote": {change.path}}.Encode()}
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}
