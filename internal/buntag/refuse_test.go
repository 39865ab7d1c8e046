package buntag_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/buntag"
)

type (
	badEmbed struct {
		ID   int64    `bun:",pk"`
		Tags []string `bun:"embed:tag_"`
	}
	badColumn struct {
		ID int64 `bun:"column:"`
	}
	badTable struct {
		bun.BaseModel `bun:"table:"`
	}
	badSchema struct {
		bun.BaseModel `bun:"table:shop."`
	}
	badInside struct {
		ID    int64    `bun:",pk"`
		Inner badEmbed `bun:"embed:inner_"`
	}
	badKind struct {
		ID     int64   `bun:",pk"`
		Author *Author `bun:"rel:belongs_to"`
	}
	badKindM2M struct {
		ID     int64    `bun:",pk"`
		Author []Author `bun:"rel:m2m"`
	}
	badBelongsToScalar struct {
		ID       int64 `bun:",pk"`
		AuthorID int64 `bun:"rel:belongs-to"`
	}
	badBelongsToSlice struct {
		ID     int64    `bun:",pk"`
		Author []Author `bun:"rel:belongs-to,join:id=id"`
	}
	badPointers struct {
		ID     int64    `bun:",pk"`
		Author **Author `bun:"rel:belongs-to,join:id=id"`
	}
	badHasOne struct {
		ID    int64  `bun:",pk"`
		Blurb string `bun:"rel:has-one,join:id=novel_id"`
	}
	badHasMany struct {
		ID    int64 `bun:",pk"`
		Blurb Blurb `bun:"rel:has-many,join:id=novel_id"`
	}
	badHasManyScalars struct {
		ID    int64   `bun:",pk"`
		Blurb []int64 `bun:"rel:has-many,join:id=novel_id"`
	}
	badM2M struct {
		ID    int64 `bun:",pk"`
		Books Book2 `bun:"m2m:user_books"`
	}
	badNoKey struct {
		Blurb *Blurb `bun:"rel:has-one,join:id=novel_id"`
	}
	badNoKeyThere struct {
		ID     int64 `bun:",pk"`
		BookID int64
		Book   *Book `bun:"rel:belongs-to,join:book_id=id"`
	}
	badForeignKey struct {
		Key    int64   `bun:",pk"`
		Author *Author `bun:"rel:belongs-to"`
	}
	badJoin struct {
		ID     int64   `bun:",pk"`
		Author *Author `bun:"rel:belongs-to,join:author_id"`
	}
	badJoinEmpty struct {
		ID     int64   `bun:",pk"`
		Author *Author `bun:"rel:belongs-to,join:"`
	}
	badJoinHere struct {
		ID     int64   `bun:",pk"`
		Author *Author `bun:"rel:belongs-to,join:author_id=id"`
	}
	badJoinThere struct {
		ID       int64 `bun:",pk"`
		AuthorID int64
		Author   *Author `bun:"rel:belongs-to,join:author_id=key"`
	}
	badJoinGoName struct {
		ID       int64 `bun:",pk"`
		AuthorID int64
		Author   *Author `bun:"rel:belongs-to,join:AuthorID=ID"`
	}
	badHasManyJoin struct {
		ID    int64   `bun:",pk"`
		Blurb []Blurb `bun:"rel:has-many,join:id"`
	}
	badOnDelete struct {
		ID       int64 `bun:",pk"`
		AuthorID int64
		Author   *Author `bun:"rel:belongs-to,on_delete:cascade,on_delete:restrict"`
	}
	badTwice struct {
		ID    int64 `bun:",pk"`
		One   Owned `bun:"embed:one_"`
		Two   Owned `bun:"embed:two_"`
		Owner int64 `bun:"owner_id"`
	}
)

func TestParse_refuses_what_bun_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[badEmbed](), "badEmbed.Tags: embed needs a struct, not []string"},
		{reflect.TypeFor[badInside](), "badEmbed.Tags: embed needs a struct, not []string"},
		{reflect.TypeFor[badKind](), "badKind.Author: there is no relation rel:belongs_to; write rel:belongs-to"},
		{reflect.TypeFor[badKindM2M](), "badKindM2M.Author: there is no relation rel:m2m; write"},
		{reflect.TypeFor[badBelongsToScalar](), "badBelongsToScalar.AuthorID: belongs-to needs a struct or a pointer to one, not int64; write *Author"},
		{reflect.TypeFor[badBelongsToSlice](), "badBelongsToSlice.Author: belongs-to needs a struct or a pointer to one, not []buntag_test.Author"},
		{reflect.TypeFor[badPointers](), "badPointers.Author: belongs-to needs a struct or a pointer to one, not **buntag_test.Author"},
		{reflect.TypeFor[badHasOne](), "badHasOne.Blurb: has-one needs a struct or a pointer to one, not string"},
		{reflect.TypeFor[badHasMany](), "badHasMany.Blurb: has-many needs a slice of structs, not buntag_test.Blurb; write []*Book"},
		{reflect.TypeFor[badHasManyScalars](), "badHasManyScalars.Blurb: has-many needs a slice of structs, not []int64"},
		{reflect.TypeFor[badM2M](), "badM2M.Books: m2m needs a slice of structs, not buntag_test.Book2"},
		{reflect.TypeFor[badNoKey](), "badNoKey.Blurb: has-one needs a primary key in buntag_test.badNoKey; add the pk option"},
		{reflect.TypeFor[badNoKeyThere](), "badNoKeyThere.Book: buntag_test.Book has no primary key to belong to; add the pk option"},
		{reflect.TypeFor[badForeignKey](), "badForeignKey.Author: buntag_test.badForeignKey has no column author_id; add the field, or write join:column=id"},
		{reflect.TypeFor[badJoin](), `badJoin.Author: join "author_id" is no pair of columns; write join:author_id=id`},
		{reflect.TypeFor[badJoinEmpty](), `badJoinEmpty.Author: join "" is no pair of columns; write join:author_id=id`},
		{reflect.TypeFor[badJoinHere](), "badJoinHere.Author: buntag_test.badJoinHere has no column author_id; write join:column=id"},
		{reflect.TypeFor[badJoinThere](), "badJoinThere.Author: buntag_test.Author has no column key; write join:author_id=column"},
		{reflect.TypeFor[badJoinGoName](), "badJoinGoName.Author: buntag_test.badJoinGoName has no column AuthorID; write join:column=ID"},
		{reflect.TypeFor[badHasManyJoin](), `badHasManyJoin.Blurb: join "id" is no pair of columns`},
		{reflect.TypeFor[badOnDelete](), "badOnDelete.Author: on_delete is given twice; write it once"},
		{reflect.TypeFor[badTwice](), "badTwice.Owner: two embedded structs bring a relation of this name; rename one of the fields"},
		{reflect.TypeFor[Ref[Edition]](), "Target: buntag_test.Ref["},
		{reflect.TypeFor[int](), "int is no struct; write (*Book)(nil)"},
		{reflect.TypeFor[**Book](), "**buntag_test.Book is no struct; write (*Book)(nil)"},
		{reflect.TypeFor[[]Book](), "[]buntag_test.Book is no struct; write (*Book)(nil)"},
		{reflect.TypeFor[map[string]any](), "map[string]interface {} is no struct"},
		{reflect.TypeFor[any](), "interface {} is no struct"},
	}
	for _, test := range tests {
		t.Run(test.typ.String(), func(t *testing.T) {
			t.Parallel()
			if s, err := bunShape(test.typ, (*UserBook)(nil), (*Follow)(nil)); err == nil {
				t.Errorf("bun takes %s as %+v", test.typ, s)
			}
			m, err := buntag.Parse(test.typ)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Parse(%s) = %v, want it to say %q", test.typ, err, test.want)
			}
			if m != nil {
				t.Errorf("Parse(%s) returns a model beside the error", test.typ)
			}
		})
	}
}

func TestParse_refuses_names_that_no_key_or_table_can_have(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "a nil interface is no model; write (*Book)(nil)"},
		{reflect.TypeFor[struct{ ID int64 }](), "struct { ID int64 }: a struct type without a name cannot name its keys; declare it as type Book struct{...}"},
		{reflect.TypeFor[badColumn](), "badColumn.ID: the column has no name; write column:name"},
		{reflect.TypeFor[badTable](), "badTable.BaseModel: the table has no name; write table:books or table:shop.books"},
		{reflect.TypeFor[badSchema](), `badSchema.BaseModel: table "shop." lacks a schema or a name around its dot`},
	}
	for _, test := range tests {
		if m, err := buntag.Parse(test.typ); m != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Parse(%v) = %v, %v, want an error that says %q", test.typ, m, err, test.want)
		}
	}
}

func TestParse_tells_all_problems_at_once(t *testing.T) {
	t.Parallel()
	type worst struct {
		bun.BaseModel `bun:"table:.books"`
		Tags          []string  `bun:"embed:t_"`
		Author        *Author   `bun:"rel:belongs-to"`
		Blurbs        []*Blurb  `bun:"rel:has-lots"`
		Inner         badEmbed  `bun:"embed:a_"`
		Again         *badEmbed `bun:"embed:b_"`
	}
	_, err := buntag.Parse(reflect.TypeFor[worst]())
	if err == nil {
		t.Fatal("Parse(worst) gives no error")
	}
	lines := strings.Split(err.Error(), "\n")
	wants := []string{"worst.BaseModel: ", "worst.Tags: ", "badEmbed.Tags: ", "worst.Author: ", "worst.Blurbs: "}
	if len(lines) != len(wants) {
		t.Fatalf("Parse(worst) tells %d problems, want %d:\n%v", len(lines), len(wants), err)
	}
	for i, want := range wants {
		if !strings.Contains(lines[i], want) {
			t.Errorf("problem %d is %q, want one of %q", i, lines[i], want)
		}
	}
}
