package cacheme

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options of a Cache. The zero value is ready for use; a zero field takes its default.
type Options struct {
	// Prefix of every key in Redis. Two caches with different prefixes share nothing; a prefix must not be the
	// beginning of another one that is in use. Defaults to "CM:".
	Prefix string
	// Disabled starts the cache as after Disable.
	Disabled bool
	// TTL is how long an entry lives at most. Defaults to 1 hour. There are no entries that live for ever.
	TTL time.Duration
	// Stale is how long past invalidation or expiry an old value may stand in while one caller reloads it. Zero: never.
	Stale time.Duration
	// StaleIfError is how long past invalidation or expiry an old value may stand in when its load fails. Zero: never.
	StaleIfError time.Duration
	// HerdWait is the pause between two looks of those who wait for a load in another process, which wakes them when
	// it is over; the looks are for a wake-up call that was lost. Defaults to 20 ms.
	HerdWait time.Duration
	// HerdRetries is after how many looks the pause doubles each time, up to 250 ms. Defaults to 5.
	HerdRetries int
	// Lease is how long a loader that died delays others. A living one renews it. Defaults to 3 s.
	Lease time.Duration
	// LoadTimeout bounds a load: its context ends then, and so does the lease. Defaults to 30 s.
	LoadTimeout time.Duration
	// Hold is how long a writer may keep the outcome of its transaction open. All caches of a prefix use the greatest
	// that any of them asks for; they agree on it through Redis. Defaults to 10 s.
	Hold time.Duration
	// Budget bounds all Redis work of one Get together; what overruns is abandoned and the loader used. Time spent
	// waiting for another process's load does not count. A trip of more than 100 keys (a large GetMany, a long list of
	// result dependencies) has a thousandth of the budget more for each further one. Defaults to 50 ms, which is for a Redis
	// that is at most a few milliseconds away: a Get that loads takes three round trips, four with result dependencies.
	Budget time.Duration
	// WriteBudget bounds the Redis work of one write: Invalidate, Remove, Set, Hold. One of more than 100 keys has a
	// thousandth of it more for each further one. Defaults to 250 ms.
	WriteBudget time.Duration
	// WaitReplicas is how many replicas have to follow the primary (on a cluster, each master) for the cache to be used. A
	// write, hold or removal that fewer of them have received within WriteBudget is an *UndeliveredError with ErrFewReplicas: it is
	// kept and delivered again, and bunhooks.RefuseOnOutage refuses the COMMIT. Reads go past a primary whose replicas have
	// not answered for a second. So a primary that was replaced, and that this process still reaches, is left alone; docs/promises.md
	// says what that closes. Use the same number in all processes, and more than half of a primary and its replicas have to be
	// there: 1 of one or two replicas, 2 of three or four. With fewer replicas than that there is no cache. Defaults to 0:
	// nobody is asked, and nothing costs more.
	WaitReplicas int
	// MaxValue is the largest encoded value, in bytes, that is stored. Defaults to 1 MiB; at most 8 MiB. The default codec
	// also refuses a value that takes more than 6 MiB of memory and more than four times its encoded bytes.
	MaxValue int
	// Compress compresses values of at least CompressOver bytes where that makes them smaller.
	Compress bool
	// CompressOver is the size in bytes from which on values are compressed. Defaults to 1000.
	CompressOver int
	// Codec turns values into bytes and back. Defaults to CBOR, which gives back what it was given, whatever the json
	// tags of a type say.
	Codec Codec
	// Observe is Off where nobody is to be told of tables that nodes read and do not declare. Defaults to On: the first time
	// that a node is seen to read such a table there is an EventUndeclared, and a warning in the log. Events go to the Observer, which is another thing.
	Observe Switch
	// Refill bounds what loading again after writes may cost.
	Refill RefillOptions
	// Near bounds the near cache, which keeps the values of nodes with Meta.Near in this process.
	Near NearOptions
	// Refresh bounds what loading entries before their time is over may cost, for nodes with a Meta.Refresh.
	Refresh RefreshOptions
	// Verify has a share of the hits compared with what their loaders give. Defaults to none.
	Verify VerifyOptions
	// Trace names the request that a write belongs to, by its context, for Explain: a trace id, for one. Nil: nobody does.
	Trace func(context.Context) string
	// ForgetWrites leaves no record of writes: Explain then does not tell which of them made an entry wrong, and each write
	// sends one command less.
	ForgetWrites bool
	// AroundLoad is called before each load, with the context that the loader would get: that of the Get that led to it, without its
	// deadline. The loader gets the context that it returns, which has to be made of the given one, so that a trace has what the loader does below
	// a span of its own; the func that it returns is called with the loader's error, nil where what was asked for was not found.
	// Loads that go past the cache are not told. Nil: nobody is asked.
	AroundLoad func(context.Context, Loading) (context.Context, func(error))
	// Logger is told what an operator should know; never a value. Defaults to none.
	Logger *slog.Logger
	// Observer is told everything that happens, on the goroutine to which it happens: it must be quick, and must not
	// call the cache. A panic in it is logged. Nil: nobody is told.
	Observer func(context.Context, Event)
}

// The default of MaxValue, and the most that it may be. A value from Redis is not unpacked beyond the MaxValue of its
// node, nor beyond the default where that is more: other processes may allow that much.
const (
	defaultMaxValue = 1 << 20
	maxRawValue     = 8 << 20
)

// withDefaults returns o with every zero field set, or all that is wrong with it.
func (o Options) withDefaults() (Options, error) {
	var wrong []string
	positive := func(name string, d *time.Duration, def time.Duration) {
		switch {
		case *d < 0:
			wrong = append(wrong, fmt.Sprintf("%s is negative: %v; leave it out for the default", name, *d))
		case *d > longestLife:
			wrong = append(wrong, fmt.Sprintf("%s is %v, more than ten years; write the time that you mean", name, *d))
		}
		if *d == 0 {
			*d = def
		}
	}
	for _, life := range []struct {
		name string
		d    time.Duration
	}{{"TTL", o.TTL}, {"Stale", o.Stale}, {"StaleIfError", o.StaleIfError}} {
		if life.d > 0 && life.d < time.Millisecond {
			wrong = append(wrong, fmt.Sprintf("%s is %v, less than a millisecond; write a unit, such as 60 * time.Second", life.name, life.d))
		}
	}
	positive("TTL", &o.TTL, time.Hour)
	positive("Stale", &o.Stale, 0)
	positive("StaleIfError", &o.StaleIfError, 0)
	positive("HerdWait", &o.HerdWait, 20*time.Millisecond)
	positive("Lease", &o.Lease, 3*time.Second)
	positive("LoadTimeout", &o.LoadTimeout, 30*time.Second)
	positive("Hold", &o.Hold, 10*time.Second)
	positive("Budget", &o.Budget, 50*time.Millisecond)
	positive("WriteBudget", &o.WriteBudget, 250*time.Millisecond)
	atLeast := func(name string, n *int, def int) {
		if *n < 0 {
			wrong = append(wrong, fmt.Sprintf("%s is negative: %d; leave it out for the default", name, *n))
		}
		if *n == 0 {
			*n = def
		}
	}
	atLeast("HerdRetries", &o.HerdRetries, 5)
	atLeast("WaitReplicas", &o.WaitReplicas, 0)
	atLeast("MaxValue", &o.MaxValue, defaultMaxValue)
	atLeast("CompressOver", &o.CompressOver, 1000)
	atLeast("Refill.Concurrency", &o.Refill.Concurrency, 2)
	atLeast("Refill.PerSecond", &o.Refill.PerSecond, 500)
	atLeast("Refill.Pending", &o.Refill.Pending, 10_000)
	positive("Refill.Age", &o.Refill.Age, 5*time.Second)
	atLeast("Refresh.Concurrency", &o.Refresh.Concurrency, 4)
	atLeast("Refresh.PerSecond", &o.Refresh.PerSecond, 500)
	atLeast("Refresh.Pending", &o.Refresh.Pending, 1000)
	wrong = append(wrong, o.Verify.withDefaults(atLeast, positive)...)
	wrong = append(wrong, o.Near.withDefaults()...)
	if o.MaxValue > maxRawValue {
		wrong = append(wrong, fmt.Sprintf("MaxValue is %d: at most %d (8 MiB)", o.MaxValue, maxRawValue))
	}
	longEnough := func(name string, d time.Duration) {
		if d > 0 && d < 10*time.Millisecond {
			wrong = append(wrong, fmt.Sprintf("%s is %v: at least 10ms, or every slow moment would end it", name, d))
		}
	}
	longEnough("Lease", o.Lease)
	longEnough("Hold", o.Hold)
	if o.Prefix == "" {
		o.Prefix = "CM:"
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		wrong = append(wrong, fmt.Sprintf("Prefix %q holds a brace: entries use them to choose their slot, write a prefix without", o.Prefix))
	}
	if o.Observe == Auto {
		wrong = append(wrong, "Observe is Auto, which each node decides for itself; write it in its Meta")
	}
	if o.Codec == nil {
		o.Codec = newCBORCodec()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if wrong != nil {
		return o, &UsageError{Node: "cacheme.Options", Reason: strings.Join(wrong, "; ")}
	}
	return o, nil
}
