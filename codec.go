package cacheme

import "github.com/cacheme/cacheme/internal/codec"

// cborCodec is the default Codec.
type cborCodec struct{ *codec.CBOR }

func newCBORCodec() Codec { return cborCodec{codec.NewCBOR()} }

func (cborCodec) Name() string { return "cbor" }
