package sqltext

// tokenKind is what a token is to a database.
type tokenKind uint8

const (
	wordToken   tokenKind = iota // a name or keyword without quotes
	quotedToken                  // a name in quotes: "x", `x`, SQLite's [x]
	stringToken                  // '..', $$..$$, and MySQL's ".."
	numberToken
	paramToken // a parameter that has no name: ?, ?1, $1
	namedToken // a parameter that has one: SQLite's :x, @x, $x
	signToken  // any other single byte
)

// token is a piece of a text. Offsets are 32 bits wide because a bulk insert has very many of them.
type token struct {
	start, end int32
	match      int32 // of a bracket: the index of its counterpart
	kind       tokenKind
}

const (
	maxText  = 1 << 30 // what a token's offsets can count, with room to spare
	maxDepth = 1000    // more brackets in each other than a database accepts from anyone
)

// class tells what a byte can be in a name. Bytes of 0x80 and above are letters in all dialects.
type class uint8

const (
	letter class = 1 << iota // begins a name
	digit
	dollar // in a name, but not at its beginning
	space
	named = letter | digit | dollar
)

var classes = func() (c [256]class) {
	for b := range 256 {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', b == '_', b >= 0x80:
			c[b] = letter
		case '0' <= b && b <= '9':
			c[b] = digit
		case b == '$':
			c[b] = dollar
		case b == ' ', '\t' <= b && b <= '\r':
			c[b] = space
		}
	}
	return c
}()

// lower returns the lower case of an ASCII letter, and any other byte as it is.
func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// same returns whether two texts are equal but for the case of ASCII letters, which is how databases compare keywords.
func same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
