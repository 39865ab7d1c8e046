package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cacheme/cacheme"
)

// count is how far the counting of what a request concerns has come. What depends on something and what matches a pattern are
// counted one after the other, so that each step is as bounded as any.
type count struct {
	Of       string // the request that is counted for
	Matching bool   // the pattern is at it; before, the dependencies
	Cursor   string
	Looked   int // in both passes
	Total    int64
	Depend   int // entries that depend on what would be made wrong
	Match    int // entries that match the pattern
	Found    int // both, and the keys named one by one; -1: nobody counted
	Complete bool
	Keys     []string // some that were found
}

// counting is a count with the request that it is of, as they travel between steps.
type counting struct {
	Request Request
	Count   count
}

// form is what clears: made for one actor, for one request, to be used once and before its time is over.
type form struct {
	ID      string
	Actor   string
	Until   time.Time
	Request Request
}

// shownKeys is how many keys a preview names.
const shownKeys = 20

// previewBody is what a request would do, and the form that does it.
type previewBody struct {
	Request  Request
	Impact   *cacheme.Impact // nil: nothing is made wrong
	Count    count
	Counts   bool // there is something to count
	Sealed   string
	Form     string
	Within   string
	Wide     bool
	NoAnswer string // why it cannot be counted now
}

// preview shows what a request would clear, and counts one bounded step of how many entries that concerns.
func (h *Handler) preview(r *http.Request, a Actor) (*answer, error) {
	var at counting
	if text := r.PostForm.Get("walk"); text != "" {
		if err := h.sealer.open(forCount, text, &at); err != nil {
			return nil, refuse(http.StatusBadRequest, "This is no preview of this page, or one from before it was restarted. Choose anew.")
		}
	} else {
		at.Request = requestOf(r.PostForm)
		at.Count.Of = at.Request.digest()
	}
	asked := at.Request
	asked.Confirm = h.prefix // a preview needs no confirmation
	if err := asked.check(h.prefix); err != nil {
		return nil, err
	}
	p, err := h.plan(at.Request)
	if err != nil {
		return nil, err
	}
	b := previewBody{Request: at.Request, Wide: at.Request.Wide(), Within: spoken(h.o.FormAge), Counts: len(p.invalids) > 0 || p.pattern != ""}
	if len(p.invalids) > 0 {
		if b.Impact, err = h.cache.WouldInvalidate(p.invalids...); err != nil {
			return nil, err
		}
	}
	if err := h.step(r.Context(), &at.Count, p, b.Impact); err != nil {
		if _, mistake := errors.AsType[*cacheme.UsageError](err); mistake {
			return nil, err
		}
		b.NoAnswer = err.Error() // what cannot be counted can still be cleared: an invalidation is kept until Redis answers
	}
	b.Count = at.Count
	b.Sealed = h.sealer.seal(forCount, at)
	b.Form = h.sealer.seal(forForm, form{ID: rand.Text(), Actor: a.Name, Until: time.Now().Add(h.o.FormAge), Request: at.Request})
	return &answer{page: "preview", title: "Clear this?", body: b}, nil
}

// step counts on.
func (h *Handler) step(ctx context.Context, c *count, p plan, impact *cacheme.Impact) error {
	if c.Cursor == "" && impact == nil && p.pattern != "" {
		c.Matching = true
	}
	if impact == nil && p.pattern == "" || c.Complete {
		c.Found, c.Complete = len(p.keys), true
		return nil
	}
	look := cacheme.Look{Cursor: c.Cursor, Most: h.o.Step}
	if c.Matching {
		look.Pattern = p.pattern
	} else {
		look.Wrong = impact.Dependencies
	}
	found, err := h.console.Browse(ctx, look)
	if err != nil {
		return err
	}
	passes := int64(1)
	if impact != nil && p.pattern != "" {
		passes = 2
	}
	c.Looked += found.Looked
	c.Total = max(passes*found.Total, int64(c.Looked))
	for _, e := range found.Entries {
		if len(c.Keys) < shownKeys && len(e.Key) <= mostText {
			c.Keys = append(c.Keys, e.Key)
		}
	}
	if c.Matching {
		c.Match += len(found.Entries)
	} else {
		c.Depend += len(found.Entries)
	}
	c.Found = c.Depend + c.Match + len(p.keys)
	switch c.Cursor = found.Next; {
	case c.Cursor != "":
	case !c.Matching && p.pattern != "":
		c.Matching = true
	default:
		c.Complete = true
	}
	return nil
}

// digest tells requests apart.
func (r Request) digest() string {
	sum := sha256.Sum256(r.json())
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// clear carries out what a form says, for whom it was made, once.
func (h *Handler) clear(r *http.Request, a Actor) (*answer, error) {
	var f form
	if err := h.sealer.open(forForm, r.PostForm.Get("form"), &f); err != nil {
		return nil, refuse(http.StatusForbidden, "Nothing was cleared: this form is not of this page, or from before it was restarted. Choose anew.")
	}
	switch {
	case f.Actor != a.Name:
		return nil, refuse(http.StatusForbidden, "Nothing was cleared: this form was made for somebody else.")
	case !time.Now().Before(f.Until):
		return nil, refuse(http.StatusForbidden, "Nothing was cleared: this form is too old. What it says may not be so any more; choose anew.")
	}
	f.Request.Confirm = r.PostForm.Get("confirm")
	seen := counting{}
	if err := h.sealer.open(forCount, r.PostForm.Get("counted"), &seen); err != nil || seen.Count.Of != f.Request.digest() || seen.Count.Looked == 0 && !seen.Count.Complete {
		seen.Count = count{Found: -1}
	}
	record, err := h.invalidate(r.Context(), a, f.Request, seen.Count, f.ID)
	if record == nil {
		return nil, err // nothing was cleared
	}
	to := "record?id=" + strconv.FormatInt(record.ID, 10)
	if record.Completed.IsZero() {
		return nil, &refusal{http.StatusInternalServerError, err.Error(), to}
	}
	return &answer{to: to}, nil
}
