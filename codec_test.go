package cacheme_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// hidden is what json would lose.
type hidden struct {
	Title   string `json:"-"`
	At      time.Time
	Big     int64
	Nothing []string
	Empty   []string
	Price   *float64
	ByID    map[int64]string
}

type codecNode struct {
	cacheme.Node[hidden]
	ID int64 `cacheme:"field"`
}

func (codecNode) Meta() cacheme.Meta { return cacheme.Meta{Key: "codec:<id>"} }

func TestValueComesBackAsItWas(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, codecNode{})
	price := 9.99
	want := hidden{
		Title: "Emma", At: time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.FixedZone("CET", 3600)), Big: 1<<62 + 1,
		Empty: []string{}, Price: &price, ByID: map[int64]string{-1: "a", 7: "b"},
	}
	load := func(context.Context, codecNode) (hidden, error) { return want, nil }
	for range 2 {
		got, err := cacheme.GetFrom(context.Background(), cache.Cache, codecNode{ID: 1}, load)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("GetFrom (-want +got):\n%s", diff)
		}
		if _, offset := got.At.Zone(); offset != 3600 {
			t.Errorf("the zone's offset comes back as %d, want 3600", offset)
		}
	}
	if n := cache.LoadsOf(codecNode{ID: 1}); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

// jsonCodec is a codec of the user's; it fails on demand.
type jsonCodec struct{ marshal, unmarshal error }

func (jsonCodec) Name() string { return "json" }

func (c jsonCodec) Marshal(v any) ([]byte, error) {
	if c.marshal != nil {
		return nil, c.marshal
	}
	return json.Marshal(v)
}

func (c jsonCodec) Unmarshal(b []byte, v any) error {
	if c.unmarshal != nil {
		return c.unmarshal
	}
	return json.Unmarshal(b, v)
}

type (
	jsonNode struct {
		cacheme.Node[any]       // which the default codec would refuse
		ID                int64 `cacheme:"field"`
	}
	brokenWriter struct{ cacheme.Node[string] }
	brokenReader struct{ cacheme.Node[string] }
)

var errCodec = errors.New("the codec is broken")

func (jsonNode) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "json:<id>", Codec: jsonCodec{}}
}

func (brokenWriter) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "broken:writer", Codec: jsonCodec{marshal: errCodec}}
}

func (brokenReader) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "broken:reader", Codec: jsonCodec{unmarshal: errCodec}}
}

func TestNodeHasACodecOfItsOwn(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, jsonNode{}, codecNode{})
	load := func(context.Context, jsonNode) (any, error) { return map[string]any{"title": "Emma"}, nil }
	for range 2 {
		got, err := cacheme.GetFrom(context.Background(), cache.Cache, jsonNode{ID: 1}, load)
		if diff := cmp.Diff(map[string]any{"title": "Emma"}, got); diff != "" || err != nil {
			t.Errorf("GetFrom = %v, %s", err, diff)
		}
	}
	if n := cache.LoadsOf(jsonNode{ID: 1}); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

func TestBrokenCodecCostsLoadsAndNothingElse(t *testing.T) {
	t.Parallel()
	var refused, garbage int
	cache := cachetest.NewWith(t, cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) {
		switch {
		case e.Kind == cacheme.EventNotStored && e.Reason == "the codec refuses it: "+errCodec.Error():
			refused++
		case e.Kind == cacheme.EventGarbage && errors.Is(e.Err, errCodec):
			garbage++
		}
	}}, brokenWriter{}, brokenReader{})
	ctx := context.Background()
	for range 3 {
		if v, err := cacheme.GetFrom(ctx, cache.Cache, brokenWriter{}, func(context.Context, brokenWriter) (string, error) { return "w", nil }); v != "w" || err != nil {
			t.Errorf("GetFrom = %q, %v", v, err)
		}
		if v, err := cacheme.GetFrom(ctx, cache.Cache, brokenReader{}, func(context.Context, brokenReader) (string, error) { return "r", nil }); v != "r" || err != nil {
			t.Errorf("GetFrom = %q, %v", v, err)
		}
	}
	if refused != 3 || garbage != 2 {
		t.Errorf("%d values were refused and %d not read, want 3 and 2", refused, garbage)
	}
}
