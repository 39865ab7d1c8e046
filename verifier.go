package cacheme

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cacheme/cacheme/internal/difference"
	"github.com/cacheme/cacheme/internal/envelope"
)

// verifier compares hits with what their loaders give now.
//
// A difference alone says nothing: a write may have been committed since the hit, whose invalidation is on its way. So the
// entry is looked at between the steps, and has to be the same and fresh each time:
//
//	load, differs - look - wait - look - load, differs - look
//
// The first look shows that the entry stands after the value that makes it wrong was there, the others that it still
// does when every invalidation of that has had its time. Two loads that differ from each other tell that it is the loader
// that gives what it likes. Whatever else comes in between makes the sample one that says nothing.
type verifier struct {
	c    *Cache
	lane lane[*sample]
}

// sample is a hit that is verified.
type sample struct {
	r    *request
	seen sight // what was served from
	load func() (l loaded, apart string)
}

// newVerifier returns nil where nothing is to be verified.
func newVerifier(c *Cache) *verifier {
	o := c.options.Verify
	if o.Share == 0 {
		return nil
	}
	f := &verifier{c: c}
	f.lane = lane[*sample]{
		c:       c,
		limits:  limits{concurrency: o.Concurrency, perSecond: o.PerSecond, pending: o.Pending},
		id:      func(s *sample) string { return s.r.entry },
		do:      f.verify,
		dropped: EventUnverified,
	}
	return f
}

// hit takes a share of the hits. s is what was served from, load the loader of the call.
func (f *verifier) hit(ctx context.Context, r *request, s sight, load loader) {
	if !f.samples(r) {
		return
	}
	f.lane.add(&sample{r: r, seen: s, load: func() (loaded, string) { return f.loadPast(ctx, r, load) }})
}

// loadPast calls the loader once more, past the cache. What it gets inside is no part of the load that the hit was in.
// apart is why what it gave may differ from what others get; empty: it may not.
func (f *verifier) loadPast(ctx context.Context, r *request, load loader) (l loaded, apart string) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	defer func() { cancel(); <-ended }()
	go func() { // nobody waits for the value: Close does not either
		defer close(ended)
		select {
		case <-f.c.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	sc := newScope(f.c, nil, nil)
	l = f.c.callLoader(sc.into(Bypass(ctx)), []*request{r}, true, load)[0]
	switch inside := sc.end(); {
	case inside.private != "":
		apart = "its load is for its caller alone: " + inside.private
	case inside.behind:
		apart = readReplica
	}
	return l, apart
}

// verify is one sample from its load to what it says: a lane that joins none takes one at a time.
func (f *verifier) verify(batch []*sample) {
	c, s, ctx := f.c, batch[0], context.Background()
	defer func() {
		if v := recover(); v != nil { // in a codec, or an Equal: that of a loader is an error
			c.happened(ctx, s.r.plan, Event{Kind: EventUnverified, Key: s.r.key, Count: 1, Reason: "comparing panicked", Err: &PanicError{Value: v, Stack: debug.Stack()}})
		}
	}()
	if !c.Enabled() {
		f.untold(ctx, s, &doubt{reason: "the cache is disabled or closed"})
		return
	}
	began := time.Now()
	first, what, why := f.compare(s, nil)
	switch {
	case why != nil:
		f.untold(ctx, s, why)
	case what == "":
		c.happened(ctx, s.r.plan, Event{Kind: EventVerified, Key: s.r.key, Duration: time.Since(began)})
	default:
		f.confirm(ctx, s, first, what)
	}
}

// confirm tells whether a difference is a violation.
func (f *verifier) confirm(ctx context.Context, s *sample, first *encoded, what string) {
	if why := f.stands(ctx, s); why != nil {
		f.untold(ctx, s, why)
		return
	}
	if !f.c.pause(f.c.options.Verify.Settle) {
		f.untold(ctx, s, &doubt{reason: "the cache is closed"})
		return
	}
	if why := f.stands(ctx, s); why != nil {
		f.untold(ctx, s, why)
		return
	}
	_, again, why := f.compare(s, first)
	if why == nil {
		why = f.stands(ctx, s)
	}
	switch {
	case why != nil:
		f.untold(ctx, s, why)
	case again != "":
		f.incomparable(ctx, s, again)
	default:
		age := sight{entry: s.seen.entry, now: f.c.store.Now()}.age()
		f.c.happened(ctx, s.r.plan, Event{Kind: EventViolation, Key: s.r.key, Reason: what, Duration: age, Explanation: f.c.explain(ctx, s.r)})
	}
}

// doubt is why a sample says nothing.
type doubt struct {
	reason string
	err    error
}

func (f *verifier) untold(ctx context.Context, s *sample, why *doubt) {
	f.c.happened(ctx, s.r.plan, Event{Kind: EventUnverified, Key: s.r.key, Count: 1, Reason: why.reason, Err: why.err})
}

// stands looks whether the cache would serve the same entry now, as fresh: nil if it would.
func (f *verifier) stands(ctx context.Context, s *sample) *doubt {
	c := f.c
	if c.store.Away() {
		return &doubt{reason: "redis does not answer"}
	}
	now, err := c.look(ctx, s.r)
	switch {
	case err != nil:
		return &doubt{"redis does not answer", err}
	case c.journal.pending.Load() > 0:
		return &doubt{reason: "this process has invalidations that are not delivered"}
	case now.entry == nil || now.head != s.seen.head:
		return &doubt{reason: "the entry was replaced, or is gone"}
	case !now.fresh(c.rules):
		return &doubt{reason: "the entry was made wrong"}
	}
	return nil
}

// incomparable is told once for each node.
func (f *verifier) incomparable(ctx context.Context, s *sample, what string) {
	c, p := f.c, s.r.plan
	c.happened(ctx, p, Event{Kind: EventUnverified, Key: s.r.key, Count: 1, Reason: "two loads differ"})
	if p.known.first("incomparable") {
		c.happened(ctx, p, Event{Kind: EventIncomparable, Reason: fmt.Sprintf("two loads gave different values and the cache was told of no write: %s; "+
			"give the loader's result one order and take clocks and chance out of it, or set Meta.Verify to cacheme.Off", what)})
	}
}

// compare loads and says how the value differs from that of an earlier load, or without one from the entry's.
func (f *verifier) compare(s *sample, earlier *encoded) (now *encoded, what string, why *doubt) {
	l, apart := s.load()
	now = &encoded{none: isNotFound(l.err)}
	var err error
	switch {
	case apart != "":
		return nil, "", &doubt{reason: apart}
	case l.err != nil && !now.none:
		return nil, "", &doubt{"its load failed", l.err}
	case !now.none:
		if now.payload, err = s.r.plan.codec.Marshal(l.value); err != nil {
			return nil, "", &doubt{"the codec refuses what was loaded", err}
		}
	}
	if earlier == nil {
		earlier = &encoded{payload: s.seen.payload(), none: s.seen.entry.Kind == envelope.NotFound}
	}
	if what, err = s.r.plan.differ(earlier, now); err != nil {
		return nil, "", &doubt{"what was encoded does not decode", err}
	}
	return now, what, nil
}

// encoded is a value as an entry has it: what does not survive being encoded is no difference.
type encoded struct {
	payload []byte
	none    bool // not found
}

// differ says how two values differ; empty: they do not.
func (p *nodePlan) differ(a, b *encoded) (what string, err error) {
	switch {
	case a.none && b.none || !a.none && !b.none && bytes.Equal(a.payload, b.payload):
		return "", nil
	case b.none:
		return "there is a value, and the loader finds none", nil
	case a.none:
		return "there is \"not found\", and the loader finds a value", nil
	}
	x, err := p.carrier.decode(p.codec, a.payload)
	if err != nil {
		return "", err
	}
	y, err := p.carrier.decode(p.codec, b.payload)
	if err != nil {
		return "", err
	}
	return difference.First(x, y), nil
}
