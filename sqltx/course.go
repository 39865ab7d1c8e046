package sqltx

import (
	"slices"
	"strings"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// course is the way that a statement takes.
type course uint8

const (
	plain    course = iota // to the Handler; it leaves the transaction as it is
	several                // to the Handler; a text with control in it
	implicit               // to the Handler, and within Commit to the driver: it ends the transaction by itself
	possible               // as implicit, but nobody can say whether it does
	control                // to the driver; it changes the transaction
	commit                 // within Commit to the driver; refused, it rolls back
	anew                   // within Commit to the driver; refused, it does nothing: it commits what was open and goes on
)

// controls reports whether the statement is nothing but control, so that Exec and Query do not get it.
func (c course) controls() bool { return c >= control }

// courseOf decides. The state of the connection counts as well: a COMMIT where nothing is open commits nothing.
func (c *Conn) courseOf(s *Statement) course {
	if s.read || lonely(s.written) {
		return plain
	}
	script, d := s.Script(), c.dialect()
	st, single := script.Single()
	switch {
	case !single && script.Controls(), !single && c.tx != nil && mayEnd(script, d):
		return several
	case !single:
		return plain
	}
	switch st.Kind {
	case sqltext.Commit:
		return choose(c.tx != nil, commit, control)
	case sqltext.Release:
		return choose(c.tx != nil && c.tx.ends(st.Savepoint, d), commit, control)
	case sqltext.Begin:
		return choose(c.tx != nil && st.Implicit, anew, control)
	case sqltext.Autocommit:
		return choose(c.tx != nil && c.manual && st.On, anew, control)
	case sqltext.Rollback, sqltext.Savepoint, sqltext.RollbackTo, sqltext.PrepareTransaction:
		return control
	case sqltext.Call, sqltext.Unknown:
		// A procedure of MySQL's may commit, and so may a text that is not understood.
		if c.tx != nil && (d == MySQL || script.Controls()) {
			return possible
		}
		return choose(script.Controls(), several, plain)
	default:
		locks, unlocks := locking(st, d)
		return choose(c.tx != nil && st.Implicit, implicit, choose(locks || unlocks, control, plain))
	}
}

// lonely reports whether a text is surely one statement that writes rows, whatever else it says: it begins with such a
// word and has no semicolon before its end, be it in a string. Most writes are so, and need not be parsed to know that
// they leave the transaction alone.
func lonely(text string) bool {
	const longest = len("INSERT")
	if len(text) <= longest {
		return false
	}
	switch verb := text[:longest]; {
	case strings.EqualFold(verb, "INSERT"), strings.EqualFold(verb, "UPDATE"), strings.EqualFold(verb, "DELETE"):
	default:
		return false
	}
	i := strings.IndexByte(text, ';')
	return i < 0 || i == len(text)-1
}

// mentions reports whether a text has a statement that sets something of the session and has one of these words.
func mentions(script sqltext.Script, words ...string) bool {
	for i := range script.Statements {
		st := &script.Statements[i]
		if st.Kind == sqltext.Session && slices.ContainsFunc(words, st.Mentions) {
			return true
		}
	}
	return false
}

func choose(condition bool, yes, no course) course {
	if condition {
		return yes
	}
	return no
}

// mayEnd reports whether one of several statements may end the open transaction without saying so.
func mayEnd(script sqltext.Script, d Dialect) bool {
	for i := range script.Statements {
		st := &script.Statements[i]
		if st.Implicit || d == MySQL && (st.Kind == sqltext.Call || st.Kind == sqltext.Unknown) {
			return true
		}
	}
	return false
}
