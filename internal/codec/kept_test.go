package codec_test

import (
	"slices"
	"testing"

	"github.com/cacheme/cacheme/internal/codec"
)

// keeper keeps the bytes that it is given, which UnmarshalBinary must not.
type keeper struct{ b []byte }

func (k keeper) MarshalBinary() ([]byte, error) { return k.b, nil }

func (k *keeper) UnmarshalBinary(b []byte) error {
	k.b = b
	return nil
}

func TestUnmarshal_keeps_nothing_of_the_bytes_even_where_a_method_does(t *testing.T) {
	t.Parallel()
	c := codec.NewCBOR()
	b, err := c.Marshal(keeper{[]byte("kept")})
	if err != nil {
		t.Fatal(err)
	}
	var got keeper
	if err := c.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	copy(b, slices.Repeat([]byte{0xff}, len(b)))
	if string(got.b) != "kept" {
		t.Errorf("the value is %q after its bytes were used again, want %q", got.b, "kept")
	}
}
