package bunhooks

import (
	"errors"
	"strings"
)

// ErrRefused is a COMMIT that was not made, because Redis cannot be told of it. See RefuseOnOutage.
var ErrRefused = errors.New("cacheme: the transaction was rolled back: redis cannot be told what it makes wrong")

// InstallError says what keeps a cache and a database from being joined, and what to do about it.
type InstallError struct {
	Node   string // the declaration, as its Go type; empty where it is about the database as a whole
	Field  string // of the declaration; empty where it is about all of it
	Reason string // what is wrong, and what to write instead
}

// Error returns node, field and reason in one line.
func (e *InstallError) Error() string {
	var b strings.Builder
	b.WriteString("bunhooks: ")
	if e.Node != "" {
		b.WriteString(e.Node)
		if e.Field != "" {
			b.WriteString("." + e.Field)
		}
		b.WriteString(" ")
	}
	return b.String() + e.Reason
}
