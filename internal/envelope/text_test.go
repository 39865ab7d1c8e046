package envelope_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/envelope"
)

func TestDecodeText(t *testing.T) {
	t.Parallel()
	const maxRaw = 1 << 20
	stored := envelope.Entry{Loaded: 7, TTL: 9, Declared: []envelope.Token{{Time: 1, Nonce: 2}}, Results: []envelope.Named{{Name: "row:book:7", Token: envelope.Token{Time: 3, Nonce: 4}}}}
	for name, c := range map[string]struct {
		payload      string
		compressOver int
		kind         envelope.Kind
	}{
		"plain":        {payload: "a value"},
		"empty":        {payload: ""},
		"compressed":   {payload: strings.Repeat("a value ", 1000), compressOver: 100},
		"longer":       {payload: strings.Repeat("a value ", 20_000)},
		"not_found":    {kind: envelope.NotFound},
		"other_length": {payload: "an other value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := stored
			e.Kind, e.Payload = c.kind, []byte(c.payload)
			text := string(e.Append(nil, c.compressOver))
			for range 100 {
				var whole, got envelope.Entry
				if err := whole.Decode([]byte(text), maxRaw); err != nil {
					t.Fatal(err)
				}
				plain, err := got.DecodeText(text, maxRaw)
				if err != nil {
					t.Fatal(err)
				}
				// What was borrowed for it is somebody else's by now.
				s, b := envelope.Borrow(strings.Repeat("\xff", len(text)))
				if payload := plain + string(got.Payload); payload != string(whole.Payload) {
					t.Fatalf("the payload is %.40q, want %.40q", payload, whole.Payload)
				}
				if !bytes.Equal(b, bytes.Repeat([]byte{0xff}, len(text))) {
					t.Fatal("Borrow gave other bytes")
				}
				s.Return()
				got.Payload, whole.Payload = nil, nil
				if diff := cmp.Diff(whole, got); diff != "" {
					t.Fatalf("DecodeText differs from Decode (-Decode +DecodeText):\n%s", diff)
				}
			}
		})
	}
	t.Run("garbage", func(t *testing.T) {
		t.Parallel()
		var e envelope.Entry
		if plain, err := e.DecodeText("garbage", maxRaw); err == nil || plain != "" {
			t.Errorf("DecodeText() = %q, %v, want an error", plain, err)
		}
	})
}
