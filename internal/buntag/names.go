package buntag

// snake turns a Go name into bun's name for it: HTTPLog is http_log, UserID is user_id. It
// looks at bytes and at ASCII letters only, and never parts the last letter (PlanB is
// planb), because bun does so.
func snake(name string) string {
	out := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		c := name[i]
		if !isUpper(c) {
			out = append(out, c)
			continue
		}
		inside := i > 0 && i < len(name)-1
		if inside && (isLower(name[i-1]) || isLower(name[i+1])) {
			out = append(out, '_')
		}
		out = append(out, c-'A'+'a')
	}
	return string(out)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
