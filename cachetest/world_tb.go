package cachetest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

var _ testing.TB = (*World)(nil)

// Context ends with the schedule.
func (w *World) Context() context.Context { return w.ctx }

// Cleanup calls f when the schedule is over, the last first.
func (w *World) Cleanup(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cleanups = append(w.cleanups, f)
}

func (w *World) cleanUp() {
	for {
		w.mu.Lock()
		n := len(w.cleanups)
		if n == 0 {
			w.mu.Unlock()
			return
		}
		f := w.cleanups[n-1]
		w.cleanups = w.cleanups[:n-1]
		w.mu.Unlock()
		w.alone("cleanup", f)
	}
}

// Error fails the schedule.
func (w *World) Error(args ...any) { w.failf("%s", strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Errorf fails the schedule.
func (w *World) Errorf(format string, args ...any) { w.failf(format, args...) }

// Fail fails the schedule.
func (w *World) Fail() { w.failf("fails") }

// FailNow fails the schedule, and ends the actor who calls it.
func (w *World) FailNow() {
	if !w.Failed() { // else it was said by what
		w.Fail()
	}
	runtime.Goexit()
}

// Fatal is Error, and ends the actor who calls it.
func (w *World) Fatal(args ...any) {
	w.Error(args...)
	runtime.Goexit()
}

// Fatalf is Errorf, and ends the actor who calls it.
func (w *World) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	runtime.Goexit()
}

// Failed reports whether the schedule has failed.
func (w *World) Failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failures != nil
}
