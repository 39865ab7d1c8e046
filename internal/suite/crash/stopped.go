package crash

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Sleep stops a process by SIGSTOP between hold and COMMIT until its hold has lapsed and others have loaded and stored
// what was there before. When it goes on, the database has to have given its transaction up: the fence in the database
// is the server's, not the sleeper's. Where there is no such limit (SQLite) it commits, and what it has made wrong is wrong
// once it has returned.
func Sleep(t *testing.T, open func(t testing.TB) Place) {
	s := survive(t, open(t))
	for _, alone := range []bool{false, true} {
		if err := s.sleep(t.Context(), Deed{Point: Stopped, First: s.next, Alone: alone}); err != nil {
			t.Errorf("alone: %v: %v", alone, err)
		}
		s.next += RowsOfDeed
	}
}

func (s *survivor) sleep(ctx context.Context, d Deed) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	if err := s.plant(ctx, d); err != nil {
		return err
	}
	v, err := start(s.t, s.Test, s.order(d))
	if err != nil {
		return err
	}
	defer func() { _ = v.kill() }() // it may have ended
	if err := v.stands(1); err != nil {
		return err
	}
	if err := v.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if is, err := s.held(ctx, d); err != nil || !is {
		return fmt.Errorf("the process stands at its COMMIT, and its rows are held: %v, %w", is, err)
	}
	if err := s.watch(ctx, []Deed{d}); err != nil {
		return err
	}
	if err := s.cachedAgain(ctx, d); err != nil {
		return fmt.Errorf("while the process sleeps: %w", err)
	}
	line, err := v.goOn()
	if err != nil {
		return err
	}
	want := int64(planted)
	if s.Dialect == writes.SQLite {
		want = written
	}
	if !strings.HasPrefix(line, End+" ") || (line == End+" <nil>") != (want == written) {
		return fmt.Errorf("the process that slept past its hold says %q; want an error of its COMMIT, or none on SQLite", line)
	}
	for _, id := range rows(d) {
		if got, err := versionOf(ctx, s.admin, id); err != nil || got != want {
			return fmt.Errorf("row %d has version %d, %w, want %d: the database let the sleeper commit, or did not", id, got, err, want)
		}
	}
	return s.watch(ctx, []Deed{d})
}

// SleepLoading stops a process by SIGSTOP in a load, beyond its lease. Meanwhile what it has read is written, and loaded and
// stored by others. When it goes on its fill is refused: nobody reads what it has.
func SleepLoading(t *testing.T, open func(t testing.TB) Place) {
	s := survive(t, open(t))
	if err := s.sleepLoading(t.Context(), Deed{Point: StoppedLoading, First: s.next}); err != nil {
		t.Error(err)
	}
}

func (s *survivor) sleepLoading(ctx context.Context, d Deed) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	if err := s.plant(ctx, d); err != nil {
		return err
	}
	v, err := start(s.t, s.Test, s.order(d))
	if err != nil {
		return err
	}
	defer func() { _ = v.kill() }() // it may have ended
	if err := v.stands(1); err != nil {
		return err
	}
	if err := v.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := s.beside(ctx, []Deed{d}); err != nil {
		return err
	}
	if err := s.cachedAgain(ctx, d); err != nil {
		return fmt.Errorf("while the process sleeps: %w", err)
	}
	if line, err := v.goOn(); err != nil || line != End+" <nil>" {
		return fmt.Errorf("the process that slept past its lease says %q, %w, want no error", line, err)
	}
	for _, id := range rows(d) {
		// What the others stored lives for one hold, after the writes beside them: it may have ended by now.
		if got, tier, err := s.get(ctx, id); err != nil || got != written {
			return fmt.Errorf("row %d reads version %d (%s), %w; want %d: the sleeper's fill is refused", id, got, tier, err, written)
		}
	}
	return nil
}

// cachedAgain holds that the rows of a deed can be read, and come from Redis at last.
func (s *survivor) cachedAgain(ctx context.Context, d Deed) error {
	for _, id := range rows(d) {
		for deadline := time.Now().Add(patience); ; {
			tier, err := s.fresh(ctx, id)
			if err != nil {
				return err
			}
			if tier == cacheme.TierRedis {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("row %d is not cached again", id)
			}
			time.Sleep(s.Hold / 50)
		}
	}
	return nil
}
