package sqltext

import "strings"

// IsRead returns whether text is surely one statement that writes no rows, in any dialect. It is made for speed: it does
// not allocate, and it is false wherever a quick look does not decide; [Parse] then tells.
func IsRead(text string) bool {
	i := leading(text)
	if i < 0 {
		return false
	}
	text = text[i:]
	for len(text) > 0 && (classes[text[len(text)-1]] == space || text[len(text)-1] == ';') {
		text = text[:len(text)-1]
	}
	switch {
	case verb(text, "select"):
		// A query that begins so writes only by what comes behind a semicolon, or INTO a table: a CTE that writes
		// must stand before it. So it does not matter where strings and comments are.
		return strings.IndexByte(text, ';') < 0 && !hasInto(text)
	case verb(text, "with"):
		return strings.IndexByte(text, ';') < 0 && !hasInto(text) && !hasWrite(text)
	}
	return false
}

// verb returns whether text begins with this word.
func verb(text, word string) bool {
	return len(text) > len(word) && same(text[:len(word)], word) && classes[text[len(word)]]&named == 0
}

// leading returns where the text begins behind space and comments, -1 where dialects may see that differently.
func leading(text string) int {
	i := 0
	for i < len(text) {
		switch rest := text[i:]; {
		case classes[text[i]] == space:
			i++
		case strings.HasPrefix(rest, "-- "):
			end := strings.IndexByte(rest, '\n')
			if end < 0 || strings.IndexByte(rest[:end], '\r') >= 0 {
				return -1
			}
			i += end + 1
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 || strings.HasPrefix(rest, "/*!") || strings.HasPrefix(rest, "/*M!") || strings.Contains(rest[2:2+end+1], "/*") {
				return -1
			}
			i += 2 + end + 2
		default:
			return i
		}
	}
	return i
}

// hasInto returns whether the letters INTO are in the text. Each such place has exactly one of its four letters
// at an offset of 3, 7, 11 ..: looking at these is enough.
func hasInto(text string) bool {
	for i := 3; i < len(text); i += 4 {
		back := int(inInto[text[i]])
		if back == 0 {
			continue
		}
		if at := i - back + 1; at+4 <= len(text) && text[at+1]|0x20 == 'n' && same(text[at:at+4], "into") {
			return true
		}
	}
	return false
}

// inInto is, for each letter of INTO, its place in the word, counted from 1.
var inInto = [256]uint8{'i': 1, 'I': 1, 'n': 2, 'N': 2, 't': 3, 'T': 3, 'o': 4, 'O': 4}

// hasWrite returns whether a verb that a CTE can write with is in the text.
func hasWrite(text string) bool {
	for i := 0; i+6 <= len(text); i++ {
		switch text[i] | 0x20 {
		case 'u':
			if same(text[i:i+6], "update") {
				return true
			}
		case 'd':
			if same(text[i:i+6], "delete") {
				return true
			}
		}
	}
	return false
}
