package envelope

import "sync"

// Scratch is memory for bytes that nobody keeps.
type Scratch struct{ buf []byte }

var scratches = sync.Pool{New: func() any { return new(Scratch) }}

// scratchKept is what a Scratch may hold when it is given back: one great entry is not to be paid for ever.
const scratchKept = 64 << 10

// Borrow returns the bytes of text, until Return.
func Borrow(text string) (s *Scratch, b []byte) {
	s, _ = scratches.Get().(*Scratch)
	s.buf = append(s.buf[:0], text...)
	return s, s.buf
}

// Return ends a Borrow: the bytes will be others.
func (s *Scratch) Return() {
	if cap(s.buf) <= scratchKept {
		scratches.Put(s)
	}
}

// DecodeText is Decode of a string, without a copy of all of it: where the payload is not compressed, plain is the part of text
// that holds it, and Payload is nil.
func (e *Entry) DecodeText(text string, maxRaw int) (plain string, err error) {
	s, b := Borrow(text)
	defer s.Return()
	if err := e.Decode(b, maxRaw); err != nil {
		return "", err
	}
	if e.Kind == Value && b[flagsAt]&flagS2 == 0 {
		end := len(text) - crcSize
		plain, e.Payload = text[end-len(e.Payload):end], nil
	}
	return plain, nil
}
