package sqltext

import "strings"

// Mentions returns whether the statement's text has the table's name in it as a word, in whatever case or quotes, strings
// and comments included. It is what an Unknown statement may write.
func (s *Statement) Mentions(table string) bool {
	w := &s.written
	if w.opaque || table == "" {
		return true
	}
	text := s.Text()
	if mentions(text, table) {
		return true
	}
	for _, q := range [...]string{`"`, "`", "'"} {
		if strings.Contains(table, q) && mentions(text, strings.ReplaceAll(table, q, q+q)) {
			return true
		}
	}
	return false
}

func mentions(text, word string) bool {
	if !plain(word) {
		// Letters beyond ASCII have cases that databases do not agree on. The few tables that are named so pay for a copy.
		text, word = strings.ToLower(strings.ToUpper(text)), strings.ToLower(strings.ToUpper(word))
	}
	first := lower(word[0])
	// A dollar is a border: it may as well end a string as belong to a name.
	inName := func(b byte) bool { return classes[b]&(letter|digit) != 0 }
	for i := 0; i+len(word) <= len(text); i++ {
		if lower(text[i]) != first || !same(text[i:i+len(word)], word) {
			continue
		}
		// A name that begins or ends with a sign needs no border there.
		before := i == 0 || !inName(text[i-1]) || !inName(word[0])
		end := i + len(word)
		after := end == len(text) || !inName(text[end]) || !inName(word[len(word)-1])
		if before && after {
			return true
		}
	}
	return false
}

func plain(word string) bool {
	for i := range len(word) {
		if word[i] >= 0x80 {
			return false
		}
	}
	return true
}
