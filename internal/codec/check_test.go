package codec_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/codec"
)

type badBook struct {
	bun.BaseModel
	Author *badAuthor
	Other  []badAuthor
	Next   *badBook
}

type badAuthor struct {
	Name string
	Hook func()
}

type selfMade struct{ any }

func (selfMade) MarshalText() ([]byte, error) { return nil, nil }
func (*selfMade) UnmarshalText([]byte) error  { return nil }

type half struct{ hidden int }

func (h half) MarshalText() ([]byte, error) { return make([]byte, h.hidden), nil }

type overTime struct {
	time.Time
	hidden int
}

type inner struct{ A int }

type lower int

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		v    any
		want []string // path, then a word of the reason
	}{
		{"models", []Book{}, nil},
		{"embedded structs", Audited{}, nil},
		{"a recursive map", Tree{}, nil},
		{"foreign types", Foreign{}, nil},
		{"an empty struct", struct{}{}, nil},
		{"an interface in a type that writes itself", struct{ S selfMade }{}, nil},
		{"what has no size hides nothing", struct {
			_ func()
			_ [0]func()
			n struct{}
			A int
		}{}, nil},
		{"an embedded struct that is not exported", struct{ inner }{}, nil},
		{"a function", func() {}, []string{"func() func"}},
		{"a channel inside", struct{ C chan int }{}, []string{"struct { C chan int }.C chan"}},
		{
			"a bad part of a model, by each of its paths",
			badBook{},
			[]string{"badBook.Author.Hook func", "badBook.Other.Hook func"},
		},
		{"a list of it", []*badBook{}, []string{"badBook.Author.Hook func", "badBook.Other.Hook func"}},
		{"any", []any{}, []string{"[]interface {} interface"}},
		{"an error", struct{ Err error }{}, []string{".Err interface"}},
		{"a mutex", struct{ Mu sync.Mutex }{}, []string{".Mu.mu exported"}},
		{"a hidden field", half{}, []string{"half.hidden exported"}},
		{"a hidden field beside an embedded type that writes itself", overTime{}, []string{"overTime.hidden exported"}},
		{"an embedded pointer that cannot be set", struct{ *inner }{}, []string{".inner exported"}},
		{"an embedded int that is not exported", struct{ lower }{}, []string{".lower exported"}},
		{"an embedded type that writes itself, not exported", struct{ secret }{}, []string{".secret reached"}},
		{"addresses", struct {
			A uintptr
			B unsafe.Pointer
		}{}, []string{".A address", ".B address"}},
		{"keys that are pointers", map[*int]int{}, []string{"map[*int]int[key] pointer"}},
		{"keys that are interfaces", map[any]int{}, []string{"map[interface {}]int[key] interface"}},
		{"keys that are times", map[time.Time]int{}, []string{"map[time.Time]int[key] UnixNano"}},
		{"keys that hold pointers", map[[2]struct{ P *int }]int{}, []string{"[key] pointer"}},
		{"keys and values", struct{ M map[*int]chan int }{}, []string{".M[key] pointer", ".M chan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			problems := codec.Check(reflect.TypeOf(tt.v))
			if len(problems) != len(tt.want) {
				t.Fatalf("Check(%T) = %q, want %q", tt.v, problems, tt.want)
			}
			for i, p := range problems {
				path, reason := tt.want[i][:strings.LastIndex(tt.want[i], " ")], tt.want[i][strings.LastIndex(tt.want[i], " ")+1:]
				if !strings.HasSuffix(p.Path, path) || !strings.Contains(p.Reason, reason) {
					t.Errorf("problem %d = %q, want path %q and a reason with %q", i, p, path, reason)
				}
			}
			_, err := codec.NewCBOR().Marshal(tt.v)
			if refused := err != nil && strings.Contains(err.Error(), "cannot be stored"); refused != (len(tt.want) > 0) {
				t.Errorf("Marshal = %v, but Check has %d problems", err, len(problems))
			}
		})
	}
	if codec.Check(nil) == nil {
		t.Error("Check(nil) has no problem")
	}
}

func TestCheck_is_bounded(t *testing.T) {
	t.Parallel()
	bad := reflect.TypeFor[func()]()
	for range 12 {
		var fields []reflect.StructField
		for _, name := range []string{"A", "B", "C"} {
			fields = append(fields, reflect.StructField{Name: name, Type: bad})
		}
		bad = reflect.StructOf(fields)
	}
	if n := len(codec.Check(bad)); n != 32 {
		t.Errorf("Check of a type with 3^12 bad paths has %d problems, want 32", n)
	}
}

type Thing struct {
	ID   int
	Name string
	Next *Thing
	Tags map[string][]time.Time
}

func TestFingerprint_is_stable(t *testing.T) {
	t.Parallel()
	// Golden: a change of these makes every stored entry of every user a miss. If that is meant, raise form.
	for _, tt := range []struct {
		typ  reflect.Type
		want uint64
	}{
		{reflect.TypeFor[int](), 0xef8e674dbaf77f6f},
		{reflect.TypeFor[[]Thing](), 0xe459a1057cc5b459},
		{reflect.TypeFor[Foreign](), 0xf14f8a1e607d4960},
	} {
		if got := codec.Fingerprint(tt.typ); got != tt.want {
			t.Errorf("Fingerprint(%v) = %#x, want %#x", tt.typ, got, tt.want)
		}
	}
}

func TestFingerprint_changes_with_the_type(t *testing.T) {
	t.Parallel()
	type named struct{ A int }
	type (
		number  int
		number2 int
	)
	seen := map[uint64]reflect.Type{}
	for _, v := range []any{
		0, int8(0), uint(0), "", false, 0.0, number(0), number2(0),
		[]int{},
		[1]int{},
		[2]int{},
		[][]int{},
		new(int), new(*int),
		[]byte{},
		[16]byte{},
		map[int]string{},
		map[string]int{},
		map[int]map[int]int{},
		struct{}{},
		struct{ A int }{},
		struct{ A int8 }{},
		struct{ A *int }{},
		struct{ B int }{},
		named{},
		struct{ A, B int }{},
		struct{ B, A int }{},
		struct{ A, b int }{},
		struct{ A struct{ B int } }{},
		struct {
			A struct{}
			B int
		}{},
		struct {
			A int
			C string
		}{},
		struct{ Page }{},
		struct{ Page Page }{},
		struct{ Page *Page }{},
		struct{ A, B []int }{},
		struct{ A, B [][]int }{},
		struct {
			A []int
			B [][]int
		}{},
		time.Time{},
		Stamp{},
		secret{},
		Shouted{},
		List{},
		Tree{},
		Nest{},
		Book{},
		Author{},
		Everything{},
		func() {}, make(chan int),
		[]any{},
	} {
		typ := reflect.TypeOf(v)
		f := codec.Fingerprint(typ)
		if other, ok := seen[f]; ok {
			t.Errorf("%v and %v have the same fingerprint", typ, other)
		}
		seen[f] = typ
		if codec.Fingerprint(typ) != f {
			t.Errorf("the fingerprint of %v differs the second time", typ)
		}
	}
}

func TestFingerprint_is_not_of_tags(t *testing.T) {
	t.Parallel()
	type a struct {
		A int `json:"a"`
	}
	type b struct {
		A int `bun:",pk" json:"b,omitempty"`
	}
	got := []uint64{
		codec.Fingerprint(reflect.TypeOf(struct {
			A int `json:"x"`
		}{})),
		codec.Fingerprint(reflect.TypeOf(struct{ A int }{})),
	}
	if d := cmp.Diff(got[0], got[1]); d != "" {
		t.Errorf("fingerprints with and without tags differ: %s", d)
	}
	if codec.Fingerprint(reflect.TypeFor[a]()) == codec.Fingerprint(reflect.TypeFor[b]()) {
		t.Error("types of different names have the same fingerprint")
	}
}
