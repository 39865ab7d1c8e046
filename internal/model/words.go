package model

import (
	"fmt"
	"strings"
)

// How the things of a world are called in a story.

func writerName(i int) string { return fmt.Sprintf("W%d", i+1) }
func readerName(i int) string { return fmt.Sprintf("R%d", i+1) }
func tokenName(i int) string  { return string(rune('A' + i)) }

func wordName(i int) string {
	if i == theEntry {
		return "the entry"
	}
	return tokenName(i)
}

func version(v uint8) string {
	if v == unseen {
		return "v?"
	}
	return fmt.Sprintf("v%d", v)
}

func (p *play) value(v versions) string {
	var words []string
	for row := range p.Rows {
		words = append(words, version(v[row]))
	}
	return strings.Join(words, ",")
}

func (s set) writers() string {
	var words []string
	for i := range maxWriters {
		if s.has(i) {
			words = append(words, writerName(i))
		}
	}
	return strings.Join(words, ",")
}

// String is the nonce in hexadecimal.
func (t token) String() string {
	if t == 0 {
		return "none"
	}
	return fmt.Sprintf("%02x", uint8(t))
}

// String is the token, who holds it, and its probation.
func (k tokenKey) String() string {
	words := k.Token.String()
	switch {
	case !k.There:
		words = "missing"
	case k.held():
		words = fmt.Sprintf("held by %s over %s", k.Holders.writers(), k.Token)
		if k.Dirty {
			words += ", dirty"
		}
		if k.Overdue != 0 {
			words += ", overdue"
		}
	}
	if k.Feared != 0 {
		words += ", on probation"
	}
	return words
}

func (p *play) describe(s sight) string {
	words := "no entry"
	if s.Entry.There {
		words = fmt.Sprintf("entry %s %v", p.value(s.Entry.Value), s.Entry.Tokens[:p.Keys])
	}
	for k := range p.Keys {
		words += fmt.Sprintf("; %s %v", tokenName(k), s.Keys[k])
	}
	if s.Lease != 0 {
		words += "; lease of " + readerName(int(s.Lease)-1)
	}
	return words
}

// cast says who is who.
func (sc Scenario) cast() string {
	modes := [...]string{fenced: "fenced", autocommit: "autocommit", announced: "after-commit", unhooked: "unhooked"}
	var words []string
	for i, s := range sc.Writers {
		words = append(words, writerName(i)+" "+modes[s.mode])
	}
	for i := range sc.Readers {
		words = append(words, fmt.Sprintf("%s in process %d", readerName(i), sc.Process[i]+1))
	}
	return strings.Join(words, ", ")
}
