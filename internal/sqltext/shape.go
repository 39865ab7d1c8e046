package sqltext

// Shape is a hash of a text without its values: texts that a program makes of one line, with other numbers and strings,
// mostly have the same, however long their lists are. It is a quick look that knows no dialect, and says nothing of what a
// text means: two that mean different things may have one shape.
func Shape(text string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	value := false // the last thing was a value, and perhaps a comma
	for i := 0; i < len(text); {
		b := text[i]
		switch c := classes[b]; {
		case b == '\'':
			for i++; i < len(text) && text[i] != '\''; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			i++
		case c == digit && (i == 0 || classes[text[i-1]]&named == 0):
			for i++; i < len(text) && (classes[text[i]] == digit || text[i] == '.'); i++ {
			}
		case value && (b == ',' || c == space):
			i++
			continue
		default:
			value = false
			h = (h ^ uint64(b)) * prime
			i++
			continue
		}
		if !value {
			value = true
			h = (h ^ 0xff) * prime
		}
	}
	return h
}
