package codec

import (
	"errors"
	"reflect"
)

// A value may take at most so much memory: beside bytes of a mebibyte it then stays within the 8 MiB that hostile bytes
// may cost. One whose bytes are many may take four times their number, for it was allowed to have that many.
const (
	maxMemory  = 6 << 20
	byteMemory = 4
)

var errMemory = errors.New("more memory than a value of so many bytes may take")

// meter counts the memory that a value takes beyond its own struct. Reading and writing count alike, so that whatever
// could be written can be read.
type meter struct{ used int }

func memoryFor(bytes int) int { return max(maxMemory, byteMemory*bytes) }

// sizeOf is what one value of a type takes, at least a byte: a million of nothing are something.
func sizeOf(t reflect.Type) int { return max(1, int(t.Size())) }

// mapSlot is about what Go's maps take for a pair besides the pair itself, empty slots included.
const mapSlot = 16
