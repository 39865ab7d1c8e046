package flight_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme/internal/flight"
)

// A trip brings a number, a load begins with a text and gives a text.
type (
	group  = flight.Group[int, string, string]
	key    = flight.Key[int, string, string]
	flying = flight.Flight[int, string, string]
)

func newKey(t *testing.T) *key {
	t.Helper()
	k := flight.New[int, string, string]().Enter("book:1")
	t.Cleanup(k.Leave)
	return k
}

func never(string, uint64) bool  { return false }
func always(string, uint64) bool { return true }

func TestLead(t *testing.T) {
	t.Parallel()
	t.Run("the_first_leads_and_the_others_find_his_flight", func(t *testing.T) {
		t.Parallel()
		k := newKey(t)
		if k.Current() != nil {
			t.Error("Current() before Lead is a flight")
		}
		f, lead := k.Lead()
		if !lead {
			t.Fatal("the first does not lead")
		}
		if other, lead := k.Lead(); lead || other != f || k.Current() != f {
			t.Errorf("second Lead() = %p, %v; Current() = %p; want %p, false", other, lead, k.Current(), f)
		}
		f.End("v", false, false)
		if k.Current() != nil {
			t.Error("Current() after End is a flight")
		}
		next, lead := k.Lead()
		if !lead || next == f {
			t.Errorf("Lead() after End = %p, %v; want a new flight", next, lead)
		}
		next.End("", false, false)
	})
	t.Run("a_flight_is_found_by_those_who_come_when_all_others_have_left", func(t *testing.T) {
		t.Parallel()
		g := flight.New[int, string, string]()
		k := g.Enter("book:1")
		f, _ := k.Lead()
		k.Leave()
		again := g.Enter("book:1")
		if other, lead := again.Lead(); lead || other != f {
			t.Errorf("Lead() = %p, %v; want the flight under way: %p", other, lead, f)
		}
		again.Leave()
		f.End("v", false, false)
		if n := g.Keys(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
	})
}

func TestJoin(t *testing.T) {
	t.Parallel()
	// fly leads a flight that begins between the two moments.
	fly := func(g *group, k *key) (f *flying, before, after uint64) {
		before = g.Now()
		f, _ = k.Lead()
		f.Begin("tokens")
		return f, before, g.Now()
	}
	for _, c := range []struct {
		name   string
		early  bool
		closed bool
		same   func(string, uint64) bool
		want   flight.Standing
	}{
		{"who_arrived_before_it_began_is_early", true, false, never, flight.Early},
		{"who_arrived_before_it_began_is_early_though_it_closed", true, true, never, flight.Early},
		{"who_saw_what_it_began_with_joins", false, false, always, flight.Joined},
		{"who_saw_something_else_is_late", false, false, never, flight.Late},
		{"nobody_joins_what_is_closed", false, true, always, flight.Late},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := flight.New[int, string, string]()
			k := g.Enter("book:1")
			defer k.Leave()
			f, before, after := fly(g, k)
			defer f.End("", false, false)
			if c.closed {
				f.CloseToJoiners()
			}
			arrived := after
			if c.early {
				arrived = before
			}
			if got := f.Join(arrived, c.same); got != c.want {
				t.Errorf("Join() = %v, want %v", got, c.want)
			}
		})
	}
	t.Run("everybody_is_early_until_it_begins", func(t *testing.T) {
		t.Parallel()
		g := flight.New[int, string, string]()
		k := g.Enter("book:1")
		defer k.Leave()
		f, _ := k.Lead()
		defer f.End("", false, false)
		if got := f.Join(g.Now(), never); got != flight.Early {
			t.Errorf("Join() before Begin = %v, want Early", got)
		}
	})
	t.Run("who_judges_is_told_what_it_began_with_and_when", func(t *testing.T) {
		t.Parallel()
		g := flight.New[int, string, string]()
		k := g.Enter("book:1")
		defer k.Leave()
		f, before, after := fly(g, k)
		defer f.End("", false, false)
		asked := false
		f.Join(g.Now(), func(with string, began uint64) bool {
			asked = true
			if with != "tokens" || began <= before || began >= after {
				t.Errorf("judged %q begun at %d, want tokens, within %d and %d", with, began, before, after)
			}
			return true
		})
		if !asked {
			t.Error("nobody judged")
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		standing   flight.Standing
		own, again bool
		want       bool
	}{
		{"early_callers_take_the_value", flight.Early, false, false, true},
		{"early_callers_take_even_what_is_its_own_callers_alone", flight.Early, true, false, true},
		{"joiners_take_the_value", flight.Joined, false, false, true},
		{"joiners_do_not_take_what_is_its_own_callers_alone", flight.Joined, true, false, false},
		{"late_callers_ask_again", flight.Late, false, false, false},
		{"early_callers_ask_again_where_nothing_was_loaded", flight.Early, false, true, false},
		{"joiners_ask_again_where_nothing_was_loaded", flight.Joined, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, _ := newKey(t).Lead()
			f.End("value", c.own, c.again)
			value, ok, err := f.Wait(t.Context(), c.standing)
			if ok != c.want || err != nil || ok && value != "value" {
				t.Errorf("Wait() = %q, %v, %v; want ok %v", value, ok, err, c.want)
			}
		})
	}
	t.Run("the_first_End_counts", func(t *testing.T) {
		t.Parallel()
		g := flight.New[int, string, string]()
		k := g.Enter("book:1")
		f, _ := k.Lead()
		f.End("first", false, false)
		next, _ := k.Lead()
		f.End("second", true, true)
		if value, ok, _ := f.Wait(t.Context(), flight.Joined); value != "first" || !ok {
			t.Errorf("Wait() = %q, %v; want first, true", value, ok)
		}
		if k.Current() != next {
			t.Error("the second End took the next flight along")
		}
		next.End("", false, false)
		k.Leave()
		if n := g.Keys(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
	})
	t.Run("nobody_has_the_value_before_the_end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			f, _ := k.Lead()
			f.Begin("tokens")
			got := make(chan string, 10)
			for range cap(got) {
				go func() {
					value, _, _ := f.Wait(t.Context(), flight.Joined)
					got <- value
				}()
			}
			synctest.Wait()
			if len(got) != 0 {
				t.Error("Wait returned before End")
			}
			f.End("value", false, false)
			for range cap(got) {
				if value := <-got; value != "value" {
					t.Errorf("Wait() = %q", value)
				}
			}
		})
	})
	t.Run("a_caller_waits_no_longer_than_his_context", func(t *testing.T) {
		t.Parallel()
		f, _ := newKey(t).Lead()
		defer f.End("", false, false)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok, err := f.Wait(ctx, flight.Early); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("Wait() = %v, %v; want Canceled", ok, err)
		}
	})
}

func TestRest(t *testing.T) {
	t.Parallel()
	t.Run("a_herd_pauses_together", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			start, pauses := time.Now(), 0
			done := make(chan time.Duration, 1000)
			for i := range cap(done) {
				go func() {
					time.Sleep(time.Duration(i) * time.Millisecond) // they come over one second
					err := k.Rest(t.Context(), nil, func(n int) time.Duration {
						if n != 0 {
							t.Errorf("pause %d of the first wait", n)
						}
						pauses++ // under the key's lock
						return 2 * time.Second
					})
					if err != nil {
						t.Error(err)
					}
					done <- time.Since(start)
				}()
			}
			for range cap(done) {
				if over := <-done; over != 2*time.Second {
					t.Fatalf("the pause of one was over after %v, want all at 2s", over)
				}
			}
			if pauses != 1 {
				t.Errorf("%d pauses, want 1 for all", pauses)
			}
		})
	})
	t.Run("the_next_pause_is_counted_on", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			for want := range 4 {
				err := k.Rest(t.Context(), nil, func(n int) time.Duration {
					if n != want {
						t.Errorf("pause %d, want %d", n, want)
					}
					return time.Second
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	})
	t.Run("who_is_woken_goes_at_once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			woken := make(chan struct{})
			time.AfterFunc(time.Second, func() { close(woken) })
			start := time.Now()
			if err := k.Rest(t.Context(), woken, func(int) time.Duration { return time.Hour }); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("Rest took %v, want the second until the wake", took)
			}
		})
	})
	t.Run("a_caller_rests_no_longer_than_his_context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := k.Rest(ctx, nil, func(int) time.Duration { return time.Hour })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Rest() = %v, want DeadlineExceeded", err)
			}
		})
	})
}
