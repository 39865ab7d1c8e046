package admin

import (
	"errors"
	"strings"
)

// ErrRole is what Handler.Invalidate gives an actor who has no name, or may not Act. Nothing is cleared then.
var ErrRole = errors.New("admin: this takes a name and the role act")

// Actor is who asks. His name stands in the audit.
type Actor struct {
	// Name is what tells him from others: a login, an address. One without a name is refused.
	Name string
	Role Role
}

// Role is what somebody may do, as a set of bits: Reveal|Act is somebody who may do everything.
type Role uint8

// The roles. Reveal and Act each include Look, and neither includes the other: who clears need not read what is cached.
const (
	// Look sees all pages but the values of entries: nodes, keys, explanations, the journal and the audit.
	Look Role = 1
	// Reveal also sees the values of entries.
	Reveal Role = 2 | Look
	// Act also clears.
	Act Role = 4 | Look
)

// May reports whether the role includes another one.
func (r Role) May(what Role) bool { return r&what == what }

// String is the role in words: "look, reveal".
func (r Role) String() string {
	var words []string
	for _, of := range []struct {
		bit  Role
		word string
	}{{Look, "look"}, {Reveal &^ Look, "reveal"}, {Act &^ Look, "act"}} {
		if r&of.bit != 0 {
			words = append(words, of.word)
		}
	}
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
