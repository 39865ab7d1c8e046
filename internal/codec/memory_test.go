package codec_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/cacheme/cacheme/internal/codec"
)

// What is written can be read, and what may not be read is not written: both count memory alike.
func TestMemoryIsBoundedAlikeInBothDirections(t *testing.T) {
	t.Parallel()
	type wide struct{ A, B, C, D, E, F, G, H *int }
	c := codec.NewCBOR()
	for _, test := range []struct {
		name  string
		value any
		ok    bool
	}{
		{"many wide rows, just below the bound", make([]wide, 90_000), true},
		{"many wide rows, above it", make([]wide, 110_000), false},
		{"many nothings", make([]struct{}, 7_000_000), true}, // their own bytes allow four times as many
		{"a large text, which has bytes of its own", string(make([]byte, 7<<20)), true},
		{"pointers to pointers", nested(100_000), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, err := c.Marshal(test.value)
			if (err == nil) != test.ok {
				t.Fatalf("Marshal() = %v, want success: %v", err, test.ok)
			}
			if err != nil {
				return
			}
			back := reflect.New(reflect.TypeOf(test.value))
			if err := c.Unmarshal(b, back.Interface()); err != nil {
				t.Fatalf("Unmarshal() = %v for what Marshal wrote", err)
			}
			if again, err := c.Marshal(back.Elem().Interface()); err != nil || !bytes.Equal(again, b) {
				t.Errorf("came back as another value (%v)", err)
			}
		})
	}
}

func nested(n int) []*[]*int {
	one, all := 1, make([]*[]*int, n)
	for i := range all {
		all[i] = &[]*int{&one}
	}
	return all
}

// A mebibyte of Redis's bytes can claim a million rows of any width.
func TestABombOfRowsIsRefusedBeforeItIsUnpacked(t *testing.T) {
	t.Parallel()
	type row struct{ Fields [64]int64 }
	c := codec.NewCBOR()
	one, err := c.Marshal([]*row{nil})
	if err != nil {
		t.Fatal(err)
	}
	bomb := append([]byte{0x9a, 0x00, 0x10, 0x00, 0x00}, bytes.Repeat(one[1:], 1<<20)...)
	if err := c.Unmarshal(bomb, new([]*row)); err == nil {
		t.Error("a million pointers of 8 bytes from a mebibyte were taken")
	}
}
