package keytmpl_test

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// hostileStrings are values that a careless key scheme confuses with each other or with its own syntax.
func hostileStrings() []string {
	return []string{
		"", "all", "%", "%25", "%61ll", "%2561ll", "%nil", "%25nil", "nil", "ALL", "allx", "xall", "%all",
		":", ">", "<", "*", "?", "[", "]", "{", "}", "\\", "/", "\n", "\r", "\x00", " ", "%2F", "%2f", "+",
		"a:b", "a", "b", "\xff", "\xc3\x28", "a\x80", "é", "e\u0301", "-", ".", "..", "_", "~", "@", "7", "07", "-7",
		strings.Repeat("ключ🔑", 80), strings.Repeat("ключ🔑", 80) + ":",
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, want string }{
		{"plain characters stay", "AZaz09-_.~@", "AZaz09-_.~@"},
		{"the empty string has a text", "", "%"},
		{"all gives way to the open side", "all", "%61ll"},
		{"a longer all stays", "alls", "alls"},
		{"the text of all is not all", "%61ll", "%2561ll"},
		{"the text of nil is not nil", "%nil", "%25nil"},
		{"a separator is escaped", "a:b/c", "a%3Ab%2Fc"},
		{"the percent sign is escaped", "%", "%25"},
		{"hex is upper case", "\xab\x0f", "%AB%0F"},
		{"unicode is escaped by byte", "é", "%C3%A9"},
		{"plus is not space", "+ ", "%2B%20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(keytmpl.AppendString([]byte("key:"), tt.value)); got != "key:"+tt.want {
				t.Errorf("AppendString(key:, %q) = %q, want %q", tt.value, got, "key:"+tt.want)
			}
		})
	}
}

func TestUnescapeRefusesWhatAppendStringDoesNotWrite(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, value, want string }{
		{"nothing", "", `unescape value: the text is empty, the empty string is written "%"`},
		{"open side", "all", `unescape value "all": it is the open side, the string is written "%61ll"`},
		{"nil pointer", "%nil", `unescape value "%nil": it is the nil pointer, not a string`},
		{"bare character", "ab:c", `unescape value "ab:c", byte 2: neither a plain character nor an escaped one`},
		{"lower-case hex", "%2f", `unescape value "%2f", byte 0: neither a plain character nor an escaped one`},
		{"escaped plain character", "x%41", `unescape value "x%41", byte 1: neither a plain character nor an escaped one`},
		{"cut escape", "x%2", `unescape value "x%2", byte 1: neither a plain character nor an escaped one`},
		{"percent sign at the end", "x%", `unescape value "x%", byte 1: neither a plain character nor an escaped one`},
		{"no hex", "%GG", `unescape value "%GG", byte 0: neither a plain character nor an escaped one`},
		{"longer than the text of all", "%61lls", `unescape value "%61lls", byte 0: neither a plain character nor an escaped one`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := keytmpl.Unescape(tt.value)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Unescape(%q) = %q, %v, want error %s", tt.value, got, err, tt.want)
			}
		})
	}
}

func TestUnescapeAcceptsExactlyTheTextsOfStrings(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 1))
	pieces := []string{"%", "6", "1", "l", "a", "all", "%61ll", "nil", "F", "f", ":", "3A", "\xc3", "%C3", "%25"}
	accepted := 0
	for range 200_000 {
		var text string
		for range random.IntN(5) {
			text += pieces[random.IntN(len(pieces))]
		}
		got, err := keytmpl.Unescape(text)
		if want := isStringText(text); (err == nil) != want {
			t.Fatalf("Unescape(%q) = %q, %v, want accepted %v", text, got, err, want)
		}
		if err == nil {
			accepted++
			if again := string(keytmpl.AppendString(nil, got)); again != text {
				t.Fatalf("AppendString(Unescape(%q)) = %q, want the same text", text, again)
			}
		}
	}
	if accepted < 1000 || accepted > 199_000 {
		t.Errorf("Unescape accepted %d of 200000 texts: the pieces no longer try both sides", accepted)
	}
}

func TestStringsNeverShareAText(t *testing.T) {
	t.Parallel()
	texts := make(map[string]string)
	for _, value := range hostileStrings() {
		text := string(keytmpl.AppendString(nil, value))
		if other, taken := texts[text]; taken {
			t.Errorf("AppendString of %q and of %q = %q, want two texts", value, other, text)
		}
		texts[text] = value
	}
	for _, kept := range []string{string(keytmpl.AppendAll(nil)), string(keytmpl.AppendNil(nil))} {
		if value, taken := texts[kept]; taken {
			t.Errorf("AppendString(%q) = %q, which is kept", value, kept)
		}
	}
}

func FuzzString(f *testing.F) {
	hostile := hostileStrings()
	for i, value := range hostile {
		f.Add(value, hostile[(i+1)%len(hostile)])
		f.Add(value, string(keytmpl.AppendString(nil, value)))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		textA, textB := string(keytmpl.AppendString(nil, a)), string(keytmpl.AppendString(nil, b))
		if (a == b) != (textA == textB) {
			t.Fatalf("AppendString of %q and %q = %q and %q", a, b, textA, textB)
		}
		assertValue(t, textA)
		if textA == "all" || textA == "%nil" {
			t.Fatalf("AppendString(%q) = %q, which is kept", a, textA)
		}
		if got, err := keytmpl.Unescape(textA); err != nil || got != a {
			t.Fatalf("Unescape(%q) = %q, %v, want %q", textA, got, err, a)
		}
		if got, err := keytmpl.Unescape(a); err == nil && string(keytmpl.AppendString(nil, got)) != a {
			t.Fatalf("Unescape(%q) = %q, whose text is another", a, got)
		}
	})
}

// assertValue fails the test unless text is a value's: not empty, and of the value alphabet only.
func assertValue(t *testing.T, text string) {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~@%"
	if text == "" || strings.Trim(text, alphabet) != "" {
		t.Fatalf("value %q is empty or has a character outside the value alphabet", text)
	}
}

// isStringText says by way of net/url, thus apart from Unescape, whether text is the text of a string.
func isStringText(text string) bool {
	if text == "%" {
		return true
	}
	value, err := url.PathUnescape(text)
	return err == nil && string(keytmpl.AppendString(nil, value)) == text
}
