package cacheme

import (
	"fmt"

	"github.com/cacheme/cacheme/internal/store"
)

// tokenVerdict is what became of one token since an entry was loaded under it.
type tokenVerdict int

const (
	tokenEqual   tokenVerdict = iota
	tokenWrong                // replaced, or about to be whatever becomes of the hold
	tokenHeld                 // a writer's transaction is open, and may be rolled back
	tokenMissing              // there is none
)

// tokenState is equal with more words: tokenEqual is what that takes for equal.
func tokenState(d store.Dependency, under store.Token) tokenVerdict {
	switch {
	case !d.Exists:
		return tokenMissing
	case d.Held && !d.Dirty && d.Token.Matches(under):
		return tokenHeld
	case d.Held || !d.Token.Matches(under):
		return tokenWrong
	}
	return tokenEqual
}

// explainToken says what became of a dependency since the entry was loaded under a token of it, and who did it.
func (c *Cache) explainToken(name string, g glimpse, now store.Dependency, under store.Token) DependencyState {
	d := c.dependencyState(name)
	d.Loaded, d.Now = tokenText(under), tokenText(now.Token)
	d.Held, d.Missing = now.Held, !now.Exists
	if now.Until > g.now {
		d.Probation = atMicro(now.Until)
	}
	if g.entry != nil && !g.entry.Born {
		state := tokenState(now, under)
		d.Equal, d.Wrong = state == tokenEqual, state == tokenWrong
	}
	if !now.Exists {
		d.Note = "its token is gone: it expired, was evicted or flushed, or nobody has asked for it yet"
		return d
	}
	nonce := madeBy(now)
	switch {
	case nonce == 0:
		d.Note = "a writer's transaction is open, and there was no token before"
	case store.OriginOf(nonce) == store.ByLoad:
		d.Note = "not written since its token was made"
	case store.OriginOf(nonce) == store.ByLapse:
		d.Note = "a writer placed a hold and never told how its transaction ended: it counts as committed"
	case store.OriginOf(nonce) != store.ByWrite:
		d.Note = "written by somebody who keeps no record of it (Options.ForgetWrites)"
	default:
		var ok bool
		if d.LastWrite, d.OneOf, ok = blamed(g.records[nonce], name); !ok {
			d.Note = "written, and the record of that is no longer kept"
		} else if d.LastWrite == nil {
			d.Note = "written by one of several statements of a transaction"
		}
	}
	return d
}

// tokenText is a token as Redis has it: its time and the nonce.
func tokenText(t store.Token) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%016d|%s", t.Time, store.NonceText(t.Nonce))
}
