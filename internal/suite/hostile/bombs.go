package hostile

import (
	"bytes"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/suite"
)

// atMost is how much memory any entry may take.
const atMost = 8 << 20

// bombs plants entries that are small, right in every checksum, and huge for whoever believes them.
func bombs(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	for _, bomb := range []struct {
		name    string
		payload []byte
		pack    bool
	}{
		{"that unpacks to 64 MiB", make([]byte, 64<<20), true},
		{"that unpacks to a byte more than 8 MiB", make([]byte, 8<<20+1), true},
		{"that says it is an array of 2^32 strings", []byte{0x9b, 0, 0, 0, 1, 0, 0, 0, 0}, false},
		{"that says it is an array of 2^63 strings", []byte{0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0}, false},
		{"that says it is a text of 2 GiB", []byte{0x81, 0x7a, 0x7f, 0xff, 0xff, 0xff, 'a'}, false},
		{"that says it is a map of 2^31 pairs", []byte{0xba, 0x80, 0, 0, 0}, false},
		{"of a million empty strings in 1 MiB", append([]byte{0x9a, 0x00, 0x10, 0x00, 0x00}, bytes.Repeat([]byte{0x60}, 1<<20)...), true},
		{"of eight million empty strings in 8 MiB", append([]byte{0x9a, 0x00, 0x7f, 0xff, 0xf0}, bytes.Repeat([]byte{0x60}, 0x7ffff0)...), true},
		{"that is nested 100 000 deep", bytes.Repeat([]byte{0x81}, 100_000), false},
		{"of streams in streams", bytes.Repeat([]byte{0x9f}, 100_000), false},
	} {
		t.Run(bomb.name+" takes no more than 8 MiB", func(t *testing.T) {
			compressOver := 0
			if bomb.pack {
				compressOver = 1
			}
			b := w.forged(t, func(e *envelope.Entry) { e.Payload = bomb.payload }, compressOver)
			bomb.payload = nil
			if bomb.pack && len(b) > 1<<20 {
				t.Fatalf("the bomb has %d bytes: it is none", len(b))
			}
			w.plant(t, b)
			took := allocated(func() { w.survives(t, bomb.name, cacheme.EventGarbage) })
			t.Logf("%d bytes in Redis, %d allocated", len(b), took)
			if took > atMost {
				t.Errorf("%d bytes were allocated, want at most %d", took, atMost)
			}
		})
	}
}
