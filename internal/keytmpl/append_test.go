package keytmpl_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

func TestAppendWritesReadableTexts(t *testing.T) {
	t.Parallel()
	uuid := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"int", keytmpl.AppendInt([]byte("k:"), -12), "k:-12"},
		{"smallest int", keytmpl.AppendInt(nil, math.MinInt64), "-9223372036854775808"},
		{"uint", keytmpl.AppendUint([]byte("k:"), 12), "k:12"},
		{"greatest uint", keytmpl.AppendUint(nil, math.MaxUint64), "18446744073709551615"},
		{"true", keytmpl.AppendBool([]byte("k:"), true), "k:true"},
		{"false", keytmpl.AppendBool(nil, false), "false"},
		{"nil", keytmpl.AppendNil([]byte("k:")), "k:%nil"},
		{"all", keytmpl.AppendAll([]byte("k:")), "k:all"},
		{"uuid", keytmpl.AppendUUID([]byte("k:"), uuid), "k:6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"zero uuid", keytmpl.AppendUUID(nil, [16]byte{}), "00000000-0000-0000-0000-000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if string(tt.got) != tt.want {
				t.Errorf("text = %q, want %q", tt.got, tt.want)
			}
			assertValue(t, strings.TrimPrefix(string(tt.got), "k:"))
		})
	}
}

func TestAppendTime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"whole seconds", time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC), "20240229T235959Z"},
		{"a fraction is as short as it can be", time.Date(2024, 2, 29, 23, 59, 59, 5e8, time.UTC), "20240229T235959.5Z"},
		{"a nanosecond counts", time.Date(2024, 2, 29, 23, 59, 59, 1, time.UTC), "20240229T235959.000000001Z"},
		{"the zero time", time.Time{}, "00010101T000000Z"},
		{"the zone is gone", time.Date(2024, 3, 1, 1, 0, 0, 0, time.FixedZone("", 2*3600)), "20240229T230000Z"},
		{"the year 0", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "00000101T000000Z"},
		{"just before the year 0", time.Date(0, 1, 1, 0, 0, 0, -1, time.UTC), "@-62167219201.999999999"},
		{"just before the year 10000", time.Date(10000, 1, 1, 0, 0, 0, -1, time.UTC), "99991231T235959.999999999Z"},
		{"the year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "@253402300800.000000000"},
		{"a year 10000 that is 9999 in UTC", time.Date(10000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 60)), "99991231T235900Z"},
		{"the first second that Go can hold", time.Unix(math.MinInt64, 7), "@-9223372036854775808.000000007"},
		{"the last second that Go can hold", time.Unix(math.MaxInt64, 0), "@9223372036854775807.000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := string(keytmpl.AppendTime([]byte("k:"), tt.at))
			if got != "k:"+tt.want {
				t.Errorf("AppendTime(k:, %v) = %q, want %q", tt.at, got, "k:"+tt.want)
			}
			assertValue(t, tt.want)
		})
	}
}

func TestAppendTimeKnowsInstantsNotZones(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, same := range []time.Time{
		now.Round(0), now.UTC(), now.In(time.FixedZone("far", -11*3600-1)), time.Unix(now.Unix(), int64(now.Nanosecond())),
	} {
		got, want := string(keytmpl.AppendTime(nil, same)), string(keytmpl.AppendTime(nil, now))
		if got != want {
			t.Errorf("AppendTime(%v) = %q, want %q as for %v", same, got, want, now)
		}
	}
}

func TestTimesNeverShareAText(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	texts := make(map[string]time.Time)
	edges := []int64{math.MinInt64, -62167219200, -62135596800, 0, 253402300800, math.MaxInt64 - 2}
	fractions := []int64{0, 1, 5, 10, 50, 500_000_000, 50_000_000, 999_999_999}
	for range 100_000 {
		seconds := int64(random.Uint64())
		if random.IntN(2) == 0 {
			seconds = edges[random.IntN(len(edges))] + random.Int64N(5) - 2
		}
		at := time.Unix(seconds, fractions[random.IntN(len(fractions))]).In(time.FixedZone("", random.IntN(86400)-43200))
		text := string(keytmpl.AppendTime(nil, at))
		assertValue(t, text)
		if other, taken := texts[text]; taken && !other.Equal(at) {
			t.Fatalf("AppendTime of %v and of %v = %q, want two texts", at, other, text)
		}
		texts[text] = at
	}
	instants := make(map[[2]int64]bool)
	for _, at := range texts {
		instants[[2]int64{at.Unix(), int64(at.Nanosecond())}] = true
	}
	if len(instants) != len(texts) {
		t.Errorf("%d instants have %d texts, want one text each", len(instants), len(texts))
	}
}

func TestKeptTextsHaveOneSource(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 1))
	sources := map[string]func() []byte{
		"AppendString": func() []byte {
			const letters = "%nila61:"
			value := make([]byte, random.IntN(6))
			for i := range value {
				value[i] = letters[random.IntN(len(letters))]
			}
			return keytmpl.AppendString(nil, string(value))
		},
		"AppendInt":  func() []byte { return keytmpl.AppendInt(nil, random.Int64()) },
		"AppendUint": func() []byte { return keytmpl.AppendUint(nil, random.Uint64()) },
		"AppendBool": func() []byte { return keytmpl.AppendBool(nil, random.IntN(2) == 0) },
		"AppendTime": func() []byte { return keytmpl.AppendTime(nil, time.Unix(int64(random.Uint64()), 0)) },
		"AppendUUID": func() []byte { return keytmpl.AppendUUID(nil, [16]byte{byte(random.Uint32())}) },
		"AppendNil":  func() []byte { return keytmpl.AppendNil(nil) },
		"AppendAll":  func() []byte { return keytmpl.AppendAll(nil) },
	}
	kept := map[string]string{"all": "AppendAll", "%nil": "AppendNil"}
	for name, render := range sources {
		for range 50_000 {
			text := string(render())
			assertValue(t, text)
			if source, ok := kept[text]; ok && source != name {
				t.Fatalf("%s gives %q, which is kept for %s", name, text, source)
			}
		}
	}
}

// Not parallel: testing.AllocsPerRun counts the whole process.
func TestAppendDoesNotAllocateWhereThereIsRoom(t *testing.T) {
	buffer := make([]byte, 0, 256)
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.FixedZone("", 3600))
	tests := []struct {
		name   string
		render func() []byte
	}{
		{"plain string", func() []byte { return keytmpl.AppendString(buffer, "plain") }},
		{"escaped string", func() []byte { return keytmpl.AppendString(buffer, "a:ключ\x00\xff") }},
		{"empty string", func() []byte { return keytmpl.AppendString(buffer, "") }},
		{"string all", func() []byte { return keytmpl.AppendString(buffer, "all") }},
		{"int", func() []byte { return keytmpl.AppendInt(buffer, math.MinInt64) }},
		{"uint", func() []byte { return keytmpl.AppendUint(buffer, math.MaxUint64) }},
		{"bool", func() []byte { return keytmpl.AppendBool(buffer, true) }},
		{"time", func() []byte { return keytmpl.AppendTime(buffer, at) }},
		{"far time", func() []byte { return keytmpl.AppendTime(buffer, time.Unix(math.MinInt64, 1)) }},
		{"uuid", func() []byte { return keytmpl.AppendUUID(buffer, [16]byte{1, 2, 3}) }},
		{"nil", func() []byte { return keytmpl.AppendNil(buffer) }},
		{"all", func() []byte { return keytmpl.AppendAll(buffer) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			length := 0
			allocs := testing.AllocsPerRun(100, func() { length += len(tt.render()) })
			if allocs != 0 || length == 0 {
				t.Errorf("allocations = %v for %d bytes, want 0 for some", allocs, length)
			}
		})
	}
}

func BenchmarkAppendString(b *testing.B) {
	for _, bb := range []struct{ name, value string }{
		{"plain", "b9a1c2d3-plain_value"},
		{"escaped", "ann:lee@example.com/книга"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			buffer := make([]byte, 0, 256)
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.value)))
			for b.Loop() {
				keytmpl.AppendString(buffer, bb.value)
			}
		})
	}
}

func BenchmarkAppendInt(b *testing.B) {
	buffer := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		keytmpl.AppendInt(buffer, 1234567890123)
	}
}
