package admin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

var (
	// ErrAudit is in the chain of the error where the record of a clearing could not be written, so that nothing was cleared.
	ErrAudit = errors.New("the audit cannot be written")
	// ErrUsed is what using a form a second time gives. Nothing is cleared by it.
	ErrUsed = errors.New("admin: this form was used already")
)

// Outcome is what has become of a clearing.
type Outcome string

// The outcomes. A record is begun before anything is cleared, and gets one of the others once, afterwards: one that stays
// begun is that of a process that was stopped in between, or lost its database, and may have been carried out or not.
const (
	Begun       Outcome = "begun"
	Done        Outcome = "done"
	Undelivered Outcome = "undelivered" // some of it is kept by the process, which delivers it when Redis answers again
	Failed      Outcome = "failed"      // Problem says how; a part of it may have been done
)

// Record is one clearing in the audit: who, when, what, how many and what came of it. Its table is made by Migrations.
type Record struct {
	bun.BaseModel `bun:"table:cacheme_audit,alias:cacheme_audit"`

	ID    int64     `bun:"id,pk,autoincrement"`
	Form  string    `bun:"form,notnull"`  // the form's number, which is used once
	Cache string    `bun:"cache,notnull"` // the cache's prefix
	Actor string    `bun:"actor,notnull"`
	Begun time.Time `bun:"begun_at,notnull"` // by the clock of the process that did it
	What  Request   `bun:"what,notnull,type:text"`
	// MadeWrong is how many dependencies were made wrong, and Removed how many entries were removed.
	MadeWrong int `bun:"made_wrong,notnull"`
	Removed   int `bun:"removed,notnull"`
	// Counted is how many live entries the preview had found that it concerns when it was confirmed, and CountedAll whether
	// that had looked at all; -1: nobody counted. One that both depends on it and matches the pattern counts twice.
	Counted    int       `bun:"counted,notnull"`
	CountedAll bool      `bun:"counted_all,notnull"`
	Outcome    Outcome   `bun:"outcome,notnull"`
	Problem    string    `bun:"problem,notnull"`
	Completed  time.Time `bun:"completed_at,nullzero"`
}

// begin writes a record before its act. The form's number is unique in the table: of several uses of a form, in whatever
// processes, one gets its record, and the database says so.
func (h *Handler) begin(ctx context.Context, r *Record) error {
	r.Outcome, r.Begun = Begun, time.Now().UTC().Truncate(time.Microsecond)
	_, err := h.db.NewInsert().Model(r).Exec(ctx)
	if err == nil {
		return nil
	}
	// That somebody has left may be the reason, and the form was used or not all the same.
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), completing)
	defer cancel()
	used, err2 := h.db.NewSelect().Model((*Record)(nil)).Where("form = ?", r.Form).Exists(asked)
	if err2 == nil && used {
		return ErrUsed
	}
	return fmt.Errorf("%w: %w; its table is made by admin.Migrations", ErrAudit, err)
}

// completing bounds what is owed to the audit, whoever has left meanwhile: the completion of a record above all.
const completing = 10 * time.Second

// complete writes what came of the act. A record that is completed stays as it is.
func (h *Handler) complete(ctx context.Context, r *Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completing)
	defer cancel()
	r.Completed = time.Now().UTC().Truncate(time.Microsecond)
	res, err := h.db.NewUpdate().Model(r).Column("made_wrong", "removed", "outcome", "problem", "completed_at").
		WherePK().Where("outcome = ?", Begun).Exec(ctx)
	if err == nil {
		var n int64
		if n, err = res.RowsAffected(); err == nil && n != 1 {
			err = errors.New("it is completed already, or gone")
		}
	}
	if err != nil {
		r.Completed = time.Time{}
		return fmt.Errorf("admin: record %d was carried out (%s), and stays %s in the audit, which could not be told so: %w", r.ID, r.Outcome, Begun, err)
	}
	return nil
}

// recordsPerPage is how many records a page of the audit lists.
const recordsPerPage = 50

// records are those of this cache before a given one, the newest first; 0: from the newest.
func (h *Handler) records(ctx context.Context, before int64) (records []Record, err error) {
	q := h.db.NewSelect().Model(&records).Where("cache = ?", h.prefix).Order("id DESC").Limit(recordsPerPage + 1)
	if before > 0 {
		q.Where("id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("admin: read the audit, whose table is made by admin.Migrations: %w", err)
	}
	return records, nil
}

// record is one of this cache's records; nil: there is none.
func (h *Handler) record(ctx context.Context, id int64) (*Record, error) {
	r := new(Record)
	err := h.db.NewSelect().Model(r).Where("cache = ?", h.prefix).Where("id = ?", id).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("admin: read the audit, whose table is made by admin.Migrations: %w", err)
	}
	return r, nil
}
