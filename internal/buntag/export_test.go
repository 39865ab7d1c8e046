package buntag

// ParseTag gives the tests the tag's name and options.
func ParseTag(s string) (string, map[string][]string) {
	t := parseTag(s)
	return t.name, t.options
}
