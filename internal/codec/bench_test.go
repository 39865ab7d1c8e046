package codec_test

import (
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/cacheme/cacheme/internal/codec"
)

type marshaler interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(b []byte, v any) error
}

type plain struct {
	cbor.EncMode
	cbor.DecMode
}

func plainCBOR(tb testing.TB) marshaler {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		tb.Fatal(err)
	}
	dec, err := cbor.DecOptions{}.DecMode()
	if err != nil {
		tb.Fatal(err)
	}
	return plain{enc, dec}
}

// benchBook has json tags, but none that would make the plain library lose anything: both do the same work.
type benchBook struct {
	ID        int64     `json:"id"`
	Title     string    `json:"title"`
	Price     float64   `json:"price"`
	AuthorID  int64     `json:"author_id"`
	Tags      []string  `json:"tags"`
	Cover     []byte    `json:"cover"`
	InStock   bool      `json:"in_stock"`
	CreatedAt time.Time `json:"created_at"`
	Pages     *int      `json:"pages"`
}

func BenchmarkCBOR(b *testing.B) {
	book := benchBook{
		ID: 123456, Title: "A book of some length", Price: 12.34, AuthorID: 77, Tags: []string{"one", "two"},
		Cover: make([]byte, 40), InStock: true, CreatedAt: time.Unix(1_790_000_000, 123456000).UTC(), Pages: new(321),
	}
	books := make([]benchBook, 20)
	for i := range books {
		books[i] = book
	}
	for _, bb := range []struct {
		name string
		m    marshaler
	}{{"ours", codec.NewCBOR()}, {"plain", plainCBOR(b)}} {
		bench(b, bb.m, "one/"+bb.name, book)
		bench(b, bb.m, "twenty/"+bb.name, books)
	}
}

func bench[T any](b *testing.B, m marshaler, name string, v T) {
	enc, err := m.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("marshal/"+name, func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(enc)), "size")
		for b.Loop() {
			if _, err := m.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal/"+name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var into T
			if err := m.Unmarshal(enc, &into); err != nil {
				b.Fatal(err)
			}
		}
	})
}
