package envelope_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"slices"
	"testing"

	"github.com/cacheme/cacheme/internal/envelope"
)

// seal gives b, which ends in a checksum, the right one: what an attacker does.
func seal(b []byte) []byte {
	body := b[:len(b)-4]
	return binary.LittleEndian.AppendUint32(slices.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// forge is an entry with the given flags and the given bytes after its fixed header.
func forge(flags byte, rest ...byte) []byte {
	b := (&envelope.Entry{}).Append(nil, 0)
	b[3] = flags
	return seal(append(append(b[:35:35], rest...), 0, 0, 0, 0))
}

func reason(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var corrupt *envelope.CorruptError
	if !errors.As(err, &corrupt) {
		t.Fatalf("error %v is a %T, want *CorruptError", err, err)
	}
	return corrupt.Reason
}

func TestDecode_of_hostile_bytes_says_what_is_wrong(t *testing.T) {
	t.Parallel()
	whole := func() []byte { e := full(); return e.Append(nil, 0) }
	edit := func(at int, to byte) []byte { b := whole(); b[at] = to; return b }
	huge := binary.AppendUvarint(nil, 1<<40)
	most := binary.AppendUvarint(nil, 1<<63)
	bomb := (&envelope.Entry{Payload: make([]byte, maxRaw+1)}).Append(nil, 1)
	if len(bomb) > 1000 {
		t.Fatalf("the bomb of %d bytes is none", len(bomb))
	}
	claims := forge(4, append([]byte{0, 0}, binary.AppendUvarint(nil, 1<<32-1)...)...)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, envelope.ReasonShort},
		{"a header only", whole()[:35], envelope.ReasonShort},
		{"a string of somebody else", []byte("hello, this is a value of another program"), envelope.ReasonMagic},
		{"a later version", edit(2, 2), envelope.ReasonVersion},
		{"a flipped byte", edit(20, 0x55), envelope.ReasonChecksum},
		{"an unknown flag", seal(edit(3, 0x80)), envelope.ReasonLayout},
		{"more tokens than bytes", forge(0, append(huge, make([]byte, 40)...)...), envelope.ReasonLayout},
		{"more tokens than an int holds", forge(0, append(most, make([]byte, 40)...)...), envelope.ReasonLayout},
		{"one token too many", forge(0, append([]byte{2}, make([]byte, 31)...)...), envelope.ReasonLayout},
		{"more results than bytes", forge(0, append([]byte{0}, append(huge, make([]byte, 40)...)...)...), envelope.ReasonLayout},
		{"a result without room for its name", forge(0, append([]byte{0, 1}, make([]byte, 16)...)...), envelope.ReasonLayout},
		{"a name longer than what is left", forge(0, append(append([]byte{0, 1}, make([]byte, 16)...), most...)...), envelope.ReasonLayout},
		{"a count without an end", forge(0, bytes.Repeat([]byte{0xff}, 20)...), envelope.ReasonLayout},
		{"a negative entry with a payload", forge(1, 0, 0, 'x'), envelope.ReasonLayout},
		{"a compressed negative entry", forge(1|4, 0, 0), envelope.ReasonLayout},
		{"a bomb", bomb, envelope.ReasonTooLarge},
		{"a claim of 4 GiB", claims, envelope.ReasonTooLarge},
		{"a compressed payload of nothing", forge(4, 0, 0), envelope.ReasonPayload},
		{"a compressed payload cut short", forge(4, 0, 0, 200, 1, 2), envelope.ReasonPayload},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := full()
			if got := reason(t, e.Decode(tt.in, maxRaw)); got != tt.want {
				t.Errorf("Decode: reason = %q, want %q", got, tt.want)
			}
			if d := same(envelope.Entry{}, e); d != "" {
				t.Errorf("the entry is not empty after an error:\n%s", d)
			}
		})
	}
}

func TestDecode_takes_a_compressed_payload_of_exactly_the_limit(t *testing.T) {
	t.Parallel()
	b := (&envelope.Entry{Payload: make([]byte, 5000)}).Append(nil, 1)
	if _, err := envelope.Decode(b, 5000); err != nil {
		t.Errorf("Decode with the limit at the length = %v", err)
	}
	_, err := envelope.Decode(b, 4999)
	if got := reason(t, err); got != envelope.ReasonTooLarge {
		t.Errorf("Decode with the limit below the length: reason = %q, want %q", got, envelope.ReasonTooLarge)
	}
}

func TestDecode_refuses_every_truncation_and_every_flip(t *testing.T) {
	t.Parallel()
	plain := full()
	negative := full()
	negative.Kind = envelope.NotFound
	packed := full()
	packed.Payload = bytes.Repeat([]byte("shelf "), 100)
	for name, b := range map[string][]byte{
		"plain": plain.Append(nil, 0), "negative": negative.Append(nil, 0), "compressed": packed.Append(nil, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range b {
				if _, err := envelope.Decode(b[:n], maxRaw); reason(t, err) == "" {
					t.Errorf("Decode of the first %d of %d bytes gave no error", n, len(b))
				}
				// A cut whose checksum was made right: wherever it passes it must not reach beyond its end.
				if n >= 4 {
					_, err := envelope.Decode(seal(b[:n:n]), maxRaw)
					reason(t, err)
				}
			}
			for i := range b {
				for bit := range 8 {
					flipped := slices.Clone(b)
					flipped[i] ^= 1 << bit
					if _, err := envelope.Decode(flipped, maxRaw); reason(t, err) == "" {
						t.Errorf("Decode with bit %d of byte %d flipped gave no error", bit, i)
					}
				}
			}
		})
	}
}

func TestDecode_shares_no_memory_it_should_not(t *testing.T) {
	t.Parallel()
	first, second := full(), full()
	first.Payload, second.Payload = []byte("first value"), bytes.Repeat([]byte("second "), 100)
	b := first.Append(nil, 0)
	was := slices.Clone(b)
	var e envelope.Entry
	if err := e.Decode(b, maxRaw); err != nil {
		t.Fatal(err)
	}
	kept, results := e.Payload, slices.Clone(e.Results)
	_ = append(e.Payload, "overrun"...)
	if err := e.Decode(second.Append(nil, 1), maxRaw); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, was) {
		t.Error("a later Decode, or an append to the payload, wrote into the bytes of an earlier one")
	}
	if string(kept) != "first value" {
		t.Errorf("the earlier payload became %q", kept)
	}
	clear(b)
	if results[0].Name != "row:book:7" {
		t.Errorf("a name became %q when the bytes it was read from changed", results[0].Name)
	}
}

func TestDecode_into_a_used_entry_allocates_nothing(t *testing.T) {
	e := full()
	e.Results = nil
	b := e.Append(nil, 0)
	var into envelope.Entry
	if got := testing.AllocsPerRun(100, func() {
		if into.Decode(b, maxRaw) != nil {
			t.Fatal("not read")
		}
	}); got != 0 {
		t.Errorf("Decode allocates %v times, want 0", got)
	}
	if got := testing.AllocsPerRun(100, func() { b = e.Append(b[:0], 0) }); got != 0 {
		t.Errorf("Append into a buffer that is large enough allocates %v times, want 0", got)
	}
	f := full()
	named := f.Append(nil, 0)
	if got := testing.AllocsPerRun(100, func() { _ = into.Decode(named, maxRaw) }); got != 1 {
		t.Errorf("Decode with three results allocates %v times, want 1", got)
	}
}

func FuzzDecode(f *testing.F) {
	seed := full()
	f.Add(seed.Append(nil, 0))
	seed.Payload = bytes.Repeat([]byte("shelf "), 100)
	f.Add(seed.Append(nil, 1))
	f.Add((&envelope.Entry{Payload: make([]byte, maxRaw+1)}).Append(nil, 1))
	f.Add(forge(1, 0, 0))
	f.Fuzz(func(t *testing.T, in []byte) {
		// The checksum would stop nearly all that the fuzzer makes up, so every input is tried with a right one too.
		inputs := [][]byte{in}
		if len(in) >= 4 {
			inputs = append(inputs, seal(in))
		}
		for _, b := range inputs {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e, err := envelope.Decode(b, maxRaw)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
				t.Fatalf("Decode of %d bytes took %d bytes of memory", len(b), got)
			}
			if reason(t, err) != "" {
				continue
			}
			again, err := envelope.Decode(e.Append(nil, 0), maxRaw)
			if err != nil {
				t.Fatalf("what was read cannot be stored: %v", err)
			}
			if d := same(e, again); d != "" {
				t.Fatalf("what was read is stored otherwise:\n%s", d)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	shelf := full()
	shelf.Declared, shelf.Results = make([]envelope.Token, 5), nil
	shelf.Payload = bytes.Repeat([]byte("0123456789abcdef"), 64)
	named := shelf
	for range 20 {
		named.Results = append(named.Results, envelope.Named{Name: "row:book:123456"})
	}
	for _, bb := range []struct {
		name string
		in   []byte
	}{
		{"plain 1 KiB", shelf.Append(nil, 0)},
		{"20 results", named.Append(nil, 0)},
		{"compressed 1 KiB", shelf.Append(nil, 1)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var e envelope.Entry
			for b.Loop() {
				if err := e.Decode(bb.in, maxRaw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	e := full()
	e.Payload = bytes.Repeat([]byte("0123456789abcdef"), 64)
	for name, over := range map[string]int{"plain 1 KiB": 0, "compressed 1 KiB": 1} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = e.Append(buf[:0], over)
			}
		})
	}
}
