package cacheme

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Keys yields the keys of the live entries of node's class, as its template renders them. It scans Redis: the cost
// grows with all that is in the server, and is paid in small steps. An entry counts as live while Redis has it, also if
// it was made wrong and not yet loaded again. A key that comes or goes meanwhile may be missed, and one may be yielded
// twice. An error ends the listing; so does the end of ctx.
func (c *Cache) Keys(ctx context.Context, node Declaration) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		p, _, err := c.nodeOf(node)
		if err != nil {
			yield("", err)
			return
		}
		pattern := p.key.Glob() + "}"
		if p.field != "" {
			pattern += ">" + p.field
		}
		for entry, err := range c.store.Scan(ctx, c.options.WriteBudget, pattern) {
			if err != nil {
				yield("", wrap("keys", p.name, err))
				return
			}
			key, _ := c.store.DisplayKey(entry)
			main, field, _ := strings.Cut(key, ">")
			if _, ours := p.key.Match(main); ours && field == p.field && !yield(key, nil) {
				return
			}
		}
	}
}

// Count counts what Keys yields, each key once.
func (c *Cache) Count(ctx context.Context, node Declaration) (int, error) {
	seen := map[string]bool{}
	for key, err := range c.Keys(ctx, node) {
		if err != nil {
			return 0, err
		}
		seen[key] = true
	}
	return len(seen), nil
}

// removeBatch bounds one pipeline of removals.
const removeBatch = 500

// RemovePattern removes all entries of this cache whose key, as its template renders it, matches a pattern of Redis's
// kind: * for any text, ? for one character, [a-c] for one of some, \ before a character that is meant as such. It
// cannot reach anything outside the cache's prefix, nor what is no entry. Values in keys are escaped, so no value
// matches as a pattern. Loads of such keys that are under way are not stored. It returns how many were removed; the cost
// is that of Keys. A bad pattern is a *UsageError; what could not be removed is kept, as by Invalidate.
func (c *Cache) RemovePattern(ctx context.Context, pattern string) (removed int, err error) {
	if c.closed.Load() {
		return 0, ErrClosed
	}
	matches, err := removable(pattern)
	if err != nil {
		return 0, err
	}
	var batch []string
	flush := func() error {
		if batch == nil {
			return nil
		}
		n, err := c.removeEntries(ctx, batch)
		removed, batch = removed+n, nil
		return err
	}
	// Redis narrows by what comes before the first special character; the rest is matched here, because the closing
	// brace of the stored key stands in the middle of what the pattern sees.
	// What is only being loaded counts too: its lease goes, so that it is not stored.
	for entry, err := range c.store.ScanLoading(ctx, c.options.WriteBudget, literalPrefix(pattern)+"*") {
		if err != nil {
			return removed, wrap("remove pattern", pattern, err)
		}
		if key, _ := c.store.DisplayKey(entry); !matches.MatchString(key) {
			continue
		}
		if batch = append(batch, entry); len(batch) == removeBatch {
			if err := flush(); err != nil {
				return removed, err
			}
		}
	}
	return removed, flush()
}

// removable is a pattern as RemovePattern takes it.
func removable(pattern string) (*regexp.Regexp, error) {
	matches, err := compileGlob(pattern)
	if err != nil {
		return nil, &UsageError{Node: "cacheme.RemovePattern", Reason: fmt.Sprintf("got the pattern %q, which %v", pattern, err)}
	}
	return matches, nil
}

// literalPrefix is what every match of a pattern's main key begins with.
func literalPrefix(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[]\>`); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// compileGlob turns a pattern into a regular expression, and says what is wrong with a bad one.
func compileGlob(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, fmt.Errorf("is empty; write * for all entries")
	}
	if !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("holds bytes that no key has")
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; r {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '\\':
			if i++; i == len(runes) {
				return nil, fmt.Errorf(`ends in a single \; write \\ for that character itself`)
			}
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case '[':
			class, next, err := compileClass(runes, i)
			if err != nil {
				return nil, err
			}
			b.WriteString(class)
			i = next
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`\z`)
	return regexp.Compile(b.String())
}

// compileClass turns [^a-c\]] into its regular expression, and returns the index of its closing bracket.
func compileClass(runes []rune, open int) (class string, closing int, err error) {
	var b strings.Builder
	b.WriteByte('[')
	i := open + 1
	if i < len(runes) && runes[i] == '^' {
		b.WriteByte('^')
		i++
	}
	for first := true; ; first = false {
		switch {
		case i >= len(runes):
			return "", 0, fmt.Errorf("has an unclosed [; close it, or write \\[")
		case runes[i] == ']' && first:
			return "", 0, fmt.Errorf("has an empty []; name the characters that it may be")
		case runes[i] == ']':
			b.WriteByte(']')
			return b.String(), i, nil
		case runes[i] == '-' && !first && i+1 < len(runes) && runes[i+1] != ']':
			b.WriteByte('-')
			i++
			continue
		case runes[i] == '\\' && i+1 < len(runes):
			i++
		}
		if !isWord(runes[i]) {
			b.WriteByte('\\') // before a letter it would mean something else
		}
		b.WriteRune(runes[i])
		i++
	}
}

func isWord(r rune) bool {
	return r == '_' || r > 0x7f || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
