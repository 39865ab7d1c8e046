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

// cacheKeys reads a row into the models that tell keys and asks them.
func cacheKeys(t *table, row []driver.Value) (keys []string, err error) {
	for _, m := range t.keyed {
		err := asked(m, t, row, func(model reflect.Value) {
			if m, ok := reflect.TypeAssert[cacheKeyer](model); ok {
				keys = append(keys, m.CacheKey())
			}
			if m, ok := reflect.TypeAssert[cacheKeyers](model); ok {
				keys = append(keys, m.CacheKeys()...)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// asked reads a row into a new model and asks that, given as a pointer. A panic of the user's methods is an error.
func asked(m *schema.Table, t *table, row []driver.Value, ask func(model reflect.Value)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	model := reflect.New(m.Type)
	for i, column := range t.columns {
		if field := m.FieldMap[column]; field != nil && row[i] != nil {
			if err := field.ScanValue(model.Elem(), row[i]); err != nil {
				return err
			}
		}
	}
	ask(model)
	return nil
}
