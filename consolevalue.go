package cacheme

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/cacheme/cacheme/internal/envelope"
)

// Value is what an entry holds, for a person to read.
type Value struct {
	// Text is the value: indented JSON where it was decoded into its Go type, and otherwise what can be said of its bytes:
	// the diagnostic notation of CBOR (RFC 8949, section 8; the default codec writes structs as lists of their fields),
	// the bytes themselves if they are text, or hexadecimal.
	Text     string `json:"text"`
	Bytes    int    `json:"bytes"` // of the encoded value, decompressed
	Exact    bool   `json:"exact"` // it was decoded into its Go type
	NotFound bool   `json:"not_found,omitempty"`
}

// Value reads the value of an entry, fresh or not. Without an entry of its node under the key it is ErrNoEntry; errors are
// else those of Explain. Who may see a value is for the caller to say: it may hold somebody's data.
func (k *Console) Value(ctx context.Context, key string) (Value, error) {
	p, _, err := k.plan(key)
	if err != nil {
		return Value{}, err
	}
	main, _, _ := strings.Cut(key, ">")
	values, err := k.c.store.Read(ctx, k.c.options.WriteBudget, []string{k.c.store.EntryKey(main, p.field)})
	if err != nil {
		return Value{}, wrap("value", p.name, err)
	}
	text, _ := values.Text(0)
	entry, plain, _ := p.read(text)
	switch {
	case entry == nil:
		return Value{}, ErrNoEntry
	case entry.Kind == envelope.NotFound:
		return Value{NotFound: true, Exact: true}, nil
	case entry.Payload == nil:
		entry.Payload = []byte(plain)
	}
	v := Value{Bytes: len(entry.Payload)}
	if p.published != nil {
		v.Text = readable(entry.Payload, p.published.Codec)
		return v, nil
	}
	decoded, err := p.carrier.decode(p.codec, entry.Payload)
	if err != nil {
		return Value{}, errors.Join(ErrNoEntry, err)
	}
	v.Text, v.Exact = forPerson(decoded), true
	return v, nil
}

// forPerson is JSON where the value has one.
func forPerson(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Sprintf("%+v", value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// readable says what bytes of a codec are, without the type that they were made of.
func readable(b []byte, codec string) string {
	if codec == (cborCodec{}).Name() {
		if text, err := cbor.Diagnose(b); err == nil {
			return text
		}
	}
	var indented bytes.Buffer
	switch {
	case json.Indent(&indented, b, "", "  ") == nil:
		return indented.String()
	case utf8.Valid(b):
		return string(b)
	}
	return fmt.Sprintf("%x", b)
}
