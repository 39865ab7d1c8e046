package sqltx

import (
	"database/sql/driver"
	"reflect"
)

// columnType is what a driver tells of a column. Where it does not, it holds what database/sql takes in its place.
type columnType struct {
	scan                               reflect.Type
	name                               string
	length, precision, scale           int64
	nullable                           bool
	hasLength, hasNullable, hasDecimal bool
}

func columnTypeOf(r driver.Rows, i int) columnType {
	c := columnType{scan: scanType(r, i), name: databaseTypeName(r, i)}
	c.length, c.hasLength = columnLength(r, i)
	c.nullable, c.hasNullable = columnNullable(r, i)
	c.precision, c.scale, c.hasDecimal = columnDecimal(r, i)
	return c
}

func scanType(r driver.Rows, i int) reflect.Type {
	if t, ok := r.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func databaseTypeName(r driver.Rows, i int) string {
	if t, ok := r.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func columnLength(r driver.Rows, i int) (length int64, ok bool) {
	if t, ok := r.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func columnNullable(r driver.Rows, i int) (nullable, ok bool) {
	if t, ok := r.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

func columnDecimal(r driver.Rows, i int) (precision, scale int64, ok bool) {
	if t, ok := r.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
