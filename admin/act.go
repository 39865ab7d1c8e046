package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cacheme/cacheme"
)

// Invalidate clears what is asked for, as the page does: for an actor who may Act, with a record in the audit that is written
// before and completed after. It returns the record as it is then.
//
// Without a record nothing was cleared: ErrRequest, or a *cacheme.UsageError, says that the request is none; ErrRole that the actor may
// not; ErrAudit that its record could not be written. With one an error is in the record too: Undelivered is that of a
// *cacheme.UndeliveredError, Failed that of anything else; or it is that the record could not be completed, which then has no
// time of Completed, and says what came of it where the audit's own row stays begun.
//
// It counts nothing before; ctx ends a pattern's scan, not an invalidation that is under way.
func (h *Handler) Invalidate(ctx context.Context, a Actor, r Request) (*Record, error) {
	return h.invalidate(ctx, a, r, count{Found: -1}, rand.Text())
}

// invalidate is Invalidate for a form, whose number makes it usable once.
func (h *Handler) invalidate(ctx context.Context, a Actor, r Request, seen count, form string) (*Record, error) {
	if !nameable(a) || !a.Role.May(Act) {
		return nil, ErrRole
	}
	if err := r.check(h.prefix); err != nil {
		return nil, err
	}
	p, err := h.plan(r)
	if err != nil {
		return nil, err
	}
	// Names and patterns that the cache would refuse are refused before there is a record of them.
	impact := new(cacheme.Impact)
	if len(p.invalids) > 0 {
		if impact, err = h.cache.WouldInvalidate(p.invalids...); err != nil {
			return nil, err
		}
	}
	record := &Record{Form: form, Cache: h.prefix, Actor: a.Name, What: r, Counted: seen.Found, CountedAll: seen.Complete}
	if err := h.begin(ctx, record); err != nil {
		h.o.Logger.WarnContext(ctx, "admin: nothing was cleared: no record of it", "actor", a.Name, "used", errors.Is(err, ErrUsed))
		return nil, err
	}
	problems := h.carryOut(ctx, p, len(impact.Dependencies), record)
	record.Outcome, err = outcomeOf(problems...), errors.Join(problems...)
	if err != nil {
		record.Problem = clip(err.Error(), mostText)
	}
	done := h.complete(ctx, record)
	level := slog.LevelInfo
	if err != nil || done != nil {
		level = slog.LevelWarn
	}
	h.o.Logger.Log(ctx, level, "admin: cleared", "actor", a.Name, "record", record.ID, "outcome", record.Outcome,
		"made_wrong", record.MadeWrong, "removed", record.Removed, "recorded", done == nil)
	return record, errors.Join(err, done)
}

// carryOut clears all that it can, whatever of it fails.
func (h *Handler) carryOut(ctx context.Context, p plan, dependencies int, record *Record) (problems []error) {
	if p.pattern != "" {
		n, err := h.cache.RemovePattern(ctx, p.pattern)
		record.Removed += n
		problems = append(problems, err)
	}
	if len(p.keys) > 0 {
		n, err := h.console.Remove(ctx, p.keys...)
		record.Removed += n
		problems = append(problems, err)
	}
	if len(p.invalids) > 0 {
		by := h.cache.NewWrite(ctx, "admin", "")
		if by.Operation != "" {
			by.Caller = fmt.Sprintf("record %d", record.ID)
		}
		err := h.cache.Invalidate(ctx, append([]cacheme.Invalid{cacheme.By(by)}, p.invalids...)...)
		if outcomeOf(err) != Failed {
			record.MadeWrong = dependencies
		}
		problems = append(problems, err)
	}
	return problems
}

// outcomeOf is the worst of what came of the parts.
func outcomeOf(problems ...error) Outcome {
	worst := Done
	for _, err := range problems {
		var late *cacheme.UndeliveredError
		switch {
		case err == nil:
		case !errors.As(err, &late):
			return Failed
		default:
			worst = Undelivered
		}
	}
	return worst
}

// clip shortens a text to n bytes, between two characters.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n] + "…"
}
