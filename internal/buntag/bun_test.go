package buntag_test

import (
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/buntag"
)

// shape is all that bun and Parse both say about a model.
type shape struct {
	Name, Schema, Table string
	Fields              []column
	PKs                 []column
	SoftDelete          bool
	Columns             map[string]column
	Relations           map[string]link
}

type column struct {
	Go, Name string
	Index    []int
	Type     reflect.Type
	PK       bool
}

type link struct {
	Kind          string
	Type          reflect.Type
	Columns, Join []string
}

func diff(a, b any) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b reflect.Type) bool { return a == b }))
}

// bunShape asks a new bun.DB, because what bun knows of other types can change its answer.
// An error stands for a panic of bun.
func bunShape(typ reflect.Type, register ...any) (s shape, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	sqldb, err := sql.Open(sqliteshim.ShimName, ":memory:")
	if err != nil {
		return shape{}, err
	}
	db := bun.NewDB(sqldb, sqlitedialect.New())
	defer db.Close()

	// The model comes first; join tables must be known before an m2m relation asks for them.
	for _, sf := range reflect.VisibleFields(indirect(typ)) {
		if strings.Contains(sf.Tag.Get("bun"), "m2m:") {
			db.RegisterModel(register...)
		}
	}
	return shapeOfTable(db.Table(typ)), nil
}

func shapeOfTable(table *schema.Table) shape {
	s := shape{
		Name:       table.ModelName,
		Schema:     table.Schema,
		Table:      table.Name,
		SoftDelete: table.SoftDeleteField != nil,
		Columns:    make(map[string]column),
		Relations:  make(map[string]link),
	}
	s.Fields = columnsOf(table.Fields)
	s.PKs = columnsOf(table.PKs)
	for name, f := range table.FieldMap {
		s.Columns[name] = columnOf(f)
	}
	for name, rel := range table.Relations {
		l := link{Type: rel.JoinTable.Type}
		switch rel.Type {
		case schema.BelongsToRelation:
			l.Kind = "belongs-to"
			for i := range rel.BasePKs {
				l.Columns = append(l.Columns, rel.BasePKs[i].Name)
				l.Join = append(l.Join, rel.JoinPKs[i].Name)
			}
		case schema.HasOneRelation:
			l.Kind = "has-one"
		case schema.HasManyRelation:
			l.Kind = "has-many"
		case schema.ManyToManyRelation:
			l.Kind = "m2m"
		}
		s.Relations[name] = l
	}
	return s
}

func columnsOf(fields []*schema.Field) []column {
	var out []column
	for _, f := range fields {
		out = append(out, columnOf(f))
	}
	return out
}

func columnOf(f *schema.Field) column {
	return column{
		Go: f.GoName, Name: f.Name, Index: f.Index, Type: f.StructField.Type,
		PK: f.IsPK && !f.Tag.HasOption("scanonly"),
	}
}

// shapeOf puts a Model in bun's words: the schema is part of the table's name there, and
// sqlite's default is called main. Names that only bun knows must not be found.
func shapeOf(m *buntag.Model, asked shape) shape {
	s := shape{
		Name:       m.Name,
		Schema:     m.Schema,
		Table:      m.Table,
		SoftDelete: m.SoftDelete,
		Columns:    make(map[string]column),
		Relations:  make(map[string]link),
	}
	if m.Schema == "" {
		s.Schema = "main"
	} else {
		s.Table = m.Schema + "." + m.Table
	}
	names := slices.Collect(maps.Keys(asked.Columns))
	for _, f := range m.Fields {
		s.Fields = append(s.Fields, columnOfField(f))
		names = append(names, f.Column, f.Go)
	}
	for _, f := range m.PKs {
		s.PKs = append(s.PKs, columnOfField(f))
	}
	for _, name := range names {
		if f, ok := m.FieldByColumn(name); ok {
			s.Columns[name] = columnOfField(f)
		}
	}
	for _, rel := range m.Relations {
		s.Relations[rel.Go] = link{Kind: rel.Kind, Type: rel.Type, Columns: rel.Columns, Join: rel.Join}
	}
	return s
}

func columnOfField(f buntag.Field) column {
	return column{Go: f.Go, Name: f.Column, Index: f.Index, Type: f.Type, PK: f.PK}
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
