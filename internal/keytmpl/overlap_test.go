package keytmpl_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/keytmpl"
	"github.com/cacheme/cacheme/internal/suite"
)

func TestOverlap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		a, b    string
		example string
		want    bool
	}{
		{"the same text", "user:<id>", "user:<id>", "user:1", true},
		{"other hole names change nothing", "user:<id>", "user:<name>", "user:1", true},
		{"a literal that a hole can hold", "user:<id>:shelf", "user:all:<list>", "user:all:shelf", true},
		{"a hole at both ends", "<a>:x", "x:<b>", "x:x", true},
		{"a value that is longer than one byte", "v<id>", "<id>end", "vend", true},
		{"literals that share bytes in the middle", "ab<id>", "<id>bc", "abc", true},
		{"values grow on both sides", "<a>xyz", "abc<b>", "abcxyz", true},
		{"two literals", "site", "site", "site", true},
		{"other words", "user:<id>", "book:<id>", "", false},
		{"another depth", "user:<id>", "user:<id>:shelf", "", false},
		{"a value is not empty", "user:<id>", "user:", "", false},
		{"a value has no separator", "<a>", "user:7", "", false},
		{"a value has no unicode letter", "<a>", "книга", "", false},
		{"a hole after a longer word", "user<id>", "user", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := mustParse(t, tt.a), mustParse(t, tt.b)
			if example, got := keytmpl.Overlap(a, b); example != tt.example || got != tt.want {
				t.Errorf("Overlap(%q, %q) = %q, %v, want %q, %v", tt.a, tt.b, example, got, tt.example, tt.want)
			}
			if example, got := keytmpl.Overlap(b, a); example != tt.example || got != tt.want {
				t.Errorf("Overlap(%q, %q) = %q, %v, want %q, %v", tt.b, tt.a, example, got, tt.example, tt.want)
			}
		})
	}
}

func TestOverlapAgreesWithTryingEveryKey(t *testing.T) {
	t.Parallel()
	const longest = 7
	keys := keysUpTo(longest, "ab:")
	random := rand.New(rand.NewPCG(5, 1))
	overlapping, apart := 0, 0
	for range suite.Count(10_000) {
		a, b := smallTemplate(random), smallTemplate(random)
		example, overlaps := keytmpl.Overlap(a, b)
		if overlaps {
			overlapping++
			assertRenders(t, a, example)
			assertRenders(t, b, example)
		} else {
			apart++
		}
		shortest, found := firstShared(keys, a, b)
		if found != (overlaps && len(example) <= longest) {
			t.Fatalf("Overlap(%q, %q) = %q, %v, but trying gives %q, %v", a, b, example, overlaps, shortest, found)
		}
		if found && len(shortest) != len(example) {
			t.Fatalf("Overlap(%q, %q) = %q, want a shortest key such as %q", a, b, example, shortest)
		}
	}
	if overlapping < 100 || apart < 100 {
		t.Errorf("%d pairs overlap and %d do not: the templates no longer try both sides", overlapping, apart)
	}
}

func TestTemplatesThatDoNotOverlapShareNoKey(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(6, 1))
	shared := 0
	for range 20_000 {
		a, b := randomTemplate(random), randomTemplate(random)
		key := render(a, randomValues(random, a))
		_, ok := b.Match(key)
		if !ok {
			continue
		}
		shared++
		if example, overlaps := keytmpl.Overlap(a, b); !overlaps || len(example) > len(key) {
			t.Fatalf("Overlap(%q, %q) = %q, %v, but both render %q", a, b, example, overlaps, key)
		}
	}
	if shared < 100 {
		t.Errorf("only %d keys were shared: the templates no longer try it", shared)
	}
}

func assertRenders(t *testing.T, template *keytmpl.Template, key string) {
	t.Helper()
	values, ok := template.Match(key)
	if !ok || render(template, values) != key {
		t.Fatalf("example %q is not a key of %q: Match = %q, %v", key, template, values, ok)
	}
}

// firstShared returns the first of keys that both a and b can render.
func firstShared(keys []string, a, b *keytmpl.Template) (key string, found bool) {
	for _, key := range keys {
		if len(cuts(a.Literals(), key)) > 0 && len(cuts(b.Literals(), key)) > 0 {
			return key, true
		}
	}
	return "", false
}

// keysUpTo returns every text of at most length letters, the shorter ones first.
func keysUpTo(length int, letters string) []string {
	keys := []string{""}
	for from := 0; len(keys[from]) < length; from++ {
		for _, letter := range letters {
			keys = append(keys, keys[from]+string(letter))
		}
	}
	return keys
}

func smallTemplate(random *rand.Rand) *keytmpl.Template {
	pieces := []string{"a", "b", ":", "<x>", "<y>", "<x>"}
	for {
		var text strings.Builder
		for range 1 + random.IntN(5) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		if template, err := keytmpl.Parse(text.String()); err == nil {
			return template
		}
	}
}
