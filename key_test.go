package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// Named types, and types that say themselves how they look as text.
type (
	shelfMark string
	uuid      [16]byte
	isbn      struct{ group, title int }
	colour    struct{ name string }
)

func (i isbn) MarshalText() ([]byte, error) {
	if i.group < 0 {
		return nil, errors.New("there is no negative group")
	}
	return fmt.Appendf(nil, "%d-%d", i.group, i.title), nil
}

func (c *colour) MarshalText() ([]byte, error) { return []byte(c.name), nil }

// String must not be asked: [16]byte prints alike, whatever its type says.
func (uuid) String() string { return "a uuid" }

func (uuid) MarshalText() ([]byte, error) { return []byte("a uuid"), nil }

type (
	keyKinds struct {
		cacheme.Node[int]
		Int    int8      `cacheme:"field"`
		Uint   uint64    `cacheme:"field"`
		Mark   shelfMark `cacheme:"field"`
		Flag   bool      `cacheme:"field"`
		At     time.Time `cacheme:"field"`
		ID     uuid      `cacheme:"field"`
		Raw    [16]byte  `cacheme:"field"`
		ISBN   isbn      `cacheme:"field"`
		Colour colour    `cacheme:"field"`
	}
	keyPointer struct {
		cacheme.Node[int]
		ID *int64 `cacheme:"field"`
	}
	keyText struct {
		cacheme.Node[string]
		A string `cacheme:"field"`
		B string `cacheme:"field"`
	}
	keyNumbered struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	keyNames struct {
		cacheme.Node[int]
		UserID   int `cacheme:"field"`
		HTTPCode int `cacheme:"field"`
		B2B      int `cacheme:"field,name=deal"`
	}
)

func (keyKinds) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "k:<int>:<uint>:<mark>:<flag>:<at>:<id>:<raw>:<isbn>:<colour>"}
}
func (keyPointer) Meta() cacheme.Meta  { return cacheme.Meta{Key: "pointer:<id>"} }
func (keyText) Meta() cacheme.Meta     { return cacheme.Meta{Key: "text:<a>:<b>"} }
func (keyNumbered) Meta() cacheme.Meta { return cacheme.Meta{Key: "numbered:<id>"} }
func (keyNames) Meta() cacheme.Meta    { return cacheme.Meta{Key: "<user_id>/<http_code>/<deal>"} }

// A many-to-many relation whose ids are text.
type (
	reader struct {
		Name string `bun:",pk"`
	}
	reads struct {
		ReaderName string  `bun:",pk"`
		Reader     *reader `bun:"rel:belongs-to,join:reader_name=name"`
		Isbn       string  `bun:",pk"`
	}
	keySides struct {
		cacheme.ModelInvalidNode
		Reader string `cacheme:"field"`
		Isbn   string `cacheme:"field,name=book"`
	}
	keyPointerSides struct {
		cacheme.ModelInvalidNode
		Reader *string `cacheme:"field"`
		Isbn   *string `cacheme:"field,name=volume"`
	}
	keyPlaces struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
		Book int64 `cacheme:"field"`
	}
	keyAuthor struct {
		cacheme.ModelInvalidNode
		Author int64 `cacheme:"field"`
	}
	keyTable struct{ cacheme.ModelInvalidNode }
)

func (keySides) Meta() cacheme.Meta        { return cacheme.Meta{Model: (*reads)(nil), M2M: true} }
func (keyPointerSides) Meta() cacheme.Meta { return cacheme.Meta{Model: (*reads)(nil), M2M: true} }
func (keyPlaces) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*storedPlace)(nil), M2M: true}
}
func (keyAuthor) Meta() cacheme.Meta { return cacheme.Meta{Model: (*storedBook)(nil)} }
func (keyTable) Meta() cacheme.Meta  { return cacheme.Meta{Model: (*storedBook)(nil)} }

func newKeys(t testing.TB) *cachetest.Cache {
	return cachetest.New(t, keyKinds{}, keyPointer{}, keyText{}, keyNumbered{}, keyNames{},
		keySides{}, keyPointerSides{}, keyPlaces{}, keyAuthor{}, keyTable{}, goodChange{})
}

func TestKeysComeOutAsWritten(t *testing.T) {
	t.Parallel()
	cache := newKeys(t)
	noon := time.Date(2024, 2, 29, 13, 0, 0, 500_000_000, time.FixedZone("CET", 3600))
	id := uuid{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	zero, one, empty, all := int64(0), int64(1), "", "all"
	for _, c := range []struct {
		node cacheme.Declaration
		want string
	}{
		{keyKinds{}, "k:0:0:%:false:00010101T000000Z:00000000-0000-0000-0000-000000000000:00000000-0000-0000-0000-000000000000:0-0:%"},
		{
			keyKinds{Int: -128, Uint: 1<<64 - 1, Mark: "R 12/7", Flag: true, At: noon, ID: id, Raw: id, ISBN: isbn{3, 16}, Colour: colour{"blue"}},
			"k:-128:18446744073709551615:R%2012%2F7:true:20240229T120000.5Z:6ba7b810-9dad-11d1-80b4-00c04fd430c8:6ba7b810-9dad-11d1-80b4-00c04fd430c8:3-16:blue",
		},
		{keyPointer{}, "pointer:%nil"},
		{keyPointer{ID: &zero}, "pointer:0"},
		{keyPointer{ID: &one}, "pointer:1"},
		{keyText{}, "text:%:%"},
		{keyText{A: "all", B: "nil"}, "text:%61ll:nil"},
		{keyText{A: "a:b>c", B: "*{}%"}, "text:a%3Ab%3Ec:%2A%7B%7D%25"},
		{keyText{A: "\n\x00", B: "\xff"}, "text:%0A%00:%FF"},
		{keyNames{UserID: 1, HTTPCode: 2, B2B: 3}, "1/2/3"},

		{keyPlaces{User: 12}, "user:12:book:all"},
		{keyPlaces{Book: 7}, "user:all:book:7"},
		{keyPlaces{User: 12, Book: 7}, "user:12:book:7"},
		{keyPlaces{}, ""},
		{keySides{Reader: "all"}, "reader:%61ll:book:all"},
		{keySides{Isbn: "all"}, "reader:all:book:%61ll"},
		{keySides{Reader: "Ann", Isbn: "a:all"}, "reader:Ann:book:a%3Aall"},
		{keyPointerSides{Reader: &empty}, "reader:%:volume:all"},
		{keyPointerSides{Isbn: &all}, "reader:all:volume:%61ll"},
		{keyAuthor{Author: 3}, "stored_book:author:3"},
		{goodChange{ID: 3}, "stored_book:3"},
		{keyTable{}, ""},
	} {
		if got, err := cache.KeyOf(c.node); got != c.want || err != nil {
			t.Errorf("KeyOf(%#v) = %q, %v, want %q", c.node, got, err, c.want)
		}
	}
	var usage *cacheme.UsageError
	if key, err := cache.KeyOf(keyKinds{ISBN: isbn{group: -1}}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "negative group") {
		t.Errorf("KeyOf(a value without text) = %q, %v, want a *UsageError with the reason", key, err)
	}
}

func TestSameInstantIsSameKeyInAnyZone(t *testing.T) {
	t.Parallel()
	cache := newKeys(t)
	now := time.Now() // with a monotonic reading
	want, err := cache.KeyOf(keyKinds{At: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{now.UTC(), now.Round(0), now.In(time.FixedZone("east", 8*3600)), time.Unix(0, now.UnixNano())} {
		if got, _ := cache.KeyOf(keyKinds{At: at}); got != want {
			t.Errorf("KeyOf(at %v) = %q, want %q", at, got, want)
		}
	}
}

// awkward ids are what a key must not stumble over.
func awkward() []string {
	return []string{
		"", "all", "%", "%nil", "%61ll", "nil", "0", "1", "a", ":", "a:b", ">", "a>b", "*", "?", "[a-z]", "\\", "{", "}", "{a}", "}>",
		"user:1", "numbered:1", "text:1:2", " ", "\n", "\r\n", "\x00", "\xff\xfe", "\xc3\x28", "é", "e\u0301", "日本", ":invalid", ":lease",
		strings.Repeat("x", 1024), strings.Repeat("日", 342), strings.Repeat("%", 1024),
	}
}

func TestAwkwardIdsHaveEntriesOfTheirOwn(t *testing.T) {
	t.Parallel()
	cache := newKeys(t)
	ctx := context.Background()
	load := func(_ context.Context, n keyText) (string, error) { return "value of " + n.A, nil }
	nodes := map[string]keyText{}
	for _, a := range awkward() {
		n := keyText{A: a, B: "z"}
		key, err := cache.KeyOf(n)
		if err != nil {
			t.Fatalf("KeyOf(%q) = %v", a, err)
		}
		if other, ok := nodes[key]; ok {
			t.Fatalf("%q and %q share the key %q", other.A, a, key)
		}
		nodes[key] = n
		if v, err := cacheme.GetFrom(ctx, cache.Cache, n, load); v != "value of "+a || err != nil {
			t.Errorf("GetFrom(%q) = %q, %v", a, v, err)
		}
		if v, err := cacheme.GetFrom(ctx, cache.Cache, keyNumbered{ID: int64(len(nodes))}, func(context.Context, keyNumbered) (string, error) { return "n", nil }); v != "n" || err != nil {
			t.Fatal(v, err)
		}
	}
	for _, n := range nodes {
		if r, err := peekAt(cache, n); r.Value != "value of "+n.A || err != nil {
			t.Errorf("Peek(%q) = %q, %v", n.A, r.Value, err)
		}
	}
	listed := 0
	for key, err := range cache.Keys(ctx, keyText{}) {
		if _, ok := nodes[key]; !ok || err != nil {
			t.Errorf("Keys yields %q, %v: no such node", key, err)
		}
		listed++
	}
	if listed != len(nodes) {
		t.Errorf("Keys yields %d keys, want %d", listed, len(nodes))
	}

	// No id is matched by what is meant for others, and a key as it is listed matches itself alone.
	for _, pattern := range []string{"numbered:*:z", "user:*", "*:lease", "text:all:*", "text::*", "text:a:*:*", "text:nil:b*"} {
		if n, err := cache.RemovePattern(ctx, pattern); n != 0 || err != nil {
			t.Errorf("RemovePattern(%q) = %d, %v, want 0", pattern, n, err)
		}
	}
	if n, err := cache.RemovePattern(ctx, "numbered:*"); n != len(nodes) || err != nil {
		t.Errorf("RemovePattern(numbered:*) = %d, %v, want %d", n, err, len(nodes))
	}
	left := len(nodes)
	for key, n := range nodes {
		if removed, err := cache.RemovePattern(ctx, key); removed != 1 || err != nil {
			t.Errorf("RemovePattern(%q) = %d, %v, want 1", key, removed, err)
		}
		left--
		if _, err := peekAt(cache, n); !errors.Is(err, cacheme.ErrNoEntry) {
			t.Errorf("Peek(%q) after its removal = %v, want %v", n.A, err, cacheme.ErrNoEntry)
		}
	}
	if n, err := cache.Count(ctx, keyText{}); n != left || err != nil {
		t.Errorf("Count = %d, %v, want %d", n, err, left)
	}
}

func TestDifferentNodesNeverShareAKey(t *testing.T) {
	t.Parallel()
	cache := newKeys(t)
	pieces := append(awkward(), "text", ":", ">", "{", "}", "al", "l", "%6", "1ll", "%3A")
	random := rand.New(rand.NewPCG(1, 2))
	word := func() (w string) {
		for range random.IntN(3) {
			w += pieces[random.IntN(len(pieces))]
		}
		return w
	}
	seen := map[string]keyText{}
	for range 5000 {
		n := keyText{A: word(), B: word()}
		key, err := cache.KeyOf(n)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[key]; ok && other != n {
			t.Fatalf("%q and %q share the key %q", other, n, key)
		}
		seen[key] = n
	}
	if len(seen) < 2000 {
		t.Errorf("only %d different keys", len(seen))
	}
}

func FuzzKeys(f *testing.F) {
	for i, a := range awkward() {
		others := awkward()
		f.Add(a, others[(i+1)%len(others)], others[(i+2)%len(others)], a)
	}
	cache := newKeys(f)
	key := func(t *testing.T, a, b string) string {
		k, err := cache.KeyOf(keyText{A: a, B: b})
		if err != nil {
			t.Fatalf("KeyOf(%q, %q) = %v", a, b, err)
		}
		if again, _ := cache.KeyOf(keyText{B: b, A: a}); again != k {
			t.Fatalf("KeyOf(%q, %q) = %q, then %q", a, b, k, again)
		}
		if strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`{}>*?[]\`, r) }) {
			t.Fatalf("KeyOf(%q, %q) = %q: it holds a character that no key has", a, b, k)
		}
		return k
	}
	f.Fuzz(func(t *testing.T, a1, b1, a2, b2 string) {
		if same := a1 == a2 && b1 == b2; (key(t, a1, b1) == key(t, a2, b2)) != same {
			t.Errorf("(%q, %q) and (%q, %q) share a key: %v, want %v", a1, b1, a2, b2, !same, same)
		}
		sides := func(reader, book string) string {
			k, err := cache.KeyOf(keySides{Reader: reader, Isbn: book})
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		if same := a1 == a2 && b1 == b2; (sides(a1, b1) == sides(a2, b2)) != same {
			t.Errorf("the sides (%q, %q) and (%q, %q) share a key: %v, want %v", a1, b1, a2, b2, !same, same)
		}
	})
}

func TestKeysOfTwoPartsOfOneMainKeyAreListedApart(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, partOwner{}, partWhole{})
	ctx := context.Background()
	for _, id := range []string{"a", "a>owner", "all"} {
		if _, err := cacheme.GetFrom(ctx, cache.Cache, partOwner{ID: id}, func(context.Context, partOwner) (string, error) { return "owner", nil }); err != nil {
			t.Fatal(err)
		}
		if v, err := cacheme.GetFrom(ctx, cache.Cache, partWhole{ID: id}, func(context.Context, partWhole) (string, error) { return "whole", nil }); v != "whole" || err != nil {
			t.Errorf("GetFrom = %v, %v", v, err)
		}
	}
	list := func(node cacheme.Declaration) (all []string) {
		for key, err := range cache.Keys(ctx, node) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, key)
		}
		slices.Sort(all)
		return all
	}
	if got := fmt.Sprint(list(partOwner{})); got != "[thing:%61ll>owner thing:a%3Eowner>owner thing:a>owner]" {
		t.Errorf("Keys(partOwner) = %v", got)
	}
	if got := fmt.Sprint(list(partWhole{})); got != "[thing:%61ll thing:a thing:a%3Eowner]" {
		t.Errorf("Keys(partWhole) = %v", got)
	}
}

type (
	partOwner struct {
		cacheme.Node[string]
		ID string `cacheme:"field"`
	}
	partWhole struct {
		cacheme.Node[string]
		ID string `cacheme:"field"`
	}
)

func (partOwner) Meta() cacheme.Meta { return cacheme.Meta{Key: "thing:<id>", Field: "owner"} }
func (partWhole) Meta() cacheme.Meta { return cacheme.Meta{Key: "thing:<id>"} }
