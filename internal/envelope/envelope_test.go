package envelope_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/suite"
)

var update = flag.Bool("update", false, "write the golden files anew")

const maxRaw = 4 << 20

// same compares entries as the format sees them: a nil and an empty list, name or payload are one.
func same(want, got envelope.Entry) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func full() envelope.Entry {
	return envelope.Entry{
		Epoch:       [6]byte{1, 2, 3, 4, 5, 6},
		Fingerprint: 0x1122334455667788,
		Loaded:      1_790_000_000_000_000,
		TTL:         600_000_000,
		Born:        true,
		Declared:    []envelope.Token{{Time: 1, Nonce: 2}, {Time: 3, Nonce: 4}, {}},
		Results: []envelope.Named{
			{Name: "row:book:7", Token: envelope.Token{Time: 5, Nonce: 6}},
			{Name: "", Token: envelope.Token{Time: 7, Nonce: 8}},
			{Name: "tag:a:b{c}\n\x00\xff", Token: envelope.Token{}},
		},
		Codec:   9,
		Payload: []byte("a value"),
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	a, b := envelope.Token{Time: 1, Nonce: 2}, envelope.Token{Time: 1, Nonce: 3}
	if !a.Matches(a) || a.Matches(b) {
		t.Errorf("Matches does not tell %v from %v", a, b)
	}
	var zero envelope.Token
	if zero.Matches(zero) || zero.Matches(a) || a.Matches(zero) || !zero.IsZero() || a.IsZero() {
		t.Error("the zero token equals something, or is not known as zero")
	}
}

func TestAppend_what_was_stored_is_read(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var reused envelope.Entry
	for i := range suite.Count(2000) {
		e := random(r)
		compressOver := r.IntN(3) * r.IntN(600)
		prefix := []byte("before")
		b := e.Append(prefix, compressOver)
		if !bytes.HasPrefix(b, prefix) {
			t.Fatalf("Append changed what was there before: %q", b[:6])
		}
		b = b[len(prefix):]

		got, err := envelope.Decode(b, maxRaw)
		if err != nil {
			t.Fatalf("%d: Decode(%x) = %v", i, b, err)
		}
		if d := same(e, got); d != "" {
			t.Fatalf("%d: round trip (-want +got):\n%s", i, d)
		}
		if err := reused.Decode(b, maxRaw); err != nil {
			t.Fatalf("%d: Decode into a used entry = %v", i, err)
		}
		if d := same(e, reused); d != "" {
			t.Fatalf("%d: round trip into a used entry (-want +got):\n%s", i, d)
		}
	}
}

func random(r *rand.Rand) envelope.Entry {
	e := envelope.Entry{
		Fingerprint: r.Uint64(), Loaded: r.Uint64(), TTL: r.Uint64() >> r.IntN(64),
		Kind: envelope.Kind(r.IntN(2)), Born: r.IntN(2) == 0, Codec: uint8(r.UintN(256)),
	}
	for i := range e.Epoch {
		e.Epoch[i] = byte(r.UintN(256))
	}
	for range r.IntN(9) {
		e.Declared = append(e.Declared, envelope.Token{Time: r.Uint64(), Nonce: r.Uint64()})
	}
	for range r.IntN(5) * r.IntN(60) {
		name := make([]byte, r.IntN(3)*r.IntN(200))
		for i := range name {
			name[i] = byte(r.UintN(256))
		}
		e.Results = append(e.Results, envelope.Named{
			Name: string(name), Token: envelope.Token{Time: r.Uint64(), Nonce: r.Uint64()},
		})
	}
	if e.Kind == envelope.Value {
		e.Payload = make([]byte, r.IntN(2000))
		letters := 1 + r.UintN(256)
		for i := range e.Payload {
			e.Payload[i] = byte(r.UintN(letters))
		}
	}
	return e
}

func TestAppend_bytes_are_those_of_the_golden_files(t *testing.T) {
	t.Parallel()
	negative := full()
	negative.Kind, negative.Born, negative.Payload, negative.Results = envelope.NotFound, false, nil, nil
	compressed := full()
	compressed.Payload = bytes.Repeat([]byte("compress me "), 40)
	for _, tt := range []struct {
		name         string
		entry        envelope.Entry
		compressOver int
	}{
		{"empty", envelope.Entry{}, 0},
		{"full", full(), 0},
		{"negative", negative, 0},
		{"compressed", compressed, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", tt.name+".hex")
			if *update {
				if err := os.WriteFile(path, []byte(hex.Dump(tt.entry.Append(nil, tt.compressOver))), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// What s2 makes of a payload is its own affair and may change: only reading is promised for it.
			if tt.compressOver == 0 {
				if d := cmp.Diff(string(golden), hex.Dump(tt.entry.Append(nil, 0))); d != "" {
					t.Errorf("stored form (-golden +now):\n%s", d)
				}
			}
			got, err := envelope.Decode(undump(t, string(golden)), maxRaw)
			if err != nil {
				t.Fatalf("Decode(golden) = %v", err)
			}
			if d := same(tt.entry, got); d != "" {
				t.Errorf("golden bytes (-want +got):\n%s", d)
			}
		})
	}
}

func undump(t *testing.T, dump string) []byte {
	t.Helper()
	var b []byte
	for line := range strings.Lines(dump) {
		text, _, _ := strings.Cut(line, "|")
		if len(text) < 8 {
			continue
		}
		part, err := hex.DecodeString(strings.Join(strings.Fields(text[8:]), ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	return b
}

func TestAppend_overhead_with_five_tokens_is_121_bytes(t *testing.T) {
	t.Parallel()
	e := full()
	e.Declared, e.Results = make([]envelope.Token, 5), nil
	e.Payload = bytes.Repeat([]byte{7}, 5000)
	if got := len(e.Append(nil, 0)) - len(e.Payload); got != 121 {
		t.Errorf("overhead = %d bytes, want 121", got)
	}
}

func TestAppend_compresses_only_where_it_pays(t *testing.T) {
	t.Parallel()
	same := bytes.Repeat([]byte("shelf "), 500)
	noise := make([]byte, 3000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(r.UintN(256))
	}
	for _, tt := range []struct {
		name         string
		payload      []byte
		compressOver int
		shrinks      bool
	}{
		{"a payload that is long enough", same, len(same), true},
		{"a payload that is too short", same, len(same) + 1, false},
		{"compression is off", same, 0, false},
		{"a negative threshold is off too", same, -1, false},
		{"a payload that does not shrink", noise, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := envelope.Entry{Payload: tt.payload}
			plain, b := e.Append(nil, 0), e.Append(nil, tt.compressOver)
			if got := len(b) < len(plain); got != tt.shrinks {
				t.Errorf("stored in %d bytes, plain in %d; shrinks = %v, want %v", len(b), len(plain), got, tt.shrinks)
			}
			if got, err := envelope.Decode(b, maxRaw); err != nil || !bytes.Equal(got.Payload, tt.payload) {
				t.Errorf("payload did not come back (error %v)", err)
			}
		})
	}
}
