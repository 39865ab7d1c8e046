package admin

import (
	"errors"
	"net/http"

	"github.com/cacheme/cacheme"
)

// refusal is an answer that is not what was asked for, with the words for the person who asked.
type refusal struct {
	status int
	why    string
	see    string // a page that says more, relative to the mount; empty: none
}

// refusedBody is a refusal as its page shows it.
type refusedBody struct{ Why, See string }

func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) error { return &refusal{status: status, why: why} }

// asRefusal finds the words for an error: a mistake in what was asked is told as such, anything else is a fault behind the page.
func asRefusal(err error) *refusal {
	var r *refusal
	var usage *cacheme.UsageError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &usage):
		return &refusal{status: http.StatusBadRequest, why: usage.Error()}
	case errors.Is(err, ErrRole):
		return &refusal{status: http.StatusForbidden, why: err.Error()}
	case errors.Is(err, ErrUsed):
		return &refusal{http.StatusConflict, "This form was used already; nothing was cleared by using it again. The audit has the record of its one use.", "audit"}
	case errors.Is(err, ErrAudit):
		return &refusal{status: http.StatusServiceUnavailable, why: "Nothing was cleared. " + err.Error()}
	case errors.Is(err, ErrRequest):
		return &refusal{status: http.StatusBadRequest, why: err.Error()}
	}
	return &refusal{status: http.StatusBadGateway, why: err.Error()}
}
