package codec_test

import (
	"bytes"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/codec"
)

func TestUnmarshal_refuses_what_Marshal_did_not_write(t *testing.T) {
	t.Parallel()
	deep := append(bytes.Repeat([]byte{0x81}, 5000), 0x80)
	for _, tt := range []struct {
		name string
		in   string
		into any
	}{
		{"nothing", "", new(int)},
		{"trailing bytes", "\x01\x01", new(int)},
		{"a number cut short", "\x19\x01", new(int)},
		{"a number beyond the type", "\x19\x01\x00", new(uint8)},
		{"a number beyond int64", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", new(int64)},
		{"a negative beyond int64", "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", new(int64)},
		{"a negative for an unsigned", "\x20", new(uint)},
		{"a text for a number", "\x61a", new(int)},
		{"a number for a text", "\x01", new(string)},
		{"a number for a bool", "\x01", new(bool)},
		{"a null for a number", "\xf6", new(int)},
		{"a half float", "\xf9\x3c\x00", new(float64)},
		{"a float32 for a float64", "\xfa\x00\x00\x00\x00", new(float64)},
		{"a float64 for a float32", "\xfb\x00\x00\x00\x00\x00\x00\x00\x00", new(float32)},
		{"bytes of indefinite length", "\x5f\x41a\xff", new([]byte)},
		{"a list of indefinite length", "\x9f\x01\xff", new([]int)},
		{"a tag", "\xc1\x01", new(int)},
		{"a text of 2^62 bytes", "\x7b\x40\x00\x00\x00\x00\x00\x00\x00", new(string)},
		{"a list of 2^62 items", "\x9b\x40\x00\x00\x00\x00\x00\x00\x00", new([]int)},
		{"a map of 2^62 pairs", "\xbb\x40\x00\x00\x00\x00\x00\x00\x00", new(map[int]int)},
		{"a list of large items that are not there", "\x99\x10\x00" + strings.Repeat("\x00", 4096), new([][4096]byte)},
		{"a key twice", "\xa2\x01\x01\x01\x02", new(map[int]int)},
		{"a short byte array", "\x41a", new([2]byte)},
		{"a long byte array", "\x43abc", new([2]byte)},
		{"a short array", "\x81\x01", new([2]int)},
		{"a long array", "\x83\x01\x01\x01", new([2]int)},
		{"a struct with a field less", "\x80", new(Page)},
		{"a struct with a field more", "\x82\x01\x01", new(Page)},
		{"a struct as a map", "\xa1\x66Number\x01", new(Page)},
		{"a pointer in a box of two", "\x82\x80\x80", new(*[]int)},
		{"a time of one item", "\x81\x01", new(time.Time)},
		{"a time with too many nanoseconds", "\x83\x00\x1a\x3b\x9a\xca\x00\xf6", new(time.Time)},
		{"a time with an endless offset", "\x83\x00\x00\x1b\x00\x00\x00\x01\x00\x00\x00\x00", new(time.Time)},
		{"5000 levels", string(deep), new(Nest)},
		{"bytes that make a method panic", "\x41x", new(secret)},
		{"bytes that a method refuses", "\x41x", new(big.Rat)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := codec.NewCBOR().Unmarshal([]byte(tt.in), tt.into); err == nil {
				t.Errorf("Unmarshal(%x) = %v, want an error", tt.in, reflect.ValueOf(tt.into).Elem())
			}
		})
	}
}

func TestUnmarshal_wants_a_pointer_to_write_to(t *testing.T) {
	t.Parallel()
	for _, into := range []any{nil, 1, (*int)(nil), new(any), new(chan int)} {
		if err := codec.NewCBOR().Unmarshal([]byte{1}, into); err == nil {
			t.Errorf("Unmarshal into %T gave no error", into)
		}
	}
}

func TestUnmarshal_refuses_every_truncation(t *testing.T) {
	t.Parallel()
	c := codec.NewCBOR()
	b, err := c.Marshal(someBook())
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if c.Unmarshal(b[:n], new(Book)) == nil {
			t.Errorf("the first %d of %d bytes were read as a whole", n, len(b))
		}
	}
}

// FuzzUnmarshal tries bytes on several types. A type's memory is bounded by a factor of the input, so inputs are kept
// to a size for which the bound is the 8 MiB that a value may have.
func FuzzUnmarshal(f *testing.F) {
	c := codec.NewCBOR()
	for _, v := range []any{someBook(), Everything{}, Foreign{}, Tree{"a": {}}, Nest{{}, nil}, map[string][]int{"a": {1}}} {
		b, err := c.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("\x9b\x40\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(append([]byte{0x99, 0x7f, 0x00}, make([]byte, 0x7f00)...)) // 16 MiB, were each item taken for 512 bytes
	f.Add(append(bytes.Repeat([]byte{0x81}, 1500), 0x80))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 32<<10 {
			t.Skip()
		}
		for _, into := range []any{
			new(Book), new([]Book), new(Everything), new(Foreign), new(Tree), new(Nest), new(List),
			new(map[string][]int), new([]map[int8]Book), new([][512]byte),
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.Unmarshal(b, into)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
				t.Fatalf("Unmarshal of %d bytes into %T took %d bytes", len(b), into, got)
			}
			if err != nil {
				continue
			}
			again, err := c.Marshal(reflect.ValueOf(into).Elem().Interface())
			if err != nil {
				t.Fatalf("what was read into %T cannot be written: %v", into, err)
			}
			if err := c.Unmarshal(again, into); err != nil {
				t.Fatalf("what was read into %T and written cannot be read: %v", into, err)
			}
		}
	})
}
