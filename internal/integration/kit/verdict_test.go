package kit_test

import (
	"fmt"
	"runtime"
	"testing"
)

// verdict is a testing.TB that notes how a test would have ended.
type verdict struct {
	testing.TB
	failed, skipped bool
	text            string
}

// record runs f as a test's body that may fail or skip.
func record(t *testing.T, f func(*verdict)) *verdict {
	t.Helper()
	v := &verdict{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(v)
	}()
	<-done
	return v
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.failed, v.text = true, fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Skipf(format string, args ...any) {
	v.skipped, v.text = true, fmt.Sprintf(format, args...)
	runtime.Goexit()
}
