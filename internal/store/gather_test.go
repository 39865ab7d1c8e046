package store

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// wire is what a gather sends on: it notes each trip, and holds it back until the test lets it come back.
type wire struct {
	t     *testing.T
	g     *gather[int, int]
	trips chan []int
	back  chan error
}

const (
	wireLanes  = 2
	wireBudget = time.Second
)

// newWire returns a gather of numbers, whose answers are ten times what was asked.
func newWire(t *testing.T) *wire {
	rdb := redis.NewClient(&redis.Options{
		Addr:                  "127.0.0.1:1", // a name would be looked up outside of the bubble
		ContextTimeoutEnabled: true,
		Dialer:                func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody there") },
	})
	s := New(rdb, Options{Prefix: "T:", Hold: time.Second, Budget: wireBudget})
	w := &wire{t: t, trips: make(chan []int, 100), back: make(chan error)}
	w.g = &gather[int, int]{
		s: s, lanes: wireLanes, crowd: wireLanes, room: 3, size: func(int) int { return 1 },
		one: func(ctx context.Context, ask int) (int, error) { return 10 * ask, w.send(ctx, []int{ask}) },
		all: func(ctx context.Context, asks []int) ([]int, error) {
			answers := make([]int, len(asks))
			for i, ask := range asks {
				answers[i] = 10 * ask
			}
			return answers, w.send(ctx, asks)
		},
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
		_ = rdb.Close()
	})
	return w
}

func (w *wire) send(ctx context.Context, asks []int) error {
	w.trips <- asks
	select {
	case err := <-w.back:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reply is what a caller gets.
type reply struct {
	answer int
	err    error
}

// ask starts a caller, and returns when he waits.
func (w *wire) ask(ctx context.Context, n int) <-chan reply {
	got := make(chan reply, 1)
	go func() {
		answer, err := w.g.do(ctx, wireBudget, n)
		got <- reply{answer, err}
	}()
	synctest.Wait()
	return got
}

// busy has callers of 1 and 2 take both lanes.
func (w *wire) busy(ctx context.Context) {
	w.ask(ctx, 1)
	w.ask(ctx, 2)
}

// sent checks that exactly these trips have been sent since the last look.
func (w *wire) sent(want ...[]int) {
	w.t.Helper()
	synctest.Wait()
	var got [][]int
	for len(w.trips) > 0 {
		got = append(got, <-w.trips)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		w.t.Errorf("sent %v, want %v", got, want)
	}
}

// land lets trips come back, one after the other.
func (w *wire) land(errs ...error) {
	for _, err := range errs {
		w.back <- err
		synctest.Wait()
	}
}

func (w *wire) wants(got <-chan reply, answer int, err error) {
	w.t.Helper()
	synctest.Wait()
	select {
	case r := <-got:
		if r.answer != answer || !errors.Is(r.err, err) {
			w.t.Errorf("got %d, %v; want %d, %v", r.answer, r.err, answer, err)
		}
	default:
		w.t.Errorf("no answer, want %d, %v", answer, err)
	}
}

func TestGather(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, w *wire)
	}{
		{"callers_send_their_own_while_lanes_are_free", func(ctx context.Context, w *wire) {
			one, two := w.ask(ctx, 1), w.ask(ctx, 2)
			w.sent([]int{1}, []int{2})
			w.land(nil, nil)
			w.wants(one, 10, nil)
			w.wants(two, 20, nil)
		}},
		{"who_comes_when_the_lanes_are_taken_shares_the_next_trip", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			three, four := w.ask(ctx, 3), w.ask(ctx, 4)
			w.sent([]int{1}, []int{2})
			w.land(nil)
			w.sent([]int{3, 4})
			w.land(nil, nil)
			w.wants(three, 30, nil)
			w.wants(four, 40, nil)
		}},
		{"nobody_shares_a_trip_that_was_sent_before_he_came", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			w.ask(ctx, 3)
			w.land(nil)
			w.sent([]int{1}, []int{2}, []int{3})
			late := w.ask(ctx, 3)
			w.sent()
			w.land(nil)
			w.sent([]int{3})
			w.land(nil, nil)
			w.wants(late, 30, nil)
		}},
		{"a_full_batch_is_followed_by_another", func(ctx context.Context, w *wire) {
			for n := range 7 {
				w.ask(ctx, n)
			}
			w.land(nil)
			w.sent([]int{0}, []int{1}, []int{2, 3, 4})
			w.land(nil)
			w.sent([]int{5, 6})
			w.land(nil, nil)
		}},
		{"while_a_batch_is_on_the_wire_those_who_come_wait_for_its_lane", func(ctx context.Context, w *wire) {
			w.g.crowd = 1
			w.busy(ctx)
			w.ask(ctx, 3)
			w.land(nil)
			w.sent([]int{1}, []int{2}, []int{3})
			w.ask(ctx, 4)
			w.land(nil) // the lane of 2
			w.ask(ctx, 5)
			w.sent()
			w.land(nil) // that of 3
			w.sent([]int{4, 5})
			w.land(nil)
			w.ask(ctx, 6)
			w.ask(ctx, 7)
			w.sent([]int{6}, []int{7})
			w.land(nil, nil)
		}},
		{"a_batch_that_is_full_waits_for_no_other", func(ctx context.Context, w *wire) {
			w.g.crowd = 1
			w.busy(ctx)
			w.ask(ctx, 3)
			w.land(nil, nil)
			w.sent([]int{1}, []int{2}, []int{3})
			for _, n := range []int{4, 5, 6} {
				w.ask(ctx, n)
			}
			w.sent()
			last := w.ask(ctx, 7)
			w.sent([]int{4, 5, 6})
			w.land(nil, nil)
			w.sent([]int{7})
			w.land(nil)
			w.wants(last, 70, nil)
		}},
		{"who_gives_up_before_the_trip_asks_nothing_and_takes_nobody_along", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			short, cancel := context.WithCancel(ctx)
			first, second := w.ask(short, 3), w.ask(ctx, 4)
			cancel()
			w.wants(first, 0, context.Canceled)
			w.land(nil)
			w.sent([]int{1}, []int{2}, []int{4})
			w.land(nil, nil)
			w.wants(second, 40, nil)
		}},
		{"who_gives_up_during_the_trip_takes_nobody_along", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			short, cancel := context.WithCancel(ctx)
			first, second := w.ask(short, 3), w.ask(ctx, 4)
			w.land(nil)
			cancel()
			w.wants(first, 0, context.Canceled)
			w.land(nil, nil)
			w.wants(second, 40, nil)
		}},
		{"a_batch_that_everybody_has_left_is_not_sent_and_its_lane_is_free", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			short, cancel := context.WithCancel(ctx)
			gone := w.ask(short, 3)
			cancel()
			w.wants(gone, 0, context.Canceled)
			w.land(nil, nil)
			w.sent([]int{1}, []int{2})
			w.ask(ctx, 4)
			w.ask(ctx, 5)
			w.sent([]int{4}, []int{5})
			w.land(nil, nil)
		}},
		{"a_batch_that_fails_fails_all_in_it_and_counts_once", func(ctx context.Context, w *wire) {
			broken := errors.New("connection reset")
			w.busy(ctx)
			three, four := w.ask(ctx, 3), w.ask(ctx, 4)
			w.land(nil, nil)
			w.land(broken)
			w.wants(three, 0, broken)
			w.wants(four, 0, broken)
			if n := w.g.s.breaker.failures.Load(); n != 1 {
				w.t.Errorf("the breaker was told of %d failures, want 1", n)
			}
		}},
		{"who_waits_for_a_trip_waits_no_longer_than_his_budget", func(ctx context.Context, w *wire) {
			w.busy(ctx)
			began := time.Now()
			three := w.ask(ctx, 3)
			if r := <-three; !errors.Is(r.err, context.DeadlineExceeded) || time.Since(began) > wireBudget {
				w.t.Errorf("got %v after %v, want the end of a budget of %v", r.err, time.Since(began), wireBudget)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { c.run(t.Context(), newWire(t)) })
		})
	}
}
