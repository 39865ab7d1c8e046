package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// tokens are what was written for invalidations: the Redis keys of their tokens, without what all of them have.
func tokens(t *testing.T, cache *cachetest.Cache) (names []string) {
	t.Helper()
	keys, err := cache.Redis().Keys(within(t), "CM:*:invalid").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(key, "CM:"), ":invalid"))
	}
	slices.Sort(names)
	return names
}

// wantWritten invalidates on an empty server and wants exactly these tokens.
func wantWritten(t *testing.T, cache *cachetest.Cache, name string, wrong []cacheme.Invalid, want ...string) {
	t.Helper()
	cache.FlushAll()
	if err := cache.Invalidate(within(t), wrong...); err != nil {
		t.Errorf("%s: Invalidate = %v", name, err)
	}
	if diff := cmp.Diff(want, tokens(t, cache)); diff != "" {
		t.Errorf("%s: tokens (-want +got):\n%s", name, diff)
	}
}

func TestRowMakesWrongWhatEveryNodeOfItsTableSays(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodChange{}, keyAuthor{}, keyTable{}, keyPlaces{}, ofPointers{})
	books := []string{"id", "title", "author_id"}
	book := func(values ...any) []cacheme.Invalid {
		return []cacheme.Invalid{cacheme.Row("stored_books", books, values...)}
	}
	places := []string{"book_id", "user_id"}
	place := func(values ...any) []cacheme.Invalid {
		return []cacheme.Invalid{cacheme.Row("stored_places", places, values...)}
	}
	key := func(node cacheme.Invalid) string {
		key, err := cache.KeyOf(node)
		if err != nil {
			t.Fatal(err)
		}
		return "row:" + key
	}
	three, nine := int64(3), int64(9)
	wantWritten(t, cache, "a row", book(int64(7), "T", int64(3)), sorted(key(goodChange{ID: 7}), key(keyAuthor{Author: 3}), "rows:stored_books")...)
	wantWritten(t, cache, "a row before and after", append(book(int64(7), "T", int64(3)), book(int64(7), "T", int64(4))...),
		sorted(key(goodChange{ID: 7}), key(keyAuthor{Author: 3}), key(keyAuthor{Author: 4}), "rows:stored_books")...)
	wantWritten(t, cache, "a row without an author", book(int64(7), "T", nil),
		sorted(key(goodChange{ID: 7}), key(keyAuthor{Author: 0}), "rows:stored_books")...)
	wantWritten(t, cache, "a join row", place(int64(9), int64(3)), sorted(
		key(keyPlaces{User: 3, Book: 9}), key(keyPlaces{User: 3}), key(keyPlaces{Book: 9}),
		key(ofPointers{User: &three, Book: &nine}), key(ofPointers{User: &three}), key(ofPointers{Book: &nine}),
		"rows:stored_places")...)
	wantWritten(t, cache, "another spelling of the table is another table", []cacheme.Invalid{cacheme.Row("shop.stored_books", books, 7, "T", 3)}, "rows:shop.stored_books")
	wantWritten(t, cache, "a table that no node names", []cacheme.Invalid{cacheme.Row("nothing", []string{"id"}, 1)}, "rows:nothing")
	wantWritten(t, cache, "a column that is missing", []cacheme.Invalid{cacheme.Row("stored_books", books[:2], int64(7), "T")}, "rows:stored_books", "table:stored_books")
	wantWritten(t, cache, "a column given twice", []cacheme.Invalid{cacheme.Row("stored_books", []string{"id", "author_id", "author_id"}, 7, 1, 2)}, "rows:stored_books", "table:stored_books")
	wantWritten(t, cache, "no columns at all", []cacheme.Invalid{cacheme.Row("stored_books", nil)}, "rows:stored_books", "table:stored_books")
}

func sorted(all ...string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// A side that is NULL or zero is in no list: what is wrong is the list of the other side, and no pair of it.
func TestRowWithoutASideIsInTheListOfTheOtherOneAlone(t *testing.T) {
	t.Parallel()
	places := []string{"user_id", "book_id"}
	cache := cachetest.New(t, keyPlaces{})
	other := "row:" + must(t)(cache.KeyOf(keyPlaces{Book: 9}))
	for name, user := range map[string]any{"NULL": nil, "zero": int64(0)} {
		wantWritten(t, cache, name, []cacheme.Invalid{cacheme.Row("stored_places", places, user, int64(9))}, other, "rows:stored_places")
	}
	wantWritten(t, cache, "no side", []cacheme.Invalid{cacheme.Row("stored_places", places, nil, nil)}, "rows:stored_places")

	// A pointer makes zero a side. The model's plain field reads NULL as zero, of which somebody may have made a pointer.
	pointers := cachetest.New(t, ofPointers{})
	none, nine := int64(0), int64(9)
	pair := "row:" + must(t)(pointers.KeyOf(ofPointers{User: &none, Book: &nine}))
	user := "row:" + must(t)(pointers.KeyOf(ofPointers{User: &none}))
	other = "row:" + must(t)(pointers.KeyOf(ofPointers{Book: &nine}))
	for name, v := range map[string]any{"NULL for a pointer": nil, "zero for a pointer": int64(0)} {
		wantWritten(t, pointers, name, []cacheme.Invalid{cacheme.Row("stored_places", places, v, int64(9))}, sorted(pair, user, other, "rows:stored_places")...)
	}
	wantWritten(t, pointers, "two of them that are NULL", []cacheme.Invalid{cacheme.Row("stored_places", places, nil, nil)}, "rows:stored_places", "table:stored_places")
}

func must(t *testing.T) func(string, error) string {
	return func(s string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestRowMakesEntriesWrongAndLeavesOthersFresh(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, rowReader{}, goodChange{}, keyAuthor{}, keyTable{}, keyPlaces{})
	ctx := within(t)
	readers := map[string][]cacheme.Invalid{
		"book 7":                        {goodChange{ID: 7}},
		"book 8":                        {goodChange{ID: 8}},
		"books of 3":                    {keyAuthor{Author: 3}},
		"books of 4":                    {keyAuthor{Author: 4}},
		"all books":                     {keyTable{}},
		"all books, named by the table": {cacheme.Table("stored_books")},
		"places of user 1":              {keyPlaces{User: 1}},
		"places of user 2":              {keyPlaces{User: 2}},
		"places of book 7":              {keyPlaces{Book: 7}},
		"user 1 and book 7":             {keyPlaces{User: 1, Book: 7}},
		"user 1 and book 8":             {keyPlaces{User: 1, Book: 8}},
		"all places":                    {keyPlaces{}},
	}
	loaded := map[string]bool{}
	ask := func() {
		for name, on := range readers {
			if _, err := cacheme.GetFrom(ctx, cache.Cache, rowReader{Name: name, on: on}, func(context.Context, rowReader) (int, error) {
				loaded[name] = true
				return 1, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask()
	for _, c := range []struct {
		row  cacheme.Invalid
		want []string
	}{
		{cacheme.Row("stored_books", []string{"id", "author_id"}, 7, 3), []string{"all books", "all books, named by the table", "book 7", "books of 3"}},
		{cacheme.Row("stored_books", []string{"id"}, 7), []string{"all books", "all books, named by the table", "book 7", "book 8", "books of 3", "books of 4"}},
		{cacheme.Row("stored_places", []string{"user_id", "book_id"}, 1, 7), []string{"all places", "places of book 7", "places of user 1", "user 1 and book 7"}},
		{cacheme.Row("stored_places", []string{"user_id", "book_id"}, 1, nil), []string{"all places", "places of user 1"}},
		{cacheme.Row("users", []string{"id"}, 7), nil},
	} {
		for _, deliver := range []func() error{
			func() error { return cache.Invalidate(ctx, c.row) },
			func() error {
				h, err := cache.Hold(ctx, c.row)
				if err != nil {
					return err
				}
				return h.Commit(ctx)
			},
		} {
			if err := deliver(); err != nil {
				t.Fatal(err)
			}
			clear(loaded)
			ask()
			var got []string
			for name := range loaded {
				got = append(got, name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%+v makes wrong (-want +got):\n%s", c.row, diff)
			}
		}
	}
}

// rowReader depends on whatever a test says.
type rowReader struct {
	cacheme.Node[int]
	Name string `cacheme:"field"`
	on   []cacheme.Invalid
}

func (rowReader) Meta() cacheme.Meta                { return cacheme.Meta{Key: "rowreader:<name>"} }
func (r rowReader) InvalidNodes() []cacheme.Invalid { return r.on }

func TestRowSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodChange{}, rowReader{})
	ctx := within(t)
	row := cacheme.Row("stored_books", []string{"id"}, 7)
	_, errKey := cache.KeyOf(row)
	_, errHold := cache.Hold(ctx, cacheme.Row("stored_books", []string{"id"}, 1, 2))
	_, errGet := cacheme.GetFrom(ctx, cache.Cache, rowReader{on: []cacheme.Invalid{row}}, func(context.Context, rowReader) (int, error) { return 1, nil })
	for want, err := range map[string]error{
		`cacheme: cacheme.Row: has 2 columns and 1 values for the table stored_books; give each column its value`:               cache.Invalidate(ctx, cacheme.Row("stored_books", []string{"id", "title"}, 1)),
		`cacheme: cacheme.Row: has 1 columns and 2 values for the table stored_books; give each column its value`:               errHold,
		`cacheme: cacheme.Row: names no table; write it as its model does, such as "books"`:                                     cache.Invalidate(ctx, cacheme.Row("", nil)),
		`cacheme: cacheme.KeyOf: names a cacheme.Row, which only Invalidate and Hold understand; name an invalid node`:          errKey,
		`cacheme: cacheme_test.rowReader: names a cacheme.Row, which only Invalidate and Hold understand; name an invalid node`: errGet,
	} {
		var usage *cacheme.UsageError
		if !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	err := cache.Register(row)
	if want := "cacheme: cacheme.Row: is no declaration of yours; Class, Table, Main, Tag, Row, Having, By, Named, and what Columns and Bound make, need no registration"; err == nil || err.Error() != want {
		t.Errorf("Register = %v, want %s", err, want)
	}
	if slices.Contains([]cacheme.Invalid{cacheme.Tag("a")}, row) || !slices.Contains([]cacheme.Invalid{row}, row) {
		t.Error("a Row does not compare as an Invalid should")
	}
}

// Whatever Of makes of a row that was read, Row makes wrong for the values that it was read from.
func TestRowAgreesWithOf(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodChange{}, keyAuthor{}, keyPlaces{}, ofGauge{}, ofGaugeUser{}, ofFollowed{})
	random := rand.New(rand.NewPCG(3, 4))
	id := func() int64 { return 1 + random.Int64N(9) }
	for range 30 {
		b := storedBook{ID: id(), AuthorID: id()}
		p := storedPlace{UserID: id(), BookID: id()}
		f := followed{FromID: id(), ToID: id()}
		owner := id()
		g := gauge{ID: counter(id()), Owner: &owner}
		for _, c := range []struct {
			nodes []cacheme.Invalid
			row   cacheme.Invalid
		}{
			{[]cacheme.Invalid{cacheme.MustOf[goodChange](b), cacheme.MustOf[keyAuthor](b)}, cacheme.Row("stored_books", []string{"author_id", "id"}, b.AuthorID, b.ID)},
			{[]cacheme.Invalid{cacheme.MustOf[keyPlaces](p)}, cacheme.Row("stored_places", []string{"user_id", "book_id"}, fmt.Sprint(p.UserID), []byte(fmt.Sprint(p.BookID)))},
			{[]cacheme.Invalid{cacheme.MustOf[ofFollowed](f)}, cacheme.Row("followeds", []string{"from_id", "to_id"}, f.FromID, f.ToID)},
			{[]cacheme.Invalid{cacheme.MustOf[ofGauge](g), cacheme.MustOf[ofGaugeUser](g)}, cacheme.Row("gauges", []string{"id", "owner"}, g.ID, g.Owner)},
		} {
			cache.FlushAll()
			if err := cache.Invalidate(within(t), c.nodes...); err != nil {
				t.Fatal(err)
			}
			wantWritten(t, cache, fmt.Sprintf("%+v", c.nodes), []cacheme.Invalid{c.row}, tokens(t, cache)...)
		}
	}
}

// pipelines tells of each pipeline how many commands it has, and how much time.
type pipelines struct {
	sizes []int
	left  []time.Duration
}

func (*pipelines) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*pipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (p *pipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		at, _ := ctx.Deadline()
		p.sizes, p.left = append(p.sizes, len(cmds)), append(p.left, time.Until(at))
		return next(ctx, cmds)
	}
}

func TestThousandsOfRowsAreOneWriteWithMoreTime(t *testing.T) {
	t.Parallel()
	const (
		budget = 30 * time.Second // for a busy machine
		most   = 5000             // in one pipeline
	)
	cache := cachetest.NewWith(t, cacheme.Options{WriteBudget: budget, Hold: time.Minute}, goodChange{})
	ctx := context.Background()
	columns := []string{"id", "title", "author_id"}
	for _, c := range []struct {
		name  string
		rows  int
		write func(bulk []cacheme.Invalid) error
		want  []int // pipelines
	}{
		{"Invalidate", most + 99, func(bulk []cacheme.Invalid) error { return cache.Invalidate(ctx, bulk...) }, []int{1 + most, 100}},
		{"Hold", 1500, func(bulk []cacheme.Invalid) error {
			h, err := cache.Hold(ctx, bulk...)
			if err != nil {
				return err
			}
			return h.Rollback(ctx)
		}, []int{1501, 1501}},
	} {
		var bulk []cacheme.Invalid
		for i := range int64(c.rows) {
			bulk = append(bulk, cacheme.Row("stored_books", columns, i, "T", i%10))
		}
		if err := cache.Invalidate(ctx, cacheme.Tag("the scripts are loaded, and the clock is known")); err != nil {
			t.Fatal(err)
		}
		var seen pipelines
		cache.Redis().AddHook(&seen)
		if err := c.write(bulk); err != nil {
			t.Fatalf("%s = %v", c.name, err)
		}
		if first := seen.left[0]; first < 2*budget {
			t.Errorf("%s of %d rows begins with %v left, want twice its budget at least", c.name, c.rows, first)
		}
		// A few commands are sent once more where the server did not have their script.
		large := slices.DeleteFunc(seen.sizes, func(n int) bool { return n < 10 })
		if diff := cmp.Diff(c.want, large); diff != "" {
			t.Errorf("pipelines of %s of %d rows (-want +got):\n%s", c.name, c.rows, diff)
		}
	}
}

// The models and nodes of single columns.
type (
	paint  int     // stored by its name
	level  int     // an integer with a text of its own
	strict [1]byte // refuses NULL
	odd    string  // has another reading of NULL than zero
	exotic struct {
		ID      int64 `bun:",pk"`
		Text    string
		Slug    odd
		Tiny    int8
		Big     uint64
		Yes     bool
		Colour  paint
		Level   level
		Strict  *strict
		Raw     [16]byte
		UUID    textID
		Digits  string
		Address netip.Addr
		At      time.Time
		Packed  string `bun:",msgpack"`
		Quoted  string `bun:"type:jsonb"`
		Maybe   *int64
		Plain   int64
	}
)

func (c *paint) Scan(v any) error {
	switch v {
	case "red", nil:
		*c = 0
	case "blue":
		*c = 1
	default:
		return fmt.Errorf("%v is no colour", v)
	}
	return nil
}

func (l level) MarshalText() ([]byte, error)  { return fmt.Appendf(nil, "level-%d", int(l)), nil }
func (s strict) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", s[0]), nil }
func (s *strict) Scan(v any) error {
	n, ok := v.(int64)
	s[0] = byte(n)
	if !ok {
		return errors.New("no NULL, please")
	}
	return nil
}

func (o *odd) Scan(v any) error {
	*o = odd(fmt.Sprint(v))
	return nil
}

// column is an invalid node on one column of exotic.
type (
	onText struct {
		cacheme.ModelInvalidNode
		Text string `cacheme:"field"`
	}
	onSlug struct {
		cacheme.ModelInvalidNode
		Slug odd `cacheme:"field"`
	}
	onTiny struct {
		cacheme.ModelInvalidNode
		Tiny int64 `cacheme:"field"`
	}
	onBig struct {
		cacheme.ModelInvalidNode
		Big uint64 `cacheme:"field"`
	}
	onYes struct {
		cacheme.ModelInvalidNode
		Yes bool `cacheme:"field"`
	}
	onColour struct {
		cacheme.ModelInvalidNode
		Colour paint `cacheme:"field"`
	}
	onColourAsNumber struct {
		cacheme.ModelInvalidNode
		Colour int `cacheme:"field"`
	}
	onLevel struct {
		cacheme.ModelInvalidNode
		Level level `cacheme:"field"`
	}
	onStrict struct {
		cacheme.ModelInvalidNode
		Strict strict `cacheme:"field"`
	}
	onRaw struct {
		cacheme.ModelInvalidNode
		Raw [16]byte `cacheme:"field"`
	}
	onUUID struct {
		cacheme.ModelInvalidNode
		UUID textID `cacheme:"field"`
	}
	onDigits struct {
		cacheme.ModelInvalidNode
		Digits int32 `cacheme:"field"`
	}
	onTextAsUUID struct {
		cacheme.ModelInvalidNode
		Text [16]byte `cacheme:"field"`
	}
	onAddress struct {
		cacheme.ModelInvalidNode
		Address netip.Addr `cacheme:"field"`
	}
	onAt struct {
		cacheme.ModelInvalidNode
		At time.Time `cacheme:"field"`
	}
	onPacked struct {
		cacheme.ModelInvalidNode
		Packed string `cacheme:"field"`
	}
	onQuoted struct {
		cacheme.ModelInvalidNode
		Quoted string `cacheme:"field"`
	}
	onMaybe struct {
		cacheme.ModelInvalidNode
		Maybe *int64 `cacheme:"field"`
	}
	onPlain struct {
		cacheme.ModelInvalidNode
		Plain *int64 `cacheme:"field"`
	}
)

func ofExotic() cacheme.Meta { return cacheme.Meta{Model: (*exotic)(nil)} }

func (onText) Meta() cacheme.Meta           { return ofExotic() }
func (onSlug) Meta() cacheme.Meta           { return ofExotic() }
func (onTiny) Meta() cacheme.Meta           { return ofExotic() }
func (onBig) Meta() cacheme.Meta            { return ofExotic() }
func (onYes) Meta() cacheme.Meta            { return ofExotic() }
func (onColour) Meta() cacheme.Meta         { return ofExotic() }
func (onColourAsNumber) Meta() cacheme.Meta { return ofExotic() }
func (onLevel) Meta() cacheme.Meta          { return ofExotic() }
func (onStrict) Meta() cacheme.Meta         { return ofExotic() }
func (onRaw) Meta() cacheme.Meta            { return ofExotic() }
func (onUUID) Meta() cacheme.Meta           { return ofExotic() }
func (onDigits) Meta() cacheme.Meta         { return ofExotic() }
func (onTextAsUUID) Meta() cacheme.Meta     { return ofExotic() }
func (onAddress) Meta() cacheme.Meta        { return ofExotic() }
func (onAt) Meta() cacheme.Meta             { return ofExotic() }
func (onPacked) Meta() cacheme.Meta         { return ofExotic() }
func (onQuoted) Meta() cacheme.Meta         { return ofExotic() }
func (onMaybe) Meta() cacheme.Meta          { return ofExotic() }
func (onPlain) Meta() cacheme.Meta          { return ofExotic() }

func TestRowTurnsWhatAColumnHoldsIntoTheField(t *testing.T) {
	t.Parallel()
	five, none, big := int64(5), int64(0), ^uint64(0)
	raw := [16]byte{0xab, 1, 15: 0xff}
	uuid := "ab010000-0000-0000-0000-0000000000ff"
	text := textID([]byte("emma and emma!!!"))
	never := []cacheme.Invalid(nil) // the table's token
	keys := func(nodes ...cacheme.Invalid) []cacheme.Invalid { return nodes }
	for _, c := range []struct {
		column string
		node   cacheme.Invalid
		values []any
		want   []cacheme.Invalid
	}{
		{"text", onText{}, []any{"a:b", []byte("a:b")}, keys(onText{Text: "a:b"})},
		{"text", onText{}, []any{nil, "", (*string)(nil)}, keys(onText{})},
		{"text", onText{}, []any{int64(5)}, keys(onText{Text: "5"})},
		{"text", onText{}, []any{1.5, time.Now(), true, struct{}{}}, never},
		{"slug", onSlug{}, []any{"a"}, keys(onSlug{Slug: "a"})},
		{"slug", onSlug{}, []any{nil}, never},
		{"tiny", onTiny{}, []any{int64(5), 5, int8(5), uint8(5), "5", []byte("5"), &five, level(5)}, keys(onTiny{Tiny: 5})},
		{"tiny", onTiny{}, []any{int64(300), "300", "five", 5.0, "", true}, never},
		{"big", onBig{}, []any{big, "18446744073709551615", []byte("18446744073709551615")}, keys(onBig{Big: big})},
		{"big", onBig{}, []any{int64(5), uint64(5)}, keys(onBig{Big: 5})},
		{"big", onBig{}, []any{int64(-1), "-1"}, never},
		{"yes", onYes{}, []any{true, int64(1), "t", []byte("true")}, keys(onYes{Yes: true})},
		{"yes", onYes{}, []any{false, int64(0), "0", nil}, keys(onYes{})},
		{"yes", onYes{}, []any{int64(2), "perhaps", 1.0}, never},
		{"colour", onColour{}, []any{"blue", paint(1)}, keys(onColour{Colour: 1})},
		{"colour", onColour{}, []any{nil}, keys(onColour{})},
		{"colour", onColour{}, []any{"green", int64(1)}, never},
		{"colour", onColourAsNumber{}, []any{"blue", paint(1)}, keys(onColourAsNumber{Colour: 1})},
		{"colour", onColourAsNumber{}, []any{int64(1)}, never},
		{"level", onLevel{}, []any{int64(3), level(3), "3"}, keys(onLevel{Level: 3})},
		{"strict", onStrict{}, []any{int64(3), strict{3}}, keys(onStrict{Strict: strict{3}})},
		{"strict", onStrict{}, []any{nil}, keys(onStrict{})},
		{"raw", onRaw{}, []any{raw, raw[:], uuid, strings.ToUpper(uuid), []byte(uuid), strings.ReplaceAll(uuid, "-", "")}, keys(onRaw{Raw: raw})},
		{"raw", onRaw{}, []any{"no uuid", raw[:15], uuid[1:]}, never},
		{"uuid", onUUID{}, []any{text, text[:], string(text[:])}, keys(onUUID{UUID: text})},
		{"uuid", onUUID{}, []any{"short"}, never},
		{"digits", onDigits{}, []any{"7", []byte("007"), int64(7)}, keys(onDigits{Digits: 7})},
		{"digits", onDigits{}, []any{"seven", "99999999999"}, never},
		{"text", onTextAsUUID{}, []any{uuid, []byte(strings.ToUpper(uuid))}, keys(onTextAsUUID{Text: raw})},
		{"address", onAddress{}, []any{"10.0.0.1", []byte("10.0.0.1"), netip.MustParseAddr("10.0.0.1")}, keys(onAddress{Address: netip.MustParseAddr("10.0.0.1")})},
		{"address", onAddress{}, []any{`"10.0.0.1"`, "nowhere", int64(1)}, never},
		{"at", onAt{}, []any{time.Now(), "2024-02-29T00:00:00Z", nil}, never},
		{"packed", onPacked{}, []any{"a"}, never},
		{"quoted", onQuoted{}, []any{`"a"`}, never},
		{"maybe", onMaybe{}, []any{int64(5), &five}, keys(onMaybe{Maybe: &five})},
		{"maybe", onMaybe{}, []any{nil, (*int64)(nil)}, keys(onMaybe{})},
		{"plain", onPlain{}, []any{int64(5)}, keys(onPlain{Plain: &five})},
		{"plain", onPlain{}, []any{nil}, keys(onPlain{}, onPlain{Plain: &none})},
	} {
		t.Run(fmt.Sprintf("%T_%v", c.node, c.values), func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t, c.node)
			want := []string{"rows:exotics"}
			for _, node := range c.want {
				want = append(want, "row:"+must(t)(cache.KeyOf(node)))
			}
			if c.want == nil {
				want = append(want, "table:exotics")
			}
			for _, v := range c.values {
				wantWritten(t, cache, fmt.Sprintf("%T %v", v, v), []cacheme.Invalid{cacheme.Row("exotics", []string{c.column}, v)}, sorted(want...)...)
			}
		})
	}
}
