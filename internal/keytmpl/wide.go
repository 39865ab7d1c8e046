package keytmpl

import "strings"

// Wide reports whether a pattern of keys may match those of every template: it begins with a wildcard, so that it names
// none. ?* and [a-z]* are everything as much as * is.
func Wide(pattern string) bool {
	return pattern != "" && strings.ContainsRune("*?[", rune(pattern[0]))
}
