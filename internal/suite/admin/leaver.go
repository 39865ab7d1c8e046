package admin

import (
	"context"

	"github.com/uptrace/bun"
)

// leaver ends a request once its record is begun.
type leaver struct{ leave func() }

func (leaver) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (l leaver) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Operation() == "INSERT" {
		l.leave()
	}
}
