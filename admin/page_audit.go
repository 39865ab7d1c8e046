package admin

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cacheme/cacheme"
)

// auditBody is a page of records.
type auditBody struct {
	Records []Record
	Older   int64 // what the next page is before; 0: there is none
	Later   bool
}

func (h *Handler) audit(r *http.Request, _ Actor) (*answer, error) {
	var before int64
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before <= 0 {
			return nil, refuse(http.StatusBadRequest, "This is no number of a record.")
		}
	}
	records, err := h.records(r.Context(), before)
	if err != nil {
		return nil, err
	}
	b := auditBody{Records: records, Later: before > 0}
	if len(records) > recordsPerPage {
		b.Records = records[:recordsPerPage]
		b.Older = b.Records[recordsPerPage-1].ID
	}
	return &answer{page: "audit", title: "Audit", body: b}, nil
}

// shown is one record, to be read.
func (h *Handler) shown(r *http.Request, _ Actor) (*answer, error) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "This is no number of a record.")
	}
	record, err := h.record(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, refuse(http.StatusNotFound, "The audit of this cache has no record of this number.")
	}
	return &answer{page: "record", title: "Record " + strconv.FormatInt(id, 10), body: record}, nil
}

// journalBody is what was written lately.
type journalBody struct {
	Writes []cacheme.Write
	At     time.Time
}

// What the journal shows, and for how long one look at Redis does for all who ask: it reads all records that there are.
const (
	journalled  = 200
	journalLife = 5 * time.Second
)

// lookback remembers the last look at the journal.
type lookback struct {
	mu     sync.Mutex
	at     time.Time
	writes []cacheme.Write
}

func (h *Handler) journal(r *http.Request, _ Actor) (*answer, error) {
	l := &h.lookback
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.at.IsZero() || now.Sub(l.at) >= journalLife {
		writes, err := h.console.Journal(r.Context(), journalled)
		if err != nil {
			return nil, err
		}
		l.at, l.writes = now, writes
	}
	return &answer{page: "journal", title: "Journal", body: journalBody{l.writes, l.at}}, nil
}
