package admin

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Handler is the page. Make one with New; it is safe for concurrent use.
type Handler struct {
	console  *cacheme.Console
	cache    *cacheme.Cache
	prefix   string
	db       *bun.DB
	o        Options
	sealer   *sealer
	limiter  *limiter
	routes   map[string]map[string]route
	history  *timeline
	lookback lookback
	cross    *http.CrossOriginProtection
	looked   atomic.Int64 // when somebody last did, since the Handler was made
	born     time.Time
	end      func() // stops the sampler and waits for it
}

// New makes the page of a cache: of this program's own by its Console, or of another program's by Attach. db is where the
// audit is written, by Migrations; bunhooks may be installed on it. Nothing is asked of Redis or the database yet. A goroutine
// notes the counters now and then, until Close.
func New(console *cacheme.Console, db *bun.DB, o Options) (*Handler, error) {
	if console == nil || db == nil {
		return nil, errors.New("admin: New needs a Console, as cache.Console(), and a *bun.DB for its audit")
	}
	cache := console.Cache()
	o, err := o.withDefaults(cache.Prefix())
	if err != nil {
		return nil, err
	}
	h := &Handler{console: console, cache: cache, prefix: cache.Prefix(), db: db, o: o, born: time.Now(), history: newTimeline(history), routes: routes()}
	if h.sealer, err = newSealer(o.Secret); err != nil {
		return nil, err
	}
	h.limiter = newLimiter(o.Scans, time.Now)
	h.cross = http.NewCrossOriginProtection()
	for _, origin := range o.Origins {
		if err := h.cross.AddTrustedOrigin(origin); err != nil {
			return nil, errors.Join(errors.New("admin: Options.Origins"), err)
		}
	}
	h.end = h.sample()
	return h, nil
}

// Close ends what the page does in the background. Requests after it are still answered. A second Close is harmless.
func (h *Handler) Close() { h.end() }

// ServeHTTP answers a request. Who may not see the page learns nothing of it but that: he is refused before it is looked at
// what he asks for.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if h.o.Authorize == nil {
		http.Error(w, "403: this page has no Authorize, so that nobody may see it", http.StatusForbidden)
		return
	}
	a, err := h.o.Authorize(r)
	if err != nil || !nameable(a) || !a.Role.May(Look) {
		h.o.Logger.WarnContext(r.Context(), "admin: refused", "status", http.StatusForbidden, "reason", "not authorized")
		http.Error(w, "403: you may not see this page", http.StatusForbidden)
		return
	}
	path, here := h.pathOf(r)
	if to := slashed(r); here && path == "" && to != "" {
		h.write(w, r, a, &answer{to: to})
		return
	}
	if !here {
		h.refused(w, r, a, "", refuse(http.StatusNotFound, "There is no such page."))
		return
	}
	if file, ok := files[path]; ok {
		file.serve(w, r)
		return
	}
	answer, err := h.answer(w, r, a, path)
	if err != nil {
		h.refused(w, r, a, path, err)
		return
	}
	h.write(w, r, a, answer)
}

// nameable reports whether the actor has a name that the audit can have.
func nameable(a Actor) bool {
	return strings.TrimSpace(a.Name) != "" && len(a.Name) <= 200 && utf8.ValidString(a.Name) && !strings.ContainsRune(a.Name, 0)
}

// slashed is where a path without a slash at its end has to go to have one, relative to itself; empty: it has one. A server may send
// the mount's own path here as it is, and under that all links would lead to the mount's neighbours.
func slashed(r *http.Request) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || u.Path == "" || strings.HasSuffix(u.Path, "/") {
		return ""
	}
	path := u.EscapedPath()
	return "./" + path[strings.LastIndexByte(path, '/')+1:] + "/"
}

// pathOf is a request's path below the mount, without its slash.
func (h *Handler) pathOf(r *http.Request) (path string, here bool) {
	path, here = strings.CutPrefix(r.URL.Path, h.o.Path)
	path, slash := strings.CutPrefix(path, "/")
	return path, here && (slash || path == "" || h.o.Path == "")
}

// answer finds the route and goes there, past everything that may be in the way.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, a Actor, path string) (*answer, error) {
	of := h.routes[path]
	if of == nil {
		return nil, refuse(http.StatusNotFound, "There is no such page.")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, ok := of[method]
	if !ok {
		for m := range of {
			w.Header().Add("Allow", m)
		}
		return nil, refuse(http.StatusMethodNotAllowed, "This page is not asked for like that.")
	}
	if !a.Role.May(route.role) {
		return nil, refuse(http.StatusForbidden, "You may "+a.Role.String()+"; this takes "+route.role.String()+".")
	}
	if method == http.MethodPost {
		if err := h.posted(w, r); err != nil {
			return nil, err
		}
	}
	if route.costly && !h.limiter.take(a.Name) {
		w.Header().Set("Retry-After", "1")
		return nil, refuse(http.StatusTooManyRequests, "You are looking through Redis faster than this page allows. Wait a second.")
	}
	h.looked.Store(int64(time.Since(h.born)))
	return route.serve(h, r, a)
}

// mostPosted bounds a form in bytes: what clears has a request twice in it, sealed; see mostRequest.
const mostPosted = 1 << 20

// posted lets a form in that comes from this page.
func (h *Handler) posted(w http.ResponseWriter, r *http.Request) error {
	if err := h.cross.Check(r); err != nil {
		return refuse(http.StatusForbidden, "This form was sent by another site, so that nothing was done.")
	}
	if r.ContentLength > mostPosted {
		return refuse(http.StatusRequestEntityTooLarge, "This form is too large.")
	}
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(t) != "application/x-www-form-urlencoded" {
		return refuse(http.StatusUnsupportedMediaType, "This is no form.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostPosted)
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return refuse(http.StatusRequestEntityTooLarge, "This form is too large.")
		}
		return refuse(http.StatusBadRequest, "This form cannot be read.")
	}
	return nil
}

// refused answers with a page that says why. What was asked for is not told to the log: it may name a person.
func (h *Handler) refused(w http.ResponseWriter, r *http.Request, a Actor, path string, err error) {
	why := asRefusal(err)
	level := slog.LevelInfo
	if why.status == http.StatusForbidden || why.status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	h.o.Logger.Log(r.Context(), level, "admin: refused", "status", why.status, "actor", a.Name, "method", r.Method, "route", h.known(path))
	h.write(w, r, a, &answer{page: "refused", status: why.status, title: http.StatusText(why.status), body: refusedBody{why.why, why.see}})
}

// known is a path that is a route; any other is somebody's text.
func (h *Handler) known(path string) string {
	if h.routes[path] != nil {
		return "/" + path
	}
	return "?"
}
