package bunhooks

import "log/slog"

// Option changes what NewQueryHook and Install set up.
type Option func(*options)

type options struct {
	afterCommit bool
	refuse      bool
	rowCap      int
	tables      []string
	logger      *slog.Logger
	outbox      *Outbox
}

// defaultRowCap is how many rows of one transaction are named one by one. A row costs some commands of one pipeline
// before the COMMIT and some after: a thousand are a few tens of milliseconds, which is what a bulk write of so many takes
// anyhow.
const defaultRowCap = 1000

func newOptions(opts []Option) options {
	o := options{rowCap: defaultRowCap, logger: slog.Default()}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// AfterCommit invalidates after the COMMIT alone, without a hold before it and without a limit in the database: one
// Redis round trip less. What it gives up: between the COMMIT and the invalidation, some hundred microseconds, other
// processes still serve what was there before; and a process that is killed just then leaves it there until the TTL.
func AfterCommit() Option { return func(o *options) { o.afterCommit = true } }

// RefuseOnOutage makes a COMMIT fail with ErrRefused while Redis cannot be reached, and rolls the transaction back,
// where otherwise it is committed and its invalidation kept until Redis returns. With AfterCommit it does nothing.
func RefuseOnOutage() Option { return func(o *options) { o.refuse = true } }

// WithRowCap sets how many rows of one transaction are named one by one: 1000 unless set. Beyond, the tables they are in
// become wrong as a whole. Zero or less names none.
func WithRowCap(n int) Option { return func(o *options) { o.rowCap = max(n, 0) } }

// WithTables watches tables that no invalid node names, for entries that depend on them by [cacheme.Table].
func WithTables(names ...string) Option {
	return func(o *options) { o.tables = append(o.tables, names...) }
}

// WithLogger sets where warnings go, each of which is told once: slog.Default() unless set.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}
