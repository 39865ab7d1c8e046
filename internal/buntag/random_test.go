package buntag_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme/internal/buntag"
	"github.com/cacheme/cacheme/internal/suite"
)

// TestParse_agrees_with_bun_on_random_structs is the net under the hand-made models: what
// it draws collides in columns, joins and embeds more often than anyone would write.
func TestParse_agrees_with_bun_on_random_structs(t *testing.T) {
	t.Parallel()
	structs := suite.Count(10_000)
	r := rand.New(rand.NewPCG(1, 2))
	var taken, refused int
	for range structs {
		typ := randomStruct(r)
		want, bunErr := bunShape(typ)
		m, err := buntag.Parse(typ)
		if (bunErr == nil) != (err == nil) {
			t.Fatalf("bun says %v, Parse says %v of\n%s", bunErr, err, typ)
		}
		if err != nil {
			refused++
			continue
		}
		taken++
		if d := diff(want, shapeOf(m, want)); d != "" {
			t.Fatalf("Parse differs from bun (-bun +Parse):\n%s\n%s", d, typ)
		}
	}
	if taken < structs/4 || refused < structs/20 {
		t.Errorf("of %d structs %d were taken and %d refused: the draw proves too little", structs, taken, refused)
	}
}

var (
	randomNames  = []string{"ID", "Code", "Same", "AuthorID", "Author", "CreatedAt", "EditionYear", "URLPath"}
	randomTags   = []string{"", "", ",pk", "code", "column:id", ",alt:same", ",scanonly", ",soft_delete", "-", "author_id,notnull", "year,nullzero"}
	randomJoins  = []string{"", "", "", ",join:author_id=id", ",join:code=name", ",join:same=author_name", ",join:id=year,join:year=book_id", ",join:x"}
	randomScalar = []reflect.Type{reflect.TypeFor[int64](), reflect.TypeFor[*int64](), reflect.TypeFor[string]()}
	randomOthers = []reflect.Type{reflect.TypeFor[Author](), reflect.TypeFor[*Author](), reflect.TypeFor[*Edition](), reflect.TypeFor[*Book]()}
	randomEmbeds = []reflect.Type{
		reflect.TypeFor[Base](), reflect.TypeFor[*Base](), reflect.TypeFor[Timestamps](), reflect.TypeFor[TaggedA](),
		reflect.TypeFor[UntaggedB](), reflect.TypeFor[*Deep](), reflect.TypeFor[Owned](), reflect.TypeFor[Customer](),
	}
)

// randomStruct extends Named, because a type made at run time has no name of its own.
func randomStruct(r *rand.Rand) reflect.Type {
	fields := []reflect.StructField{{
		Name: "Named", Anonymous: true, Type: reflect.TypeFor[Named](), Tag: `bun:",extend"`,
	}}
	used := map[string]bool{"Named": true}
	for range 2 + r.IntN(6) {
		sf := reflect.StructField{Name: pick(r, randomNames)}
		var text string
		switch r.IntN(8) {
		case 0:
			sf.Type = pick(r, randomEmbeds)
			sf.Name = indirect(sf.Type).Name()
			sf.Anonymous = true
		case 1:
			sf.Type = pick(r, randomEmbeds)
			text = "embed:" + pick(r, []string{"", "a_", "author_"})
		case 2:
			sf.Type = pick(r, randomOthers)
			text = "rel:belongs-to" + pick(r, randomJoins)
		default:
			sf.Type = pick(r, randomScalar)
			text = pick(r, randomTags)
		}
		if used[sf.Name] {
			continue
		}
		used[sf.Name] = true
		sf.Tag = bunTag(text)
		fields = append(fields, sf)
	}
	return reflect.StructOf(fields)
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func bunTag(text string) reflect.StructTag {
	return reflect.StructTag("bun:" + strconv.Quote(text))
}

func TestParseTag_agrees_with_bun_on_random_tags(t *testing.T) {
	t.Parallel()
	words := []string{"name", "pk", "type", "default", "unique", ",", ",", ",", ":", ":", `"`, `"`, `\`, `\"`, "(", ")", " ", "=", ".", "é", "''"}
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		var text strings.Builder
		for range r.IntN(12) {
			text.WriteString(pick(r, words))
		}
		compareTag(t, text.String())
	}
}

func FuzzParseTag(f *testing.F) {
	for _, seed := range []string{
		"", ",", ",,", ":", "::", `"`, `""`, "name", ",pk", "name,pk,,notnull", "pk:,name", "type:decimal(10,2),pk",
		"type:f(g(1,2),3),x", `type:enum("a)","b"),x`, "type:(((", `default:"a,b",x`, `default:x"a"y,z`, `"quoted name",pk`,
		`a"b"c`, `default:"a\"b",x`, `default:"a\nb\"`, `default:"open`, `default:"tail\`, "join:a=b,join:c=d", "unique:a,unique:b",
		" spaced , pk ", "name:", "\x00,\xff:\xfe",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { compareTag(t, text) })
}

// compareTag asks bun by way of a struct with that tag: its own parser is not exported.
func compareTag(t *testing.T, text string) {
	t.Helper()
	name, options := buntag.ParseTag(text)
	if text == "-" {
		return
	}
	for _, apart := range []string{"embed", "rel", "m2m"} {
		if _, ok := options[apart]; ok {
			return
		}
	}
	typ := reflect.StructOf([]reflect.StructField{{Name: "F", Type: reflect.TypeFor[int64](), Tag: bunTag(text)}})
	table := sqlitedialect.New().Tables().Get(typ)
	for _, f := range table.FieldMap {
		got, want := fmt.Sprintf("%q %q", name, options), fmt.Sprintf("%q %q", f.Tag.Name, f.Tag.Options)
		if got != want || (options == nil) != (f.Tag.Options == nil) {
			t.Errorf("parseTag(%q) = %s, want %s", text, got, want)
		}
	}
	if len(table.FieldMap) == 0 {
		t.Errorf("bun sees no field in %q", text)
	}
}
