package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/uptrace/bun/migrate"

	"github.com/cacheme/cacheme/admin"
)

// adminAt is where the admin page is.
const adminAt = "/admin/"

// newAdmin mounts the admin page, whose audit is in the shop's own database. WARNING: it lets everybody do everything, which is
// for a demonstration that answers to its own machine alone; see fromHere. An application's Authorize asks who somebody is.
func newAdmin(ctx context.Context, s *shop, d *database) (h http.Handler, end func(), err error) {
	audit := migrate.NewMigrator(d.plain, admin.Migrations,
		migrate.WithTableName("cacheme_migrations"), migrate.WithLocksTableName("cacheme_migration_locks"))
	if err := audit.Init(ctx); err != nil {
		return nil, nil, err
	}
	if _, err := audit.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	page, err := admin.New(s.cache.Console(), d.plain, admin.Options{ //nolint:contextcheck // its sampling ends with Close
		Title: "bookstore",
		Every: 2 * time.Second, // so that there is something to see soon
		Authorize: func(r *http.Request) (admin.Actor, error) {
			return admin.Actor{Name: operatorOf(r), Role: admin.Reveal | admin.Act}, nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return http.StripPrefix("/admin", page), page.Close, nil
}

// operatorCookie has the name by which somebody goes on the admin page. Whoever says so is that: this is a demonstration.
const operatorCookie = "operator"

// operatorOf is who sends a request.
func operatorOf(r *http.Request) string {
	if c, err := r.Cookie(operatorCookie); err == nil {
		if name, err := url.QueryUnescape(c.Value); err == nil && name != "" {
			return name
		}
	}
	return "demo"
}

// becomeOperator gives a browser another name, so that one person can be two operators in two of them.
func becomeOperator(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	http.SetCookie(w, &http.Cookie{
		Name: operatorCookie, Value: url.QueryEscape(r.PostFormValue("name")), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
