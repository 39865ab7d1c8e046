package bunhooks

import (
	"database/sql/driver"
	"fmt"
	"strconv"
)

// result is what the caller of a statement gets whose rows were returned to the hook.
type result struct {
	id, n int64
	err   error // why there is no id
}

func (r result) LastInsertId() (int64, error) { return r.id, r.err }

func (r result) RowsAffected() (int64, error) { return r.n, nil }

// newResult takes the id from the one row that the database gave, or the error instead. The statement has been run.
func newResult(rows [][]string, err error, n int64) driver.Result {
	r := result{n: n}
	switch {
	case err != nil:
		r.err = fmt.Errorf("cacheme: ask for the last id: %w", err)
	case len(rows) != 1 || len(rows[0]) != 1:
		r.err = fmt.Errorf("cacheme: ask for the last id: got %v", rows)
	default:
		if r.id, err = strconv.ParseInt(rows[0][0], 10, 64); err != nil {
			// Of an unsigned column drivers give the same bits.
			unsigned, bad := strconv.ParseUint(rows[0][0], 10, 64)
			r.id, r.err = int64(unsigned), bad
		}
	}
	return r
}
