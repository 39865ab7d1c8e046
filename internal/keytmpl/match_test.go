package keytmpl_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

func TestKeysComeOutAsWritten(t *testing.T) {
	t.Parallel()
	template := mustParse(t, "user:<user>:book:<book>")
	user12 := string(keytmpl.AppendInt(nil, 12))
	book7 := string(keytmpl.AppendInt(nil, 7))
	all := string(keytmpl.AppendAll(nil))
	if got := render(template, []string{user12, all}); got != "user:12:book:all" {
		t.Errorf("key with the book side open = %q, want user:12:book:all", got)
	}
	if got := render(template, []string{all, book7}); got != "user:all:book:7" {
		t.Errorf("key with the user side open = %q, want user:all:book:7", got)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		key  string
		want []string
		ok   bool
	}{
		{"a template without holes matches itself", "site", "site", nil, true},
		{"and nothing else", "site", "sites", nil, false},
		{"values are cut at the separators", "user:<u>:book:<b>", "user:12:book:all", []string{"12", "all"}, true},
		{"the rest belongs to the last hole", "v<id>", "vv1", []string{"v1"}, true},
		{"a separator's value characters are not a value's", "<a>x:x<b>", "xx:xx", []string{"x", "x"}, true},
		{"an outer literal may look like a value", "a<a>b", "aabb", []string{"ab"}, true},
		{"prefix and suffix do not share bytes", "aba<id>aba", "ababa", nil, false},
		{"escaped values stay escaped", "k:<a>", "k:a%3Ab", []string{"a%3Ab"}, true},
		{"the empty string, nil and the string all are values", "<a>:<b>:<c>", "%:%nil:%61ll", []string{"%", "%nil", "%61ll"}, true},
		{"unicode literals", "книга<a>é<b>я", "книга1é2я", []string{"1", "2"}, true},
		{"an empty value is none", "k:<a>:<b>", "k::1", nil, false},
		{"an empty last value is none", "k:<a>", "k:", nil, false},
		{"a separator in a value is none", "k:<a>", "k:1:2", nil, false},
		{"a missing separator", "<a>:<b>", "12", nil, false},
		{"a separator's half", "<a>x:x<b>", "1x:2", nil, false},
		{"a separator that would eat the value", "<a>x:<b>", "x:1", nil, false},
		{"a separator longer than what is left", "<a>xyz:<b>", "y:1", nil, false},
		{"another prefix", "user:<id>", "book:7", nil, false},
		{"another suffix", "user:<id>:shelf", "user:7:list", nil, false},
		{"an escape that nobody writes", "k:<a>", "k:%41", nil, false},
		{"an escape in lower case", "k:<a>", "k:%3a", nil, false},
		{"an escape cut short", "k:<a>:<b>", "k:%3:1", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := mustParse(t, tt.text).Match(tt.key)
			if ok != tt.ok || !slices.Equal(got, tt.want) {
				t.Errorf("Match(%q) of %q = %q, %v, want %q, %v", tt.key, tt.text, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"site:settings":           "site:settings",
		"user:<user>:book:<book>": "user:*:book:*",
		"<a>^!é<b>x":              "*^!é*x",
	} {
		if got := mustParse(t, text).Glob(); got != want {
			t.Errorf("Glob() of %q = %q, want %q", text, got, want)
		}
	}
}

func TestMatchIsTheInverseOfRendering(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		template := randomTemplate(random)
		values, others := randomValues(random, template), randomValues(random, template)
		key := render(template, values)
		assertPlainKey(t, key)
		if got, ok := template.Match(key); !ok || !slices.Equal(got, values) {
			t.Fatalf("Match(%q) of %q = %q, %v, want %q", key, template, got, ok, values)
		}
		if other := render(template, others); (key == other) != slices.Equal(values, others) {
			t.Fatalf("%q renders %q as %q and %q as %q", template, values, key, others, other)
		}
		if !globMatches(template.Glob(), key) {
			t.Fatalf("Glob() of %q = %q, which does not match its key %q", template, template.Glob(), key)
		}
	}
}

func TestMatchAcceptsExactlyWhatCanBeRendered(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 1))
	accepted, refused := 0, 0
	for range 40_000 {
		template := randomTemplate(random)
		key := damage(random, render(template, randomValues(random, template)))
		ways := cuts(template.Literals(), key)
		if len(ways) > 1 {
			t.Fatalf("%q renders %q from each of %q, want one way at most", template, key, ways)
		}
		got, ok := template.Match(key)
		if ok != (len(ways) == 1) {
			t.Fatalf("Match(%q) of %q = %q, %v, but it can be rendered from %q", key, template, got, ok, ways)
		}
		if !ok {
			refused++
			continue
		}
		accepted++
		if again := render(template, got); again != key {
			t.Fatalf("Match(%q) of %q = %q, which renders %q", key, template, got, again)
		}
	}
	if accepted < 1000 || refused < 1000 {
		t.Errorf("%d keys accepted and %d refused: the damage no longer tries both sides", accepted, refused)
	}
}

// cuts returns every way to cut key into the values between literals by trying all of them, thus apart from Match.
func cuts(literals []string, key string) [][]string {
	rest, ok := strings.CutPrefix(key, literals[0])
	if !ok {
		return nil
	}
	if len(literals) == 1 {
		if rest != "" {
			return nil
		}
		return [][]string{{}}
	}
	var ways [][]string
	for end := 1; end <= len(rest); end++ {
		if value := rest[:end]; value == "all" || value == "%nil" || isStringText(value) {
			for _, way := range cuts(literals[1:], rest[end:]) {
				ways = append(ways, append([]string{value}, way...))
			}
		}
	}
	return ways
}

// damage returns key with a few bytes taken out, put in or replaced, or as it is.
func damage(random *rand.Rand, key string) string {
	for range random.IntN(3) {
		at := random.IntN(len(key) + 1)
		end := min(len(key), at+random.IntN(2))
		piece := []string{"", "a", "l", ":", "%", "1", "%3A", "x:"}[random.IntN(8)]
		key = key[:at] + piece + key[end:]
	}
	return key
}

// randomTemplate returns a template of up to three holes whose literals are likely to be mistaken for values.
func randomTemplate(random *rand.Rand) *keytmpl.Template {
	pieces := []string{"a", "l", "al", "all", "x", ":", "::", "a:", ":a", "é", "-", "1", "/", "<a>", "<b>", "<c>", "<a>", "<b>"}
	for {
		var text string
		for range 1 + random.IntN(7) {
			text += pieces[random.IntN(len(pieces))]
		}
		if template, err := keytmpl.Parse(text); err == nil {
			return template
		}
	}
}

func randomValues(random *rand.Rand, template *keytmpl.Template) []string {
	hostile := hostileStrings()
	values := make([]string, len(template.Holes()))
	for i := range values {
		var value []byte
		switch random.IntN(8) {
		case 0:
			value = keytmpl.AppendAll(nil)
		case 1:
			value = keytmpl.AppendNil(nil)
		case 2:
			value = keytmpl.AppendInt(nil, random.Int64N(4)-2)
		case 3, 4:
			// Hostile short ones again and again, so that two draws are often the same and often nearly so.
			value = keytmpl.AppendString(nil, hostile[random.IntN(12)])
		default:
			value = keytmpl.AppendString(nil, hostile[random.IntN(len(hostile)-2)])
		}
		values[i] = string(value)
	}
	return values
}

// globMatches is Redis's MATCH for patterns whose only metacharacter is "*".
func globMatches(glob, key string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, `.*`)
	return regexp.MustCompile(`(?s)\A` + pattern + `\z`).MatchString(key)
}
