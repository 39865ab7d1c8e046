package cacheme

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cacheme/cacheme/internal/caller"
	"github.com/cacheme/cacheme/internal/store"
)

// Write is what a write says of itself, for Explain. It is kept in Redis for a day, or until 65 536 later writes of the
// prefix: one small command more in the pipeline that makes wrong what was written. Long texts are cut. Do not put into
// it what must not be read by whoever may read the cache.
type Write struct {
	// Operation is UPDATE, INSERT, DELETE, or what else the database was told; Invalidate or Hold for those by hand.
	Operation string `json:"operation"`
	// Table that was written, by its SQL name.
	Table string `json:"table,omitempty"`
	// Rows are the primary keys of the first few rows, as text, and Count is how many there were. None are known where
	// Whole says that the table counts as written as a whole.
	Rows  []string `json:"rows,omitempty"`
	Count int      `json:"count,omitempty"`
	Whole bool     `json:"whole,omitempty"`
	// Caller is the line of the program that wrote, as the last folder, file and line: "shop/writes.go:88".
	Caller string `json:"caller,omitempty"`
	// Trace is what Options.Trace told.
	Trace string `json:"trace,omitempty"`
	// Process is host and process id, "web-3:4711".
	Process string `json:"process,omitempty"`
	// At is when it was committed, by Redis's clock: right to about a round trip, and in order among a process's writes.
	At time.Time `json:"at,omitzero"`
	// Doubt: the COMMIT got no answer, so that it may not have happened.
	Doubt bool `json:"doubt,omitempty"`
}

// NewWrite is a Write of the program's line that called, and of ctx's trace, for whoever watches the writes of a database
// and tells them by By. It is the zero Write where Options.ForgetWrites is set.
func (c *Cache) NewWrite(ctx context.Context, operation, table string) Write {
	if c.options.ForgetWrites {
		return Write{}
	}
	return Write{Operation: operation, Table: table, Caller: caller.Line(), Trace: c.traceOf(ctx)}
}

// By says which write the invalid nodes behind it come from, up to the next By of the same Invalidate or Hold, so that
// Explain can name it. It makes nothing wrong itself. Process and At are filled in.
//
//	cache.Invalidate(ctx, cacheme.By(cacheme.Write{Operation: "import", Table: "books"}), BookChanged{ID: 7})
func By(w Write) Invalid { return &byWrite{write: w} }

// byWrite is a pointer, so that comparing two Invalids never panics.
type byWrite struct {
	InvalidNode
	write Write
}

func (*byWrite) Meta() Meta { return Meta{} }

// traceOf asks the user for the trace. Nobody's write fails because of a name for it.
func (c *Cache) traceOf(ctx context.Context) (trace string) {
	if c.options.Trace == nil {
		return ""
	}
	defer func() {
		if p := recover(); p != nil {
			c.log(ctx, slog.LevelError, "cacheme trace panicked", slog.Any("err", p))
		}
	}()
	return c.options.Trace(ctx)
}

// processName is Write.Process of this process.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// account is what one call makes wrong, and which writes did.
type account struct {
	keys   []string // Redis keys of tokens, each once
	known  map[string]bool
	writes []toldWrite
}

// toldWrite is one write with the tokens that it makes wrong.
type toldWrite struct {
	Write
	keys []string
}

// account works out the tokens that the invalid nodes make wrong, and by which writes. by is the operation of those that
// come without a By.
func (c *Cache) account(ctx context.Context, by string, invalids []Invalid) (account, error) {
	var t account
	for from := 0; from < len(invalids); {
		var w Write
		if mark, ok := invalids[from].(*byWrite); ok {
			w = mark.write
			from++
		} else {
			w = c.NewWrite(ctx, by, "")
		}
		to := from
		for to < len(invalids) && !isBy(invalids[to]) {
			to++
		}
		keys, err := c.writtenKeys(invalids[from:to])
		if err != nil {
			return account{}, err
		}
		if len(keys) > 0 {
			t.add(w, keys)
		}
		from = to
	}
	return t, nil
}

func isBy(i Invalid) bool {
	_, by := i.(*byWrite)
	return by
}

// add takes in one write. Several of one line, one behind the other, are one: a loop over rows.
func (t *account) add(w Write, keys []string) {
	keys = slices.Clip(keys) // two lists grow from it
	if n := len(t.writes); n > 0 && t.writes[n-1].isLike(w) {
		last := &t.writes[n-1]
		last.Whole = last.Whole || w.Whole
		last.Count += w.Count
		last.Rows = append(slices.Clip(last.Rows), w.Rows[:min(len(w.Rows), max(0, maxRows-len(last.Rows)))]...)
		last.keys = append(last.keys, keys...)
	} else {
		t.writes = append(t.writes, toldWrite{w, keys})
	}
	if t.keys == nil {
		t.keys = keys
		return
	}
	if t.known == nil {
		t.known = make(map[string]bool, len(t.keys)+len(keys))
		for _, key := range t.keys {
			t.known[key] = true
		}
	}
	for _, key := range keys {
		if !t.known[key] {
			t.known[key] = true
			t.keys = append(t.keys, key)
		}
	}
}

func (w Write) isLike(o Write) bool {
	return w.Operation == o.Operation && w.Table == o.Table && w.Caller == o.Caller && w.Trace == o.Trace
}

// mark makes the mark of the writes, at the moment of their commit.
func (c *Cache) mark(t account, doubt bool) store.Mark {
	if c.options.ForgetWrites || len(t.writes) == 0 {
		return store.Mark{}
	}
	return c.store.NewMark(c.encodeRecord(t.writes, c.marked.next(c), doubt))
}

// markClock is the moment of the process's last mark, in Redis's microseconds.
type markClock struct{ last atomic.Uint64 }

// next is the moment of a mark that is made now, behind that of every earlier one: two looks at Redis's clock, each good
// to about a round trip, must not turn the order of the process's writes around. A clock that was set back is followed.
func (m *markClock) next(c *Cache) uint64 {
	for {
		last, at := m.last.Load(), c.store.Now()
		if at == 0 {
			at = uint64(time.Now().UnixMicro())
		}
		if at <= last && last-at < uint64(c.options.WriteBudget.Microseconds()) {
			at = last + 1
		}
		if m.last.CompareAndSwap(last, at) {
			return at
		}
	}
}

// clipped is text of at most n bytes, of which the end is kept where that says more, without what a terminal would obey.
func clipped(text string, n int, end bool) string {
	if len(text) > n {
		if end {
			text = text[len(text)-n:]
		} else {
			text = text[:n]
		}
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return '?'
		}
		return r
	}, text)
}
