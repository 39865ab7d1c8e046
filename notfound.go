package cacheme

import (
	"database/sql"
	"errors"
	"fmt"
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

// MissingError says which of the nodes of a GetMany were not found. errors.Is holds with ErrNotFound and
// sql.ErrNoRows.
type MissingError struct {
	Indexes []int // in the nodes that were asked for
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("cacheme: %d of the nodes not found, the first at index %d", len(e.Indexes), e.Indexes[0])
}

// Is makes either way to say "not found" hold.
func (e *MissingError) Is(target error) bool { return (&notFoundError{}).Is(target) }
