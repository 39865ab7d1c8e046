package cacheme_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// explained is a cache with one song, which is loaded.
type explained struct {
	*cachetest.Cache
	t    *testing.T
	page cacheme.Declaration
	away *atomic.Bool
}

func newExplained(t *testing.T, o cacheme.Options) *explained {
	t.Helper()
	e := &explained{Cache: cachetest.NewWith(t, o, SongPage{}, SongChanged{}), t: t, page: SongPage{ID: 1}, away: new(atomic.Bool)}
	e.Redis().AddHook(unplugged{e.away})
	return e
}

func (e *explained) load(id int64) {
	e.t.Helper()
	_, err := cacheme.GetFrom(e.t.Context(), e.Cache.Cache, SongPage{ID: id}, newCatalogue().LoadSong)
	if err != nil && !errors.Is(err, cacheme.ErrNotFound) {
		e.t.Fatal(err)
	}
}

func (e *explained) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *explained) explain(ctx context.Context) *cacheme.Explanation {
	e.t.Helper()
	x, err := e.Explain(ctx, e.page)
	e.must(err)
	return x
}

// unplugged is a Redis client whose cable somebody has pulled.
type unplugged struct{ now *atomic.Bool }

func (u unplugged) err() error {
	if u.now.Load() {
		return &net.OpError{Op: "read", Err: errors.New("unplugged")}
	}
	return nil
}

func (u unplugged) DialHook(next redis.DialHook) redis.DialHook { return next }

func (u unplugged) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := u.err(); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (u unplugged) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := u.err(); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}

func TestExplain_names_the_state_and_why(t *testing.T) {
	t.Parallel()
	entry, token := "CM:{song:1}", "CM:row:song:1:invalid"
	for _, c := range []struct {
		name    string
		options cacheme.Options
		do      func(e *explained) context.Context // nil: the test's own
		state   cacheme.State
		reason  string // begins so
		next    string
	}{
		{
			name: "fresh", do: func(e *explained) context.Context { e.load(1); return nil },
			state: cacheme.StateFresh, reason: "every token", next: "a Get is served it",
		},
		{name: "not found", do: func(e *explained) context.Context {
			e.page = SongPage{ID: 99}
			e.load(99)
			return nil
		}, state: cacheme.StateFresh, reason: "the load found nothing", next: "a Get is served it"},
		{
			name: "never loaded", do: func(*explained) context.Context { return nil },
			state: cacheme.StateAbsent, reason: "there is no entry: never loaded", next: "a Get loads it",
		},
		{name: "made wrong by hand", do: func(e *explained) context.Context {
			e.load(1)
			e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
			return nil
		}, state: cacheme.StateMadeWrong, reason: "row:song:1: Invalidate at ", next: "a Get loads it"},
		{name: "made wrong by another library", do: func(e *explained) context.Context {
			e.load(1)
			by := cacheme.By(cacheme.Write{Operation: "import", Table: "songs", Rows: []string{"1"}, Count: 3, Caller: "erp/import.go:7", Trace: "4bf9"})
			e.must(e.Invalidate(t.Context(), by, SongChanged{ID: 1}))
			e.Advance(90 * time.Second)
			return nil
		}, state: cacheme.StateMadeWrong, reason: "row:song:1: import songs rows 1 and 2 more at erp/import.go:7, 1m30s ago, trace 4bf9", next: "a Get loads it"},
		{name: "made wrong, and no record is kept", options: cacheme.Options{ForgetWrites: true}, do: func(e *explained) context.Context {
			e.load(1)
			e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
			return nil
		}, state: cacheme.StateMadeWrong, reason: "row:song:1: written by somebody who keeps no record", next: "a Get loads it"},
		{name: "made wrong a day ago", do: func(e *explained) context.Context {
			e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
			e.load(1)
			e.must(e.Redis().Del(t.Context(), e.Redis().Keys(t.Context(), "CM:meta:write:*").Val()...).Err())
			return nil
		}, state: cacheme.StateFresh, reason: "every token", next: "a Get is served it"},
		{name: "held", do: func(e *explained) context.Context {
			e.load(1)
			_, err := e.Hold(t.Context(), SongChanged{ID: 1})
			e.must(err)
			return nil
		}, state: cacheme.StateHeld, reason: "row:song:1: a writer's transaction is open on it", next: "a Get loads it"},
		{name: "a hold that lapsed", do: func(e *explained) context.Context {
			e.load(1)
			_, err := e.Hold(t.Context(), SongChanged{ID: 1})
			e.must(err)
			e.Advance(20 * time.Second)
			hold, err := e.Hold(t.Context(), SongChanged{ID: 1}) // settles it
			e.must(err)
			e.must(hold.Rollback(t.Context()))
			return nil
		}, state: cacheme.StateMadeWrong, reason: "row:song:1: a writer placed a hold and never told how", next: "a Get loads it"},
		{name: "expired", do: func(e *explained) context.Context {
			e.load(1)
			for e.explain(t.Context()).State == cacheme.StateFresh { // its TTL has a random part
				e.Advance(30 * time.Second)
			}
			return nil
		}, state: cacheme.StateExpired, reason: "its TTL was over ", next: "a Get loads it"},
		{name: "a token that is gone", do: func(e *explained) context.Context {
			e.load(1)
			e.must(e.Redis().Del(t.Context(), token).Err())
			return nil
		}, state: cacheme.StateTokenGone, reason: "row:song:1: its token is gone", next: "a Get loads it"},
		{name: "another run of Redis", do: func(e *explained) context.Context {
			e.load(1)
			e.Restart()
			return nil
		}, state: cacheme.StateOtherRun, reason: "it was written in another run", next: "a Get loads it"},
		{name: "garbage", do: func(e *explained) context.Context {
			e.must(e.Redis().Set(t.Context(), entry, "garbage", time.Hour).Err())
			return nil
		}, state: cacheme.StateGarbage, reason: "envelope: corrupt entry", next: "a Get loads it"},
		{name: "garbage of another type", do: func(e *explained) context.Context {
			e.must(e.Redis().LPush(t.Context(), entry, "garbage").Err())
			return nil
		}, state: cacheme.StateGarbage, reason: "Redis has a list there", next: "a Get loads it"},
		{name: "another version", do: func(e *explained) context.Context {
			e.load(1)
			text := e.Redis().Get(t.Context(), entry).Val()
			old, err := cacheme.New(e.Redis(), cacheme.Options{Budget: time.Minute, WriteBudget: time.Minute})
			e.must(err)
			defer func() { e.must(old.Close(context.Background())) }()
			old.MustRegister(OldSongPage{}, SongChanged{})
			_, err = cacheme.GetFrom(t.Context(), old, OldSongPage{ID: 1}, func(context.Context, OldSongPage) (int, error) { return 1, nil })
			e.must(err)
			if text == e.Redis().Get(t.Context(), entry).Val() {
				t.Error("the older version stored nothing")
			}
			return nil
		}, state: cacheme.StateForeign, reason: "another version of the program stored it: its type", next: "a Get loads it"},
		{name: "a fill that was refused", do: func(e *explained) context.Context {
			_, err := cacheme.GetFrom(t.Context(), e.Cache.Cache, SongPage{ID: 1}, func(ctx context.Context, _ SongPage) (Song, error) {
				cacheme.DoNotStore(ctx, "it is Sunday")
				return Song{}, nil
			})
			e.must(err)
			return nil
		}, state: cacheme.StateAbsent, reason: "there is no entry: the last load in this process was not stored, because it is Sunday", next: "a Get loads it"},
		{name: "a fill that was refused, and one that was not", do: func(e *explained) context.Context {
			_, err := cacheme.GetFrom(t.Context(), e.Cache.Cache, SongPage{ID: 1}, func(ctx context.Context, _ SongPage) (Song, error) {
				cacheme.DoNotStore(ctx, "it is Sunday")
				return Song{}, nil
			})
			e.must(err)
			e.load(1)
			e.must(e.Remove(t.Context(), SongPage{ID: 1}))
			return nil
		}, state: cacheme.StateAbsent, reason: "there is no entry: never loaded", next: "a Get loads it"},
		{
			name: "bypassed", do: func(e *explained) context.Context { e.load(1); return cacheme.Bypass(t.Context()) },
			state: cacheme.StateBypassed, reason: "the context is that of Bypass", next: "a Get calls its loader",
		},
		{
			name: "disabled", do: func(e *explained) context.Context { e.load(1); e.Disable(); return nil },
			state: cacheme.StateDisabled, reason: "the cache is disabled", next: "a Get calls its loader",
		},
		{
			name: "Redis away", do: func(e *explained) context.Context { e.load(1); e.away.Store(true); return nil },
			state: cacheme.StateAway, reason: "Redis does not answer", next: "a Get calls its loader",
		},
		{name: "not delivered", do: func(e *explained) context.Context {
			e.load(1)
			e.away.Store(true)
			var undelivered *cacheme.UndeliveredError
			if err := e.Invalidate(t.Context(), SongChanged{ID: 1}); !errors.As(err, &undelivered) {
				t.Errorf("Invalidate = %v, want it undelivered", err)
			}
			return nil
		}, state: cacheme.StateAway, reason: "Redis does not answer", next: "a Get calls its loader"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newExplained(t, c.options)
			ctx := c.do(e)
			if ctx == nil {
				ctx = t.Context()
			}
			defer e.away.Store(false)
			before := e.traces()
			stats := e.Stats()
			x := e.explain(ctx)
			if x.State != c.state || !strings.HasPrefix(x.Reason, c.reason) || !strings.HasPrefix(x.Next, c.next) {
				t.Errorf("State, Reason, Next = %q, %q, %q, want %q, %q.., %q..", x.State, x.Reason, x.Next, c.state, c.reason, c.next)
			}
			if diff := cmp.Diff(before, e.traces()); diff != "" {
				t.Errorf("Explain leaves traces in Redis (-before +after):\n%s", diff)
			}
			if now := e.Stats(); c.state != cacheme.StateAway && now != stats {
				t.Errorf("Explain is counted: %+v, before %+v", now, stats)
			}
			if text := x.String(); !strings.Contains(text, strings.ToUpper(c.state.String())) || strings.Count(text, "\n") > 24 {
				t.Errorf("String() = %q, want a screenful with the state", text)
			}
			if _, err := json.Marshal(x); err != nil {
				t.Errorf("JSON: %v", err)
			}
		})
	}
}

// OldSongPage is SongPage as it was before it showed all of the song.
type OldSongPage struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (OldSongPage) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "song:<id>", TTL: time.Hour, Stale: time.Minute, Negative: time.Minute}
}

func (p OldSongPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{SongChanged{ID: p.ID}}
}

// traces are what is in Redis, the record of losses aside.
func (e *explained) traces() map[string]string {
	if e.away.Load() {
		return nil
	}
	all := map[string]string{}
	for _, key := range e.Redis().Keys(e.t.Context(), "*").Val() {
		all[key] = fmt.Sprint(e.Redis().Get(e.t.Context(), key).Val())
	}
	delete(all, "CM:meta:watch")
	return all
}

func TestExplain_tells_each_dependency(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{Trace: func(context.Context) string { return "4bf9" }})
	e.load(1)
	e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
	x := e.explain(t.Context())
	i := slices.IndexFunc(x.Dependencies, func(d cacheme.DependencyState) bool { return d.Name == "row:song:1" })
	if i < 0 || len(x.Dependencies) != 3 {
		t.Fatalf("Dependencies = %+v, want those of the class, the row and its table", x.Dependencies)
	}
	d := x.Dependencies[i]
	if d.Kind != "row" || d.Table != "songs" || !d.Wrong || d.Equal || d.Held || d.Missing || d.Loaded == "" || d.Now == "" || d.Loaded == d.Now {
		t.Errorf("the row is %+v", d)
	}
	w := d.LastWrite
	if w == nil || w.Operation != "Invalidate" || w.Trace != "4bf9" || !strings.Contains(w.Caller, "/explain_test.go:") || w.Process == "" || w.At.IsZero() {
		t.Errorf("LastWrite = %+v", w)
	}
	for _, other := range append(x.Dependencies[:i:i], x.Dependencies[i+1:]...) {
		if !other.Equal || other.LastWrite != nil || other.Note != "not written since its token was made" {
			t.Errorf("%s is %+v, want it equal and never written", other.Name, other)
		}
	}
	if x.Size == 0 || x.Tier != cacheme.TierRedis || x.Left <= 0 || x.Kept <= x.Left || x.Loaded.IsZero() || x.Now.Before(x.Loaded) {
		t.Errorf("the entry is %+v", x)
	}
}

func TestExplain_while_somebody_loads(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{})
	loading, end := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := cacheme.GetFrom(context.Background(), e.Cache.Cache, SongPage{ID: 1}, func(context.Context, SongPage) (Song, error) {
			close(loading)
			<-end
			return Song{ID: 1}, nil
		})
		done <- err
	}()
	<-loading
	x := e.explain(t.Context())
	if x.Lease == nil || !x.Lease.Here || x.Lease.Owner == "" || x.Lease.Left <= 0 || x.Next != "a Get waits for the load under way" {
		t.Errorf("Lease, Next = %+v, %q, want that of this process, which a Get waits for", x.Lease, x.Next)
	}
	close(end)
	e.must(<-done)
	if x := e.explain(t.Context()); x.Lease != nil || x.State != cacheme.StateFresh {
		t.Errorf("afterwards Lease, State = %+v, %q", x.Lease, x.State)
	}
}

func TestExplain_of_a_memo(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	memo := cacheme.MustMemo(c.Cache, cacheme.Memoized[int, int]{
		Meta:   cacheme.Meta{Key: "square:<n>"},
		Values: func(n int) []any { return []any{n} },
		Tags:   []string{"squares"},
	}, func(_ context.Context, n int) (int, error) { return n * n, nil })
	if _, err := memo.Get(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := c.Invalidate(t.Context(), cacheme.Tag("squares")); err != nil {
		t.Fatal(err)
	}
	x, err := c.Explain(t.Context(), memo.Node(3))
	if err != nil || x.Key != "square:3" || x.State != cacheme.StateMadeWrong || !strings.HasPrefix(x.Reason, "tag:squares: Invalidate") {
		t.Errorf("Explain = %+v, %v", x, err)
	}
}

func TestBy_is_for_Invalidate_and_Hold_alone(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t, SongPage{}, SongChanged{})
	by := cacheme.By(cacheme.Write{Operation: "import"})
	if err := c.Register(by); err == nil {
		t.Error("Register takes a By")
	}
	if _, err := c.KeyOf(by); err == nil {
		t.Error("KeyOf takes a By")
	}
	if err := c.Invalidate(t.Context(), by); err != nil {
		t.Errorf("Invalidate of nothing but a By = %v", err)
	}
	if n := len(c.Redis().Keys(t.Context(), "*").Val()); n != 1 {
		t.Errorf("%d keys, want the record of losses alone", n)
	}
}

func TestTrace_that_panics_fails_no_write(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{Trace: func(context.Context) string { panic("no trace") }})
	e.load(1)
	e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
	if x := e.explain(t.Context()); x.State != cacheme.StateMadeWrong {
		t.Errorf("State = %q", x.State)
	}
}

func TestWritesThatWereDeliveredLate_say_so(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{})
	e.load(1)
	e.away.Store(true)
	if err := e.Invalidate(t.Context(), SongChanged{ID: 1}); err == nil {
		t.Fatal("Invalidate succeeds without Redis")
	}
	e.away.Store(false)
	deadline := time.Now().Add(10 * time.Second)
	for e.Stats().Pending > 0 && time.Now().Before(deadline) {
		e.load(2) // whoever asks finds Redis back
	}
	x := e.explain(t.Context())
	if x.State != cacheme.StateMadeWrong || !strings.Contains(x.Reason, "delivered late") {
		t.Errorf("State, Reason = %q, %q", x.State, x.Reason)
	}
}

func TestExplain_asks_for_records_of_writes_alone(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{})
	var trips atomic.Int64
	e.Redis().AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		trips.Add(1)
		return send(trip.Cmds...)
	}})
	e.load(1)
	cost := func() int64 {
		before := trips.Load()
		e.explain(t.Context())
		return trips.Load() - before
	}
	cost() // a first one has scripts to load
	unwritten := cost()
	e.must(e.Invalidate(t.Context(), SongChanged{ID: 1}))
	if written := cost(); unwritten != 2 || written != 3 {
		t.Errorf("Explain takes %d round trips, and %d after a write, want 2 and 3", unwritten, written)
	}
}

// A process that records no write itself reads what others have recorded.
func TestExplain_of_another_process_names_its_write(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{ForgetWrites: true})
	e.load(1)
	other, err := cacheme.New(e.Redis(), cacheme.Options{Budget: time.Minute, WriteBudget: time.Minute})
	e.must(err)
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	e.must(other.Register(SongPage{}, SongChanged{}))
	e.must(other.Invalidate(t.Context(), SongChanged{ID: 1}))
	x := e.explain(t.Context())
	if x.State != cacheme.StateMadeWrong || !strings.HasPrefix(x.Reason, "row:song:1: Invalidate at ") || strings.Contains(x.Reason, ", by ") {
		t.Errorf("State, Reason = %q, %q, want the write, by this very process", x.State, x.Reason)
	}
	text, err := json.Marshal(x)
	e.must(err)
	var read cacheme.Explanation // in another process, for all that is known
	e.must(json.Unmarshal(text, &read))
	if !strings.Contains(read.String(), ", by ") {
		t.Errorf("what was read from JSON says\n%s\nwant the process that wrote", read.String())
	}
}

func TestExplain_knows_the_table_of_rows_that_a_load_read(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	memo := cacheme.MustMemo(c.Cache, cacheme.Memoized[int, int]{
		Meta: cacheme.Meta{Key: "read:<n>", Observe: cacheme.Auto}, Values: func(n int) []any { return []any{n} },
	}, func(ctx context.Context, n int) (int, error) {
		match := cacheme.Match{Columns: []string{"id"}, Values: []any{int64(n)}}
		c.Observing(ctx).Read(cacheme.Read{Tables: []string{"shop.books"}, Matches: []cacheme.Match{match}})
		return n, nil
	})
	if _, err := memo.Get(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	x, err := c.Explain(t.Context(), memo.Node(3))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{}
	for _, d := range x.Dependencies {
		tables[d.Kind] = d.Table
	}
	want := map[string]string{"class": "", "table": "shop.books", "having": "shop.books"}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Errorf("tables by kind (-want +got):\n%s", diff)
	}
}

func TestState_is_one_word_in_JSON_and_several_for_a_person(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(cacheme.Explanation{State: cacheme.StateMadeWrong})
	if err != nil || !strings.Contains(string(text), `"state":"made_wrong"`) {
		t.Errorf("JSON = %s, %v", text, err)
	}
	if got := cacheme.StateMadeWrong.String(); got != "made wrong" {
		t.Errorf("String() = %q", got)
	}
}
