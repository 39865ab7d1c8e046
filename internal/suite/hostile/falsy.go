package hostile

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Of is a node that caches any type; what differs is the value.
type Of[V any] struct {
	cacheme.Node[V]
	Name string `cacheme:"field"`
}

// Meta is the declaration.
func (Of[V]) Meta() cacheme.Meta { return cacheme.Meta{Key: "of:<name>", TTL: 10 * time.Minute} }

type box struct {
	N     int
	Inner *box
	Words []string
}

// falsy caches what a careless cache takes for nothing.
func falsy(t *testing.T, open suite.Open) {
	server := open(t)
	cached(t, server, "the number 0", 0)
	cached(t, server, "the number 0.0", 0.0)
	cached(t, server, "false", false)
	cached(t, server, "an empty text", "")
	cached[*box](t, server, "a nil pointer", nil)
	cached(t, server, "a pointer to a zero struct", &box{})
	cached(t, server, "a zero struct", box{})
	cached[[]string](t, server, "a nil slice", nil)
	cached(t, server, "an empty slice", []string{})
	cached(t, server, "a slice of an empty text", []string{""})
	cached(t, server, "empty bytes", []byte{})
	cached[[]byte](t, server, "nil bytes", nil)
	cached[map[string]int](t, server, "a nil map", nil)
	cached(t, server, "an empty map", map[string]int{})
	cached(t, server, "the zero time", time.Time{})
	cached(t, server, "a struct with an empty and a nil inside", box{Words: []string{}})
}

// cached wants one load, and the same value from the cache from then on: nil as nil, empty as empty.
func cached[V any](t *testing.T, server suite.Server, name string, v V) {
	t.Run("like "+name+" is a value", func(t *testing.T) {
		t.Parallel()
		c := suite.NewCache(t, server.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: suite.Prefix()}), Of[V]{})
		loads := 0
		b, err := cacheme.Bind(c, func(context.Context, Of[V]) (V, error) {
			loads++
			return v, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			r, err := b.GetResult(t.Context(), Of[V]{Name: "x"})
			if err != nil || !cmp.Equal(r.Value, v) {
				t.Errorf("GetResult() number %d = %#v, %v, want %#v", i+1, r.Value, err, v)
			}
		}
		if loads != 1 {
			t.Errorf("%d loads, want 1", loads)
		}
	})
}
