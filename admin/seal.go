package admin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// sealer makes texts that only this page, or one with the same secret, can read and could have written. What is in a
// sealed text is known to be unchanged: a form carries what it clears, for whom and until when, and nothing has to be
// remembered on the server.
type sealer struct {
	aead cipher.AEAD
	mac  []byte
}

// What a text is sealed for. One that was sealed for something else does not open.
const (
	forEntry = "entry" // the key of an entry, in a link
	forWalk  = "walk"  // how far browsing has come
	forCount = "count" // how far the counting of a preview has come
	forForm  = "form"  // a form that clears
)

var errSeal = errors.New("is not sealed by this page")

func newSealer(secret []byte) (*sealer, error) {
	if secret == nil {
		secret = make([]byte, 32)
		rand.Read(secret)
	}
	// Two keys of one secret: the synthetic nonce must tell nothing about the cipher's key.
	keys, err := hkdf.Key(sha256.New, secret, nil, "cacheme admin", 64)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return &sealer{aead: aead, mac: keys[32:]}, nil
}

// seal makes a text of v. The same v gives the same text, so that a link to an entry stays the same link.
func (s *sealer) seal(what string, v any) string {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // a type of ours that is no JSON
	}
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(what))
	h.Write([]byte{0})
	h.Write(plain)
	nonce := h.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte(what)))
}

// open reads what seal made for the same purpose.
func (s *sealer) open(what, text string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < s.aead.NonceSize() {
		return errSeal
	}
	plain, err := s.aead.Open(nil, b[:s.aead.NonceSize()], b[s.aead.NonceSize():], []byte(what))
	if err != nil {
		return errSeal
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return errSeal
	}
	return nil
}
