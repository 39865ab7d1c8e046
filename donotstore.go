package cacheme

import (
	"context"

	"github.com/cacheme/cacheme/internal/flight"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// DoNotStore says, inside a load, that its value is for the caller alone whose loader runs: it is neither stored nor
// given to those who wait for the load, who ask again; and neither is the value of any load that this one is inside of.
// ctx is the loader's, or one made of it. The reason is told where other values that are not stored are: EventNotStored.
//
// It is for what nobody else may see or is right for a moment only: rows read inside a transaction, a page that is put
// together while a service is down. With GetMany it concerns all that the load was called for. Any goroutine of the load
// may call it, until the load ends. Outside of loads it does nothing.
//
// Of those who waited one loads next, for all. Where that value is for its caller alone too, the others load each for
// himself at once, and what they load is not stored: nobody queues up one by one behind loads that are of no use to him.
func DoNotStore(ctx context.Context, reason string) {
	if reason == "" {
		reason = "its loader said so"
	}
	for s := scopeOf(ctx); s != nil; s = s.outer {
		if !s.cache.rules.Off(guard.TransactionBypasses) {
			s.keepPrivate(reason)
		}
	}
}

// keepPrivate keeps the value for the caller who loads it.
func (s *scope) keepPrivate(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && s.inner.private == "" {
		s.inner.private = reason
	}
}

// maxDeclined is how many loads of others, whose values were for their callers alone, a call waits for before it loads
// for itself: the first may have been an exception, the second shows that it was none.
const maxDeclined = 2

// loadsApart is why the value of such a load is not stored.
const loadsApart = "its loads are for their callers alone"

// contradicted is another one: what Redis answers to reads, and to scripts, does not go together.
const contradicted = "the lease was refused, and no read saw why"

// isApart reports whether the call no longer waits for what it would not be given.
func (v *visit) isApart() bool { return v.declined >= maxDeclined || v.rebuffs.n >= maxRebuffs }

// apart makes the work of a load that nobody else can find, and that asks nothing of Redis.
func (v *visit) apart() *work {
	// No key holds a blank.
	k := v.c.flights.Enter(v.r.entry + " " + store.NewOwner())
	defer k.Leave()
	f, _ := k.Lead()
	w := newWork(v.r, f, sight{})
	w.apart = true
	if v.rebuffs.n >= maxRebuffs {
		w.refuse(contradicted)
	}
	w.refuse(loadsApart)
	return w
}

// loadApart loads for this call alone.
func (v *visit) loadApart(ctx context.Context, load loader) (answer, bool, error) {
	v.miss(ctx)
	w := v.apart()
	if !v.c.start(ctx, []*work{w}, purse{}, load) {
		a, err := v.c.loadDirectly(ctx, v.r, load)
		return a, true, err
	}
	return v.take(ctx, w.f, flight.Early, true)
}
