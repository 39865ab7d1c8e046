package cachemeotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/cacheme/cacheme"
)

// state tells how caches are when they are asked.
type state struct {
	pending, away, serving, values, bytes metric.Int64ObservableUpDownCounter
}

func (s *state) instruments(m metric.Meter) error {
	var problems []error
	for _, i := range []struct {
		to               *metric.Int64ObservableUpDownCounter
		name, unit, what string
	}{
		{&s.pending, "cacheme.invalidations.pending", "{dependency}", "Invalidations that could not be delivered and are kept, now."},
		{&s.away, "cacheme.redis.away", "{cache}", "Caches that do not ask Redis, since it does not answer."},
		{&s.serving, "cacheme.near.serving", "{cache}", "Near caches that serve what they have."},
		{&s.values, "cacheme.near.values", "{value}", "Values that are near."},
		{&s.bytes, "cacheme.near.size", "By", "What the values that are near take, as they are weighed."},
	} {
		var err error
		*i.to, err = m.Int64ObservableUpDownCounter(i.name, metric.WithUnit(i.unit), metric.WithDescription(i.what))
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Add has the state of a cache told beside its events: what is pending, whether Redis is away, what is near. remove ends
// that, for a cache that is closed.
func (t *Telemetry) Add(c *cacheme.Cache) (remove func() error, err error) {
	s := &t.state
	r, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := c.Stats()
		o.ObserveInt64(s.pending, int64(now.Pending))
		o.ObserveInt64(s.away, one(now.Away))
		o.ObserveInt64(s.serving, one(now.Near))
		o.ObserveInt64(s.values, int64(now.NearValues))
		o.ObserveInt64(s.bytes, int64(now.NearBytes))
		return nil
	}, s.pending, s.away, s.serving, s.values, s.bytes)
	if err != nil {
		return nil, err
	}
	return r.Unregister, nil
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
