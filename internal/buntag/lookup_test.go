package buntag_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/buntag"
)

func parse[T any](t *testing.T) *buntag.Model {
	t.Helper()
	m, err := buntag.Parse(reflect.TypeFor[T]())
	if err != nil {
		t.Fatalf("Parse(%s) = %v", reflect.TypeFor[T](), err)
	}
	return m
}

func TestParse_parts_the_schema_from_the_table(t *testing.T) {
	t.Parallel()
	type inheritsSchema struct {
		InSchema `bun:",extend"`
	}
	type leavesSchema struct {
		InSchema      `bun:",extend"`
		bun.BaseModel `bun:"table:plain"`
	}
	tests := []struct {
		model               *buntag.Model
		name, schema, table string
	}{
		{parse[BookChapter](t), "book_chapter", "", "book_chapters"},
		{parse[Person](t), "person", "", "people"},
		{parse[HTTPLog](t), "http_log", "", "http_logs"},
		{parse[InSchema](t), "in_schema", "shop", "books"},
		{parse[InSchemaShort](t), "in_schema_short", "shop", "orders"},
		{parse[ThreeParts](t), "three_parts", "", "a.b.c"},
		{parse[inheritsSchema](t), "in_schema", "shop", "books"},
		{parse[leavesSchema](t), "in_schema", "", "plain"},
		{parse[Inherits](t), "named", "", "library_books"},
	}
	for _, test := range tests {
		m := test.model
		if m.Name != test.name || m.Schema != test.schema || m.Table != test.table {
			t.Errorf("Parse(%s) = %q, %q, %q, want %q, %q, %q",
				m.Type, m.Name, m.Schema, m.Table, test.name, test.schema, test.table)
		}
	}
}

func TestParse_gives_no_primary_key_without_the_tag(t *testing.T) {
	t.Parallel()
	for _, m := range []*buntag.Model{
		parse[KeyByName](t), parse[KeyById](t), parse[KeyByUUID](t), parse[KeyByModel](t), parse[KeyScanOnlyAlone](t),
	} {
		if len(m.PKs) != 0 {
			t.Errorf("Parse(%s).PKs = %v, want none", m.Type, m.PKs)
		}
	}
}

type KeyScanOnlyAlone struct {
	ID int64 `bun:",pk,scanonly"`
}

// bun, asked for Auditable first, meets Account while Auditable is half read and gives it
// no column creator; asked for Account first, it gives both all their columns.
func TestParse_reads_all_columns_of_types_that_embed_and_refer_to_each_other(t *testing.T) {
	t.Parallel()
	m := parse[Auditable](t)
	if rel, ok := m.RelationByGo("CreatedBy"); !ok || rel.Type != reflect.TypeFor[Account]() {
		t.Errorf("Auditable.CreatedBy = %+v, %v", rel, ok)
	}
	want, err := bunShape(reflect.TypeFor[Account]())
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(want, shapeOf(parse[Account](t), want)); d != "" {
		t.Errorf("Parse(Account) differs from bun (-bun +Parse):\n%s", d)
	}
	if _, ok := parse[Account](t).FieldByColumn("creator"); !ok {
		t.Error("Account has no column creator")
	}
}

func TestModel_finds_fields_by_column_and_by_Go_name(t *testing.T) {
	t.Parallel()
	customer := parse[Customer](t)
	optioned := parse[Optioned](t)
	novel := parse[Novel](t)
	deep := parse[Deep](t)
	tests := []struct {
		name   string
		find   func(string) (buntag.Field, bool)
		key    string
		column string
	}{
		{"a column", novel.FieldByColumn, "author_id", "author_id"},
		{"a column by its alt name", novel.FieldByColumn, "writer", "pen_name"},
		{"an embedded column", customer.FieldByColumn, "work_town", "work_town"},
		{"a column of an embed within an embed", customer.FieldByColumn, "work_geo_lat", "work_geo_lat"},
		{"a column only scanned", optioned.FieldByColumn, "counted", "counted"},
		{"no column of a Go name", novel.FieldByColumn, "AuthorID", ""},
		{"no column of a relation", novel.FieldByColumn, "author", ""},
		{"no such column", novel.FieldByColumn, "", ""},

		{"a Go name", novel.FieldByGo, "Pen", "pen_name"},
		{"a Go name of an embedded struct", deep.FieldByGo, "CreatedAt", "created_at"},
		{"a Go name only scanned", optioned.FieldByGo, "AltCounted", "n"},
		{"the least deep of one Go name", customer.FieldByGo, "Lat", "lat"},
		{"neither of two embedded fields of one Go name", customer.FieldByGo, "Street", ""},
		{"no Go name of a column", novel.FieldByGo, "author_id", ""},
		{"no Go name of a relation", novel.FieldByGo, "Author", ""},
		{"no unexported field", customer.FieldByGo, "private", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, ok := test.find(test.key)
			if f.Column != test.column || ok != (test.column != "") {
				t.Errorf("find %q = %+v, %v, want column %q", test.key, f, ok, test.column)
			}
		})
	}

	if f, _ := optioned.FieldByColumn("counted"); !f.ScanOnly {
		t.Error("counted is not told to be only scanned")
	}
	for _, f := range optioned.Fields {
		if f.ScanOnly {
			t.Errorf("Fields has %s, which is only scanned", f.Column)
		}
	}
	if rel, ok := novel.RelationByGo("author"); ok {
		t.Errorf("RelationByGo(author) = %+v, want none", rel)
	}
	var order []string
	for _, rel := range novel.Relations {
		order = append(order, rel.Go)
	}
	if d := diff([]string{"Author", "Editor", "Blurb", "ByName"}, order); d != "" {
		t.Errorf("relations are not in the order of the struct:\n%s", d)
	}
}

func TestField_Value_reads_without_allocating_into_the_struct(t *testing.T) {
	t.Parallel()
	created := time.Unix(1, 0)
	withBase := &WithBasePtr{Title: "Emma"}
	full := WithBasePtr{Base: &Base{ID: 7, CreatedAt: created}, Tail: "end"}
	secret := WithHidden{hidden: hidden{Secret: "s"}}
	editor := int64(3)
	tests := []struct {
		name   string
		model  *buntag.Model
		column string
		of     any
		want   any
	}{
		{"a plain field", parse[WithBasePtr](t), "tail", full, "end"},
		{"a field behind a pointer", parse[WithBasePtr](t), "created_at", full, created},
		{"a field of a pointed-to struct", parse[WithBasePtr](t), "title", withBase, "Emma"},
		{"nothing behind a nil embedded pointer", parse[WithBasePtr](t), "id", withBase, nil},
		{"nothing behind a nil embed", parse[Customer](t), "work_geo_lat", Customer{}, nil},
		{"a field of an embed within an embed", parse[Customer](t), "work_geo_lat", Customer{Work: &Address{Geo: Geo{Lat: 1.5}}}, 1.5},
		{"nothing of a nil pointer", parse[WithBasePtr](t), "title", (*WithBasePtr)(nil), nil},
		{"a field that is a nil pointer", parse[Novel](t), "editor_id", Novel{}, (*int64)(nil)},
		{"a field that is a pointer", parse[Novel](t), "editor_id", Novel{EditorID: &editor}, &editor},
		{"a field of an unexported embedded struct", parse[WithHidden](t), "secret", secret, "s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, ok := test.model.FieldByColumn(test.column)
			if !ok {
				t.Fatalf("%s has no column %s", test.model.Type, test.column)
			}
			v, ok := f.Value(reflect.ValueOf(test.of))
			if ok != (test.want != nil) {
				t.Fatalf("Value(%s) = %v, %v, want %v", test.column, v, ok, test.want)
			}
			if ok && v.Interface() != test.want {
				t.Errorf("Value(%s) = %v, want %v", test.column, v, test.want)
			}
		})
	}
	t.Cleanup(func() {
		if withBase.Base != nil {
			t.Error("Value has allocated the embedded struct")
		}
	})
}
