package flight_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme/internal/flight"
)

type tenant struct{}

// hanging is a trip that is on the wire until it is let go.
type hanging struct {
	sent  chan struct{}
	reply chan int
}

func newHanging() hanging { return hanging{make(chan struct{}), make(chan int, 1)} }

func (h hanging) send(context.Context) (int, error) {
	close(h.sent)
	return <-h.reply, nil
}

func TestAsk(t *testing.T) {
	t.Parallel()
	t.Run("who_is_alone_asks_himself_under_his_own_context", func(t *testing.T) {
		t.Parallel()
		k := newKey(t)
		type own struct{ context.Context }
		ctx := own{t.Context()}
		got, err := k.Ask(ctx, func(c context.Context) (int, error) {
			if c != context.Context(ctx) {
				t.Errorf("sent under %v", c)
			}
			return 7, nil
		})
		if got != 7 || err != nil {
			t.Errorf("Ask() = %d, %v", got, err)
		}
	})
	t.Run("those_who_come_while_one_is_on_the_wire_share_the_next", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			first := newHanging()
			replies := make(chan int, 101)
			go func() {
				got, _ := k.Ask(t.Context(), first.send)
				replies <- -got
			}()
			<-first.sent
			var trips atomic.Int64
			for range 100 {
				go func() {
					got, err := k.Ask(t.Context(), func(context.Context) (int, error) { return int(trips.Add(1)), nil })
					if err != nil {
						t.Error(err)
					}
					replies <- got
				}()
			}
			synctest.Wait()
			if trips.Load() != 0 || len(replies) != 0 {
				t.Errorf("%d trips, %d replies while the first is on the wire", trips.Load(), len(replies))
			}
			first.reply <- 42
			var own, shared int
			for range 101 {
				if <-replies == -42 {
					own++
				} else {
					shared++
				}
			}
			if own != 1 || shared != 100 || trips.Load() != 1 {
				t.Errorf("%d took the first trip, %d shared %d more; want 1, 100, 1", own, shared, trips.Load())
			}
		})
	})
	t.Run("nobody_shares_a_trip_that_was_sent_before_he_came", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := flight.New[int, string, string]()
			k := g.Enter("book:1")
			first, second, third := newHanging(), newHanging(), newHanging()
			var asking sync.WaitGroup
			ask := func(h hanging, want int) {
				asking.Go(func() {
					if reply, err := k.Ask(t.Context(), h.send); reply != want || err != nil {
						t.Errorf("Ask() = %d, %v; want %d, from the trip sent after the call", reply, err, want)
					}
				})
			}
			ask(first, 1)
			<-first.sent
			ask(second, 2)
			synctest.Wait()
			first.reply <- 1
			<-second.sent
			ask(third, 3) // while a shared trip is on the wire
			synctest.Wait()
			second.reply <- 2
			<-third.sent
			third.reply <- 3
			asking.Wait()
		})
	})
	t.Run("without_the_rule_a_trip_on_the_wire_is_shared", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := flight.New[int, string, string]()
			g.ShareEarlierTrips = true
			k := g.Enter("book:1")
			first, second := newHanging(), newHanging()
			go func() { _, _ = k.Ask(t.Context(), first.send) }()
			<-first.sent
			go func() { _, _ = k.Ask(t.Context(), second.send) }()
			synctest.Wait()
			first.reply <- 1
			<-second.sent
			late := make(chan int, 1)
			go func() {
				reply, _ := k.Ask(t.Context(), func(context.Context) (int, error) { return 3, nil })
				late <- reply
			}()
			synctest.Wait()
			second.reply <- 2
			if got := <-late; got != 2 {
				t.Errorf("the late caller has %d, want 2 from the trip before him", got)
			}
		})
	})
	t.Run("a_cancelled_caller_hurts_nobody_else", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			first := newHanging()
			go func() { _, _ = k.Ask(t.Context(), first.send) }()
			<-first.sent

			ctx, cancel := context.WithCancel(context.WithValue(t.Context(), tenant{}, "seven"))
			cancelled, other := make(chan error, 1), make(chan error, 1)
			send := func(c context.Context) (int, error) {
				if c.Value(tenant{}) != "seven" {
					t.Errorf("tenant %v, want that of the first who waited", c.Value(tenant{}))
				}
				return 2, c.Err()
			}
			go func() {
				_, err := k.Ask(ctx, send)
				cancelled <- err
			}()
			synctest.Wait()
			go func() {
				_, err := k.Ask(t.Context(), send)
				other <- err
			}()
			synctest.Wait()
			cancel()
			if err := <-cancelled; !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled caller has %v", err)
			}
			first.reply <- 1
			if err := <-other; err != nil {
				t.Errorf("the other caller has %v", err)
			}
		})
	})
	t.Run("an_error_reaches_all_who_share", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			first, broken := newHanging(), errors.New("broken")
			go func() { _, _ = k.Ask(t.Context(), first.send) }()
			<-first.sent
			errs := make(chan error, 10)
			for range cap(errs) {
				go func() {
					_, err := k.Ask(t.Context(), func(context.Context) (int, error) { return 0, broken })
					errs <- err
				}()
			}
			synctest.Wait()
			first.reply <- 1
			for range cap(errs) {
				if err := <-errs; !errors.Is(err, broken) {
					t.Errorf("Ask() = %v, want the trip's error", err)
				}
			}
			if got, err := k.Ask(t.Context(), func(context.Context) (int, error) { return 5, nil }); got != 5 || err != nil {
				t.Errorf("Ask() after an error = %d, %v", got, err)
			}
		})
	})
	t.Run("a_thousand_callers_cost_few_trips", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := flight.New[int, string, string]()
			var trips atomic.Int64
			var callers sync.WaitGroup
			for range 1000 {
				callers.Go(func() {
					k := g.Enter("book:1")
					defer k.Leave()
					_, _ = k.Ask(t.Context(), func(context.Context) (int, error) {
						trips.Add(1)
						time.Sleep(time.Millisecond)
						return 1, nil
					})
				})
			}
			callers.Wait()
			if n := trips.Load(); n > 3 {
				t.Errorf("1000 callers at once cost %d trips, want at most 3", n)
			}
		})
	})
	t.Run("trips_of_one_key_are_sent_one_after_the_other", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := flight.New[int, string, string]().Enter("book:1")
			var onWire atomic.Int64
			var callers sync.WaitGroup
			for i := range 100 {
				callers.Go(func() {
					time.Sleep(time.Duration(i) * 300 * time.Microsecond)
					_, _ = k.Ask(t.Context(), func(context.Context) (int, error) {
						if n := onWire.Add(1); n != 1 {
							t.Errorf("%d trips are on the wire", n)
						}
						time.Sleep(time.Millisecond)
						onWire.Add(-1)
						return 1, nil
					})
				})
			}
			callers.Wait()
		})
	})
}

// What a caller is given was fetched after he came, whatever he shares: trips and loads tell the moment at which they
// were sent.
func TestEverybodyIsServedFromAfterHisArrival(t *testing.T) {
	t.Parallel()
	type moments = flight.Group[uint64, uint64, uint64]
	g := flight.New[uint64, uint64, uint64]()
	var loads, got atomic.Int64
	visit := func(g *moments, name string, i int) error {
		arrived := g.Now()
		k := g.Enter(name)
		defer k.Leave()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if i%7 == 0 {
			cancel()
		}
		for try := 0; ; try++ {
			seen, err := k.Ask(ctx, func(context.Context) (uint64, error) { return g.Now(), nil })
			if ctx.Err() != nil {
				return nil
			}
			if err != nil || seen < arrived {
				return fmt.Errorf("a trip sent at %d for a caller of %d: %w", seen, arrived, err)
			}
			f, lead := k.Lead()
			standing := flight.Early
			if lead {
				go func() {
					f.Begin(0)
					loads.Add(1)
					// Now and then nothing is loaded, or it is for few.
					f.End(g.Now(), i%5 == 0, try == 0 && i%11 == 0)
				}()
			} else {
				standing = f.Join(arrived, func(uint64, uint64) bool { return false })
			}
			value, ok, err := f.Wait(ctx, standing)
			switch {
			case err != nil:
				return nil
			case ok && value < arrived:
				return fmt.Errorf("a load of %d for a caller of %d", value, arrived)
			case ok:
				got.Add(1)
				return nil
			}
		}
	}
	var callers sync.WaitGroup
	for c := range 64 {
		callers.Go(func() {
			for i := range 200 {
				if err := visit(g, fmt.Sprintf("book:%d", i%3), c+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if got.Load() == 0 || loads.Load() == 0 {
		t.Errorf("%d callers were served by %d loads", got.Load(), loads.Load())
	}
	// Whoever was cancelled may have left a load behind, which ends by itself.
	for end := time.Now().Add(10 * time.Second); g.Keys() != 0; {
		if time.Now().After(end) {
			t.Fatalf("%d keys are left after everybody has gone", g.Keys())
		}
		<-time.After(time.Millisecond)
	}
}
