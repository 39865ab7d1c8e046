package envelope

import "encoding/binary"

// Head is what the first HeadSize bytes of an entry say. No checksum covers them alone: it is for showing, not for serving.
type Head struct {
	Loaded, TTL uint64 // as Entry has them
	Kind        Kind
}

// ReadHead reads the head of an entry. It is not ok for what is no entry of this version.
func ReadHead(text string) (h Head, ok bool) {
	if len(text) < HeadSize || text[:len(magic)] != magic || text[len(magic)] != version {
		return Head{}, false
	}
	b := []byte(text[:HeadSize])
	h = Head{Loaded: binary.LittleEndian.Uint64(b[19:]), TTL: binary.LittleEndian.Uint64(b[27:])}
	if b[flagsAt]&flagNotFound != 0 {
		h.Kind = NotFound
	}
	return h, true
}
