// Package keytmpl compiles key templates and renders field values into them, so that two different nodes never
// share a key.
//
// A template such as
//
//	user:<user>:book:<book>
//
// is text with holes. A node's key is the template's literals with one rendered value in each hole: user:12:book:7.
// That a key names one node rests on three rules, and on nothing else:
//
//   - A value is rendered by an Append function. Its text is never empty, is made of the value alphabet
//     [A-Za-z0-9-_.~@%] only, and two different values of one kind never have the same text.
//   - Between two holes stands at least one character outside that alphabet, so a key can be cut in one way only:
//     [Template.Match] is that cut.
//   - Two templates that could render one key are found by [Overlap], before the first key is rendered.
//
// Literals hold no character with a meaning to Redis and values hold none either, so a rendered key needs no quoting:
// it has no glob metacharacter, no brace (which would choose a cluster slot), no white space and no control character.
//
// The package knows nothing of nodes, of Redis connections or of reflection: who owns a field decides which Append
// function renders it.
package keytmpl
