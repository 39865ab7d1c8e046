package codec_test

import (
	"bytes"
	"database/sql"
	"math"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/codec"
)

// trip encodes v and decodes it into a variable of its type that held something else before.
func trip(t *testing.T, c *codec.CBOR, v, used any) any {
	t.Helper()
	b, err := c.Marshal(v)
	if err != nil {
		t.Fatalf("Marshal(%#v) = %v", v, err)
	}
	into := reflect.New(reflect.TypeOf(v))
	if used != nil {
		into.Elem().Set(reflect.ValueOf(used))
	}
	was := bytes.Clone(b)
	if err := c.Unmarshal(b, into.Interface()); err != nil {
		t.Fatalf("Unmarshal(%x) into %T = %v", b, v, err)
	}
	if !bytes.Equal(b, was) {
		t.Fatalf("Unmarshal changed its input")
	}
	clear(b) // a value that kept a part of its bytes shows it now
	return into.Elem().Interface()
}

// exact compares as deep as reflection goes, times by instant, offset and whether they are UTC.
func exact(want, got any) string {
	return cmp.Diff(want, got,
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.Comparer(sameTime),
		cmp.Comparer(func(a, b Stamp) bool { return sameTime(time.Time(a), time.Time(b)) }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
		cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
	)
}

func sameTime(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return a.Unix() == b.Unix() && a.Nanosecond() == b.Nanosecond() && x == y &&
		(a.Location() == time.UTC) == (b.Location() == time.UTC) && a.IsZero() == b.IsZero()
}

//go:fix inline
func ptr[T any](v T) *T { return new(v) }

func someBook() Book {
	zone := time.FixedZone("", 5*3600+1800)
	author := &Author{ID: 7, Name: "Ann", Password: []byte("hash"), Born: time.Date(1970, 1, 2, 3, 4, 5, 6, time.UTC)}
	author.Books = []*Book{{ID: 1}, nil, {ID: 2, Title: "t", Author: &Author{}}}
	return Book{
		ID: math.MaxInt64, Title: "The title", Subtitle: "the other", Price: 12.34, AuthorID: 7, Author: author,
		Tags: []string{"a", "", "c"}, Cover: []byte{0, 255}, UUID: [16]byte{1, 2, 3, 15: 255},
		Deleted: bun.NullTime{Time: time.Date(2026, 1, 1, 0, 0, 0, 1, zone)},
		Shelf:   sql.NullString{String: "x", Valid: true}, Rating: sql.Null[float32]{V: 4.5, Valid: true},
		Sold: new(0), Meta: map[string]string{"": "empty", "k": ""},
		CreatedAt: time.Date(2026, 11, 21, 10, 11, 12, 123456789, zone),
	}
}

func TestCBOR_a_value_comes_back_as_it_was(t *testing.T) {
	t.Parallel()
	lmt := time.FixedZone("LMT", -(53*60 + 28))
	var nilInts []int
	var nilMap map[string]int
	var chain Chain = &chain2
	u, err := url.Parse("https://user:pw@host:8080/a%2Fb?q=1#f")
	if err != nil {
		t.Fatal(err)
	}
	list := (*List)(nil)
	for i := range 900 {
		list = &List{Value: i, Next: list}
	}
	for _, tt := range []struct {
		name    string
		v, used any
	}{
		{name: "false", v: false, used: true},
		{name: "int min", v: int64(math.MinInt64)},
		{name: "int max", v: int64(math.MaxInt64)},
		{name: "uint max", v: uint64(math.MaxUint64)},
		{name: "int8 min", v: int8(-128)},
		{name: "an integer beyond what a float holds", v: int64(1<<53 + 1)},
		{name: "NaN", v: math.NaN()},
		{name: "NaN with bits of its own", v: math.Float64frombits(0x7ff8000000abcdef)},
		{name: "infinities", v: []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324}},
		{name: "float32", v: []float32{float32(math.NaN()), float32(math.Inf(-1)), 0.1, math.MaxFloat32}},
		{name: "complex", v: []complex128{complex(1, -2), complex(math.Inf(1), 0)}},
		{name: "empty string", v: "", used: "x"},
		{name: "string that is no UTF-8", v: "a\xff\x00b"},
		{name: "long string", v: strings.Repeat("x", 70000)},
		{name: "named types", v: []Day{"mon"}},
		{name: "a basic type with a text form that lies", v: Color(3)},
		{name: "and lists of it", v: []Color{1, 2}},
		{name: "nil slice", v: nilInts, used: []int{1}},
		{name: "empty slice", v: []int{}, used: []int{1}},
		{name: "nil and empty inside", v: [][]int{nil, {}, {1}}},
		{name: "nil bytes", v: []byte(nil), used: []byte("x")},
		{name: "empty bytes", v: []byte{}},
		{name: "nil map", v: nilMap, used: map[string]int{"x": 1}},
		{name: "empty map", v: map[string]int{}, used: map[string]int{"x": 1}},
		{name: "nil and empty maps inside", v: map[string]map[string]int{"nil": nil, "empty": {}, "one": {"x": 0}}},
		{name: "map of ints", v: map[int64]string{-1: "a", 1 << 40: "b"}},
		{name: "map of arrays", v: map[[2]string]int{{"a", "b"}: 1}},
		{name: "map of structs", v: map[Page]bool{{Number: 1}: true, {}: false}},
		{name: "map of addresses", v: map[netip.Addr]int{netip.MustParseAddr("fe80::1%eth0"): 1, {}: 2}},
		{name: "large map", v: largeMap()},
		{name: "nil pointer", v: (*int)(nil), used: new(1)},
		{name: "pointer to zero", v: new(0)},
		{name: "pointer to nil pointer", v: new((*int)(nil))},
		{name: "pointer to nil slice", v: new(nilInts)},
		{name: "pointer to empty slice", v: new([]int{})},
		{name: "pointer to nil map", v: new(nilMap)},
		{name: "pointer to zero time", v: new(time.Time{})},
		{name: "chain of pointers", v: chain},
		{name: "zero time", v: time.Time{}, used: time.Now()},
		{name: "UTC", v: time.Date(2026, 2, 3, 4, 5, 6, 999999999, time.UTC)},
		{name: "offset with seconds", v: time.Date(1880, 1, 1, 0, 0, 0, 1, lmt)},
		{name: "offset of zero that is not UTC", v: time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("GMT", 0))},
		{name: "local time", v: time.Now()},
		{name: "year 30000", v: time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "year -44", v: time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC)},
		{name: "named time", v: Stamp(time.Date(2026, 1, 1, 0, 0, 0, 7, lmt))},
		{name: "duration", v: 3 * time.Second},
		{name: "empty struct", v: struct{}{}},
		{name: "empty structs", v: make([]struct{}, 3)},
		{name: "array", v: [3]int{1, 2, 3}},
		{name: "byte array", v: [16]byte{1, 15: 2}},
		{name: "array of nothing", v: [0]int{}},
		{name: "a model with json tags", v: someBook(), used: Book{Meta: map[string]string{"old": "x"}, Sold: new(5)}},
		{name: "a zero model", v: Book{}, used: someBook()},
		{name: "a pointer to a model", v: new(someBook())},
		{name: "a list of models", v: []Book{someBook(), {}, someBook()}},
		{name: "embedded structs", v: Audited{base: base{"a", "b"}, Author: Author{ID: 3}, Page: &Page{4}, Note: "n"}},
		{name: "embedded nil pointer", v: Audited{}},
		{name: "an embedded time and a note", v: Dated{Time: time.Unix(1, 2).UTC(), Note: "kept"}},
		{name: "list", v: list},
		{name: "tree", v: Tree{"a": {"b": nil, "c": {}}, "": nil}},
		{name: "nest", v: Nest{{}, nil, {{}, {nil}}}},
		{name: "sql.Null", v: []sql.NullTime{{}, {Valid: true}, {Time: time.Unix(5, 0).UTC(), Valid: true}}},
		{name: "everything zero", v: Everything{}},
		{name: "foreign zero", v: Foreign{Secret: secret{}}},
		{name: "foreign", v: Foreign{
			Addr: netip.MustParseAddr("::ffff:1.2.3.4"), Prefix: new(netip.MustParsePrefix("10.0.0.0/8")), URL: *u,
			URLs: []*url.URL{nil, u}, Int: *new(big.Int).Lsh(big.NewInt(-3), 200), Rat: big.NewRat(-1, 3),
			Float: new(big.Float).SetPrec(300).Quo(big.NewFloat(1), big.NewFloat(3)), IP: net.IP{1, 2, 3, 4},
			Secret: secret{"s"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := codec.NewCBOR()
			if problems := codec.Check(reflect.TypeOf(tt.v)); problems != nil {
				t.Fatalf("Check(%T) = %v", tt.v, problems)
			}
			if d := exact(tt.v, trip(t, c, tt.v, tt.used)); d != "" {
				t.Errorf("round trip (-want +got):\n%s", d)
			}
		})
	}
}

var chain2 Chain

func largeMap() map[int]string {
	m := map[int]string{}
	for i := range 5000 {
		m[i] = strings.Repeat("v", i%7)
	}
	return m
}

func TestCBOR_NaN_as_a_key_is_kept_as_often_as_it_is_there(t *testing.T) {
	t.Parallel()
	got := trip(t, codec.NewCBOR(), map[float64]int{math.NaN(): 1, math.Float64frombits(0x7ff8000000000002): 1}, nil)
	if n := len(got.(map[float64]int)); n != 2 {
		t.Errorf("%d keys came back, want 2", n)
	}
}

func TestCBOR_own_CBOR_goes_before_fields(t *testing.T) {
	t.Parallel()
	if got := trip(t, codec.NewCBOR(), Shouted{"A"}, nil); got != (Shouted{"a!"}) {
		t.Errorf("round trip = %v: MarshalCBOR and UnmarshalCBOR were not used", got)
	}
}

func TestMarshal_refuses_what_cannot_come_back(t *testing.T) {
	t.Parallel()
	self := &List{}
	self.Next = self
	deep := Nest{}
	for range 1000 {
		deep = Nest{deep}
	}
	for _, tt := range []struct {
		name string
		v    any
		want string
	}{
		{"nil", nil, "nil"},
		{"an interface inside", struct{ Any any }{1}, ".Any is the interface"},
		{"a value that contains itself", self, "contains itself"},
		{"a value of 1001 levels", deep, "nested too deep"},
		{"a failing marshaler", failing{}, "MarshalBinary of codec_test.failing: no today"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := codec.NewCBOR().Marshal(tt.v)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Marshal = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestMarshal_goes_as_deep_as_Unmarshal_does(t *testing.T) {
	t.Parallel()
	c := codec.NewCBOR()
	deep := Nest{}
	for range 999 {
		deep = Nest{deep}
	}
	trip(t, c, deep, nil)
	// A time is an array too, one level below the last that Marshal allows.
	var clock *Clock
	for range 1000 {
		clock = &Clock{At: time.Unix(1, 0).UTC(), Next: clock}
	}
	trip(t, c, clock, nil)
}

type Clock struct {
	At   time.Time
	Next *Clock
}

type failing struct{ hidden func() }

func (failing) MarshalBinary() ([]byte, error)  { return nil, errNoToday }
func (*failing) UnmarshalBinary(b []byte) error { return errNoToday }

type strError string

func (e strError) Error() string { return string(e) }

const errNoToday = strError("no today")

func TestMarshal_is_safe_for_concurrent_use(t *testing.T) {
	t.Parallel()
	c := codec.NewCBOR()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 50 {
				want := someBook()
				if d := exact(want, trip(t, c, want, nil)); d != "" {
					t.Fatal(d)
				}
			}
		})
	}
}
