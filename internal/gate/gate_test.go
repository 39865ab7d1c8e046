package gate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cacheme/cacheme/internal/gate"
)

func TestGate(t *testing.T) {
	t.Parallel()
	t.Run("an_open_gate_lets_in", func(t *testing.T) {
		t.Parallel()
		var g gate.Gate
		for range 3 {
			if !g.Enter() {
				t.Fatal("Enter() = false before any Close")
			}
			g.Leave()
		}
	})
	t.Run("a_closed_gate_lets_nobody_in", func(t *testing.T) {
		t.Parallel()
		var g gate.Gate
		if err := g.Close(t.Context()); err != nil {
			t.Fatalf("Close() of an idle gate = %v", err)
		}
		if g.Enter() {
			t.Error("Enter() = true after Close")
		}
		if err := g.Close(t.Context()); err != nil {
			t.Errorf("second Close() = %v", err)
		}
	})
	t.Run("every_Close_waits_for_those_inside", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var g gate.Gate
			g.Enter()
			g.Enter()
			closed := make(chan error, 2)
			for range 2 {
				go func() { closed <- g.Close(context.Background()) }()
			}
			synctest.Wait()
			g.Leave()
			synctest.Wait()
			if len(closed) != 0 {
				t.Error("Close returned while one is inside")
			}
			if g.Enter() {
				t.Error("Enter() = true while Close waits")
			}
			g.Leave()
			for range 2 {
				if err := <-closed; err != nil {
					t.Errorf("Close() = %v", err)
				}
			}
		})
	})
	t.Run("Close_waits_no_longer_than_its_context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var g gate.Gate
			g.Enter()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close() = %v, want DeadlineExceeded", err)
			}
			if g.Enter() {
				t.Error("Enter() = true after a Close that gave up")
			}
			g.Leave()
			if err := g.Close(context.Background()); err != nil {
				t.Errorf("Close() after the last one left = %v", err)
			}
		})
	})
	t.Run("a_crowd_that_comes_and_goes_is_counted_right", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var g gate.Gate
			for range 100 {
				go func() {
					for g.Enter() {
						time.Sleep(time.Millisecond)
						g.Leave()
					}
				}()
			}
			time.Sleep(10 * time.Millisecond)
			if err := g.Close(context.Background()); err != nil {
				t.Errorf("Close() = %v", err)
			}
			synctest.Wait() // all have seen that it is closed, or the bubble would not end
		})
	})
}
