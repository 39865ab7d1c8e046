package cacheme_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type parcel struct {
	bun.BaseModel `bun:"table:shop.parcels"`

	ID     int64 `bun:",pk"`
	Shelf  string
	Box    *int32
	Weight float64
	Sent   time.Time
	Tag    sql.NullString
}

// parcelsBy is a memo on what the arguments name.
func parcelsBy(t *testing.T, cache *cachetest.Cache, name string, columns ...string) func(values ...any) (loaded bool) {
	t.Helper()
	by, err := cache.Columns((*parcel)(nil), columns...)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	memo := cacheme.MustMemo(cache.Cache, cacheme.Memoized[[]any, int]{
		Meta:   cacheme.Meta{Key: name + ":<values>"},
		Values: func(values []any) []any { return []any{fmt.Sprint(values...)} },
		InvalidNodes: func(values []any) []cacheme.Invalid {
			node, err := by.Of(values...)
			if err != nil {
				t.Fatal(err)
			}
			return []cacheme.Invalid{node}
		},
	}, func(context.Context, []any) (int, error) { calls++; return calls, nil })
	return func(values ...any) bool {
		t.Helper()
		before := calls
		if _, err := memo.Get(context.Background(), values); err != nil {
			t.Fatal(err)
		}
		return calls > before
	}
}

func TestColumnsAreWrongForTheRowsThatHaveTheValues(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	byShelf := parcelsBy(t, cache, "shelf", "shelf", "box")
	byTag := parcelsBy(t, cache, "tag", "tag")
	whole := parcelsBy(t, cache, "any")
	columns := []string{"id", "shelf", "box", "tag"}
	three := int32(3)
	type asked struct{ three, null, other, red, none, any bool }
	ask := func() asked {
		return asked{byShelf("a", 3), byShelf("a", nil), byShelf("b", &three), byTag("red"), byTag(nil), whole()}
	}
	ask()
	for _, c := range []struct {
		name string
		row  cacheme.Invalid
		want asked
	}{
		{"nothing", nil, asked{}},
		{"a row with the values", cacheme.Row("shop.parcels", columns, 1, "a", 3, "blue"), asked{three: true, any: true}},
		{"another row", cacheme.Row("shop.parcels", columns, 1, "c", 3, "blue"), asked{any: true}},
		{"NULL is a value of its own", cacheme.Row("shop.parcels", columns, 1, "a", nil, "blue"), asked{null: true, any: true}},
		{"NULL of a type that has its own", cacheme.Row("shop.parcels", columns, 1, "x", nil, nil), asked{none: true, any: true}},
		{"a text", cacheme.Row("shop.parcels", columns, 1, "x", nil, []byte("red")), asked{red: true, any: true}},
		{"a row without the columns", cacheme.Row("shop.parcels", []string{"id"}, 1), asked{true, true, true, true, true, true}},
		{"another table", cacheme.Row("parcels", columns, 1, "a", 3, "red"), asked{}},
		{"the table", cacheme.Table("shop.parcels"), asked{true, true, true, true, true, true}},
	} {
		if c.row != nil {
			if err := cache.Invalidate(context.Background(), c.row); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(c.want, ask(), cmp.AllowUnexported(asked{})); diff != "" {
			t.Errorf("%s: loaded (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestColumnsByHandAreWrongToo(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	byShelf := parcelsBy(t, cache, "shelf", "shelf")
	by, err := cache.Columns((*parcel)(nil), "shelf")
	if err != nil {
		t.Fatal(err)
	}
	byShelf("a")
	byShelf("b")
	a, err := by.Of("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.Invalidate(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if got := [2]bool{byShelf("a"), byShelf("b")}; got != [2]bool{true, false} {
		t.Errorf("loaded %v after one of two was invalidated, want it alone", got)
	}
	if n := len(cache.Watched()); n != 1 {
		t.Errorf("%d declarations are watched, want the two equal ones to be one: %+v", n, cache.Watched())
	}
}

func TestColumnsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	for _, c := range []struct {
		model   any
		columns []string
		want    string
	}{
		{parcel{}, nil, `cacheme: Columns(cacheme_test.parcel, []).Model: is a cacheme_test.parcel; write a nil pointer to the bun model, such as (*Book)(nil)`},
		{(*parcel)(nil), []string{"Shelf"}, `cacheme: Columns(*cacheme_test.parcel, ["Shelf"]).Shelf: is no column of cacheme_test.parcel, or is there twice; name each column once, as the database does`},
		{(*parcel)(nil), []string{"id", "id"}, `cacheme: Columns(*cacheme_test.parcel, ["id" "id"]).id: is no column of cacheme_test.parcel, or is there twice; name each column once, as the database does`},
		{(*parcel)(nil), []string{"sent"}, `cacheme: Columns(*cacheme_test.parcel, ["sent"]).sent: has type time.Time in cacheme_test.parcel, whose values in the database are not exactly those in Go; leave it out, and depend on the table`},
		{(*parcel)(nil), []string{"weight"}, `cacheme: Columns(*cacheme_test.parcel, ["weight"]).weight: has type float64, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`},
	} {
		_, err := cache.Columns(c.model, c.columns...)
		var d *cacheme.DeclarationError
		if !errors.As(err, &d) || err.Error() != c.want {
			t.Errorf("Columns(%T, %q) = %v, want %s", c.model, c.columns, err, c.want)
		}
	}
	by, err := cache.Columns((*parcel)(nil), "id", "box")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values []any
		want   string
	}{
		{nil, `cacheme: Columns(*cacheme_test.parcel, ["id" "box"]): got 0 values for 2 columns; give each its value`},
		{[]any{nil, nil}, `cacheme: Columns(*cacheme_test.parcel, ["id" "box"]).id: is nil, and the model has a int64, for which NULL is the zero value; give it that`},
		{[]any{"x", 1}, `cacheme: Columns(*cacheme_test.parcel, ["id" "box"]).id: is an integer, and "x" is none`},
		{[]any{1, int64(1) << 40}, `cacheme: Columns(*cacheme_test.parcel, ["id" "box"]).box: has type int32, which does not hold 1099511627776`},
	} {
		_, err := by.Of(c.values...)
		var u *cacheme.UsageError
		if !errors.As(err, &u) || err.Error() != c.want {
			t.Errorf("Of(%v) = %v, want %s", c.values, err, c.want)
		}
	}
	seven := int8(7)
	same, err := by.Values("12", &seven)
	if diff := cmp.Diff([]any{int64(12), int32(7)}, same); diff != "" || err != nil {
		t.Errorf("Values (-want +got), %v:\n%s", err, diff)
	}
	if same, err = by.Values(uint8(3), nil); !cmp.Equal([]any{int64(3), nil}, same) || err != nil {
		t.Errorf("Values(3, nil) = %v, %v", same, err)
	}
	node, err := by.Of(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `cacheme: Columns(*cacheme_test.parcel, ["id" "box"]): was declared with another cache; declare it with the one that is asked`
	if err := cachetest.New(t).Invalidate(context.Background(), node); err == nil || err.Error() != want {
		t.Errorf("Invalidate with another cache = %v, want %s", err, want)
	}
	if err := cache.Register(node); err == nil {
		t.Error("Register takes what Columns made")
	}
}
