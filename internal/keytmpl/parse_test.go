package keytmpl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cacheme/cacheme/internal/keytmpl"
	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		text     string
		holes    []string
		literals []string
	}{
		{"a text without holes is one literal", "site:settings", nil, []string{"site:settings"}},
		{"one hole", "user:<id>:shelf", []string{"id"}, []string{"user:", ":shelf"}},
		{"two holes", "user:<user>:book:<book>", []string{"user", "book"}, []string{"user:", ":book:", ""}},
		{"a hole alone", "<id>", []string{"id"}, []string{"", ""}},
		{"outer literals may touch a hole", "v<id>x", []string{"id"}, []string{"v", "x"}},
		{"a separator may have value characters around it", "<a>x:y<b>", []string{"a", "b"}, []string{"", "x:y", ""}},
		{"a slash separates", "<a>/<b>", []string{"a", "b"}, []string{"", "/", ""}},
		{"any letter outside the value alphabet separates", "книга<a>é<b>", []string{"a", "b"}, []string{"книга", "é", ""}},
		{"names have letters, digits and underscores", "<_a1>:<B_2>", []string{"_a1", "B_2"}, []string{"", ":", ""}},
		{"names differ by case", "<id>:<ID>", []string{"id", "ID"}, []string{"", ":", ""}},
		{"punctuation is free", `!"#$&'()+,;=|^<id>`, []string{"id"}, []string{`!"#$&'()+,;=|^`, ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			template, err := keytmpl.Parse(tt.text)
			if err != nil {
				t.Fatalf("Parse(%q) = %v, want no error", tt.text, err)
			}
			if got := template.String(); got != tt.text {
				t.Errorf("String() = %q, want %q", got, tt.text)
			}
			if diff := cmp.Diff(tt.holes, template.Holes()); diff != "" {
				t.Errorf("Holes() of %q (-want +got):\n%s", tt.text, diff)
			}
			if diff := cmp.Diff(tt.literals, template.Literals()); diff != "" {
				t.Errorf("Literals() of %q (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestParseSaysWhatToWriteInstead(t *testing.T) {
	t.Parallel()
	const (
		notClosed = "'<' opens a hole that is not closed: write it as <name>"
		slot      = " would choose the key's slot in Redis Cluster: write another separator, such as ':'"
		pattern   = " has a meaning in Redis patterns: write another separator, such as ':'"
		space     = ") is not allowed in a key: write ':', '-' or '_' instead"
		invisible = " is a control or invisible character: leave it out"
		notUTF8   = " is not UTF-8: write the text in UTF-8"
		name      = " is not an identifier: write an ASCII letter or '_', then ASCII letters, digits and '_', such as <user_id>"
		neighbour = "between <a> and <b> nothing shows where one value ends, so two nodes could share a key: " +
			"write a separator between them that no value contains, such as ':' or '/'"
	)
	tests := []struct {
		name   string
		text   string
		pos    int
		reason string
	}{
		{"empty text", "", 0, `the text is empty: write the key, such as "user:<id>:shelf"`},
		{"byte that is not UTF-8", "user\xff:<id>", 4, "byte 0xFF" + notUTF8},
		{"half a character", "user:<id>:\xc3", 10, "byte 0xC3" + notUTF8},
		{"space", "user: <id>", 5, "white space (U+0020" + space},
		{"newline", "<id>\n", 4, "white space (U+000A" + space},
		{"no-break space", "a\u00a0b", 1, "white space (U+00A0" + space},
		{"NUL", "a\x00b", 1, "U+0000" + invisible},
		{"DEL", "a\x7fb", 1, "U+007F" + invisible},
		{"zero-width space", "a\u200bb", 1, "U+200B" + invisible},
		{"opening brace", "user:{<id>}", 5, "'{'" + slot},
		{"closing brace", "user:<id>}", 9, "'}'" + slot},
		{"star", "*:<id>", 0, "'*'" + pattern},
		{"question mark", "a?", 1, "'?'" + pattern},
		{"opening bracket", "a[", 1, "'['" + pattern},
		{"closing bracket", "a]", 1, "']'" + pattern},
		{"backslash", `a\`, 1, `'\\'` + pattern},
		{"percent sign", "a%", 1, "'%' is kept for escaped values: write another separator, such as ':'"},
		{
			"closing angle alone", "book:<id>>owner", 9,
			"'>' closes no hole: write a hole as <name>, and leave '>' out elsewhere, since it parts a key from its field",
		},
		{"hole open at the end", "user:<id", 5, notClosed},
		{"hole in a hole", "user:<us<er>>", 5, notClosed},
		{"angle at the end", "user:<", 5, notClosed},
		{"empty hole", "user:<>", 5, "hole <> has no name: write the field's name in it, such as <id>"},
		{"name with a digit first", "<9a>", 0, `hole name "9a"` + name},
		{"name with a space", "<user id>", 0, `hole name "user id"` + name},
		{"name with a hyphen", "x<user-id>", 1, `hole name "user-id"` + name},
		{"name with a letter outside ASCII", "<é>", 0, `hole name "é"` + name},
		{"name that is not UTF-8", "<a\xff>", 0, `hole name "a\xff"` + name},
		{"name twice", "<id>:<id>", 5, "hole <id> stands here for the second time: write each hole once"},
		{"holes side by side", "<a><b>", 3, neighbour},
		{"holes parted by what values contain", "user:<a>-x_.~@9Z<b>:shelf", 16, neighbour},
		{"the first of two faults", "a b<", 1, "white space (U+0020" + space},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			template, err := keytmpl.Parse(tt.text)
			var got *keytmpl.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("Parse(%q) = %v, %v, want a *SyntaxError", tt.text, template, err)
			}
			want := &keytmpl.SyntaxError{Text: tt.text, Pos: tt.pos, Reason: tt.reason}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Parse(%q) error (-want +got):\n%s", tt.text, diff)
			}
			if template != nil {
				t.Errorf("Parse(%q) = %v beside an error, want nil", tt.text, template)
			}
		})
	}
}

func TestSyntaxErrorNamesTextAndPlace(t *testing.T) {
	t.Parallel()
	_, err := keytmpl.Parse("user:<id")
	const want = `key template "user:<id", byte 5: '<' opens a hole that is not closed: write it as <name>`
	if err == nil || err.Error() != want {
		t.Errorf("Parse error = %v, want %s", err, want)
	}
}

func TestTemplateIsNotChangedThroughItsSlices(t *testing.T) {
	t.Parallel()
	template := mustParse(t, "user:<user>:book:<book>")
	template.Holes()[0] = "x"
	template.Literals()[0] = "x"
	if got := template.Holes()[0]; got != "user" {
		t.Errorf("Holes()[0] = %q after writing to an earlier result, want user", got)
	}
	if got := template.Literals()[0]; got != "user:" {
		t.Errorf("Literals()[0] = %q after writing to an earlier result, want user:", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "<", ">", "<>", "<id>", "user:<id>:shelf", "user:<user>:book:<book>", "<a><b>", "<a>x:y<b>z", "<a>é<b>",
		"user:{<id>}", "a*", "a%", "a\x00", "a\xff", "<id>:<id>", "книга/<id>", "<a>:<", strings.Repeat("<a>:", 3),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := keytmpl.Parse(text)
		if err != nil {
			var fault *keytmpl.SyntaxError
			if !errors.As(err, &fault) || fault.Text != text || fault.Pos < 0 || fault.Pos > len(text) {
				t.Fatalf("Parse(%q) = %#v, want a *SyntaxError with a place in the text", text, err)
			}
			if fault.Reason == "" || !utf8.ValidString(err.Error()) {
				t.Fatalf("Parse(%q) = %q, want a readable reason", text, err)
			}
			return
		}
		holes, literals := template.Holes(), template.Literals()
		if len(literals) != len(holes)+1 {
			t.Fatalf("Parse(%q) has %d literals and %d holes", text, len(literals), len(holes))
		}
		var rebuilt strings.Builder
		rebuilt.WriteString(literals[0])
		for i, hole := range holes {
			rebuilt.WriteString("<" + hole + ">" + literals[i+1])
		}
		if rebuilt.String() != text || template.String() != text {
			t.Fatalf("Parse(%q) was rebuilt as %q, String() = %q", text, rebuilt.String(), template)
		}
		assertPlainKey(t, strings.Join(literals, ""))

		var values []string
		for i := range holes {
			values = append(values, []string{"all", "%", "%nil", "7"}[i%4])
		}
		key := render(template, values)
		if got, ok := template.Match(key); !ok || !slices.Equal(got, values) {
			t.Fatalf("Match(%q) of %q = %q, %v, want %q", key, text, got, ok, values)
		}
		if len(text) > 200 {
			return
		}
		example, overlaps := keytmpl.Overlap(template, template)
		if _, ok := template.Match(example); !overlaps || !ok {
			t.Fatalf("Overlap of %q with itself = %q, %v, want a key of it", text, example, overlaps)
		}
	})
}

func mustParse(t testing.TB, text string) *keytmpl.Template {
	t.Helper()
	template, err := keytmpl.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// render puts values, already escaped, into the holes of template.
func render(template *keytmpl.Template, values []string) string {
	literals := template.Literals()
	key := literals[0]
	for i, value := range values {
		key += value + literals[i+1]
	}
	return key
}

// assertPlainKey fails the test if key has a character with a meaning to Redis, to a log line or to C.
func assertPlainKey(t *testing.T, key string) {
	t.Helper()
	if i := strings.IndexAny(key, "*?[]\\{}<> \t\r\n\v\f\x00\x7f"); i >= 0 || !utf8.ValidString(key) {
		t.Fatalf("key %q has %q, which no key may have, or is not UTF-8", key, key[max(i, 0):])
	}
}
