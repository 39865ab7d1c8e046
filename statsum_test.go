package cacheme_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// filled has n in every number and true in every flag.
func filled(n int64) (s cacheme.Stats) {
	for _, f := range reflect.ValueOf(&s).Elem().Fields() {
		switch {
		case f.CanUint():
			f.SetUint(uint64(n))
		case f.CanInt():
			f.SetInt(n)
		default:
			f.SetBool(true)
		}
	}
	return s
}

// A field that is added to Stats is not forgotten here.
func TestStatsAddUp(t *testing.T) {
	t.Parallel()
	if got := filled(2).Plus(filled(3)); got != filled(5) {
		t.Errorf("Plus() = %+v, want 5 of each", got)
	}
	if got := (cacheme.Stats{}).Plus(filled(3)); got != filled(3) {
		t.Errorf("Plus() of nothing = %+v, want 3 of each", got)
	}
	now := filled(7)
	want := filled(5)
	want.Pending, want.NearValues, want.NearBytes = 7, 7, 7 // they are so now
	if got := now.Since(filled(2)); got != want {
		t.Errorf("Since() = %+v, want %+v", got, want)
	}
	if got := now.Since(filled(8)); got != now {
		t.Errorf("Since() of a process that was started again = %+v, want all of it", got)
	}
	if s := (cacheme.Stats{Hits: 1, NearHits: 1, StaleHits: 2, Misses: 4, Bypassed: 8, Errors: 16, Loads: 32, LoadTime: time.Second}); s.Gets() != 31 || s.Served() != 3 {
		t.Errorf("%d Gets, %d served, want 31 and 3", s.Gets(), s.Served())
	}
}
