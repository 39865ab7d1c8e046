package cacheme

import (
	"database/sql"
	"errors"
)

// notFoundError makes either way to say "not found" answer to both.
type notFoundError struct{ err error }

func (e *notFoundError) Error() string { return e.err.Error() }

func (e *notFoundError) Unwrap() error { return e.err }

func (e *notFoundError) Is(target error) bool {
	return target == ErrNotFound || target == sql.ErrNoRows
}

func isNotFound(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, sql.ErrNoRows)
}

// notFoundToo returns err as it is, unless it says "not found".
func notFoundToo(err error) error {
	var already *notFoundError
	if !isNotFound(err) || errors.As(err, &already) {
		return err
	}
	return &notFoundError{err}
}
