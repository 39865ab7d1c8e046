package cachemeotel

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/cacheme/cacheme"
)

// AroundLoad is a cache's AroundLoad: it puts a span around each load.
func (t *Telemetry) AroundLoad(ctx context.Context, l cacheme.Loading) (context.Context, func(error)) {
	options := []trace.SpanStartOption{trace.WithAttributes(node.String(l.Node), keys.Int(len(l.Keys)), behind.Bool(l.Behind))}
	if l.Behind {
		// Its reader has been answered: the load is no part of what he waited for.
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)))
	}
	ctx, span := t.tracer.Start(ctx, "cacheme load "+l.Node, options...) //nolint:spancheck // its end is what is returned
	return ctx, func(err error) {                                        //nolint:spancheck // as said
		if err != nil {
			// An error's text may hold what was asked for: its type is enough to find it.
			span.SetAttributes(failed.String(typeOf(err)))
			span.SetStatus(codes.Error, "the load failed")
		}
		span.End()
	}
}

// typeOf names an error, without what its text may tell of whom it concerns.
func typeOf(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{{context.DeadlineExceeded, "timeout"}, {context.Canceled, "canceled"}, {cacheme.ErrLoadTimeout, "timeout"}} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return fmt.Sprintf("%T", err)
}
