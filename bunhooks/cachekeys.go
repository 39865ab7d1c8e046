package bunhooks

import (
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/uptrace/bun/schema"
)

// A model may say itself which keys its rows make wrong: entries are bound to them by cacheme.Tag, as in Memo's
// InvalidModels.
type (
	cacheKeyer  interface{ CacheKey() string }
	cacheKeyers interface{ CacheKeys() []string }
)

// cacheKeys reads a row into the table's model and asks that. A panic of its methods is an error.
func cacheKeys(t *table, row []driver.Value) (keys []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	model := reflect.New(t.model.Type)
	for i, column := range t.columns {
		if field := t.model.FieldMap[column]; field != nil {
			if err := scan(field, model.Elem(), row[i]); err != nil {
				return nil, err
			}
		}
	}
	if m, ok := reflect.TypeAssert[cacheKeyer](model); ok {
		keys = append(keys, m.CacheKey())
	}
	if m, ok := reflect.TypeAssert[cacheKeyers](model); ok {
		keys = append(keys, m.CacheKeys()...)
	}
	return keys, nil
}

func scan(f *schema.Field, model reflect.Value, v any) error {
	if v == nil {
		return nil
	}
	return f.ScanValue(model, v)
}
