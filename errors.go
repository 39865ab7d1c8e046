package cacheme

import (
	"context"
	"errors"
	"fmt"

	"github.com/cacheme/cacheme/internal/store"
)

var (
	// ErrNotFound is what a loader returns, instead of sql.ErrNoRows, for something that does not exist. A Get whose
	// answer is "not found" returns an error for which errors.Is holds with both, whoever of them the loader returned
	// and whether the answer came from the cache or not.
	ErrNotFound = errors.New("cacheme: not found")

	// ErrNoEntry is returned by Peek where there is no entry that may be served.
	ErrNoEntry = errors.New("cacheme: no entry")

	// ErrNotStored is returned by Set where the value could not become an entry: a writer's outcome is open on one of
	// its dependencies, it is larger than MaxValue, or somebody removed or replaced the entry meanwhile.
	ErrNotStored = errors.New("cacheme: not stored")

	// ErrLoadTimeout is what the callers of a load get that runs for longer than Options.LoadTimeout and ignores its
	// context. errors.Is also holds for context.DeadlineExceeded.
	ErrLoadTimeout = fmt.Errorf("cacheme: the loader did not return within LoadTimeout: %w", context.DeadlineExceeded)

	// ErrFewReplicas is in the chain of an *UndeliveredError, and of the error of a Hold, where fewer replicas than
	// Options.WaitReplicas have received it: the primary that took it may have been replaced already.
	ErrFewReplicas = store.ErrFewReplicas

	// ErrClosed is returned by writes through a Cache after Close. Reads go to the loader instead.
	ErrClosed = errors.New("cacheme: the cache is closed")
)

// DeclarationError is one thing that is wrong with a declaration, told by Register.
type DeclarationError struct {
	Node   string // the Go type
	Field  string // the struct field, method or Meta field; empty for the type as a whole
	Reason string // what is wrong, and what to write instead
}

func (e *DeclarationError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("cacheme: %s: %s", e.Node, e.Reason)
	}
	return fmt.Sprintf("cacheme: %s.%s: %s", e.Node, e.Field, e.Reason)
}

// UsageError is a call that cannot work, whatever Redis and the loader do.
type UsageError struct {
	Node   string // the Go type, as far as there is one
	Field  string // the struct field, as far as there is one
	Reason string // what is wrong, and what to write instead
}

func (e *UsageError) Error() string {
	return (&DeclarationError{e.Node, e.Field, e.Reason}).Error()
}

// CycleError is returned to a load that, itself or through other loads, asks for the key that it is loading.
type CycleError struct {
	Node string // the Go type
	Key  string
}

func (e *CycleError) Error() string {
	return fmt.Sprintf("cacheme: the load of %s (%s) asks for itself; call the function that loads it instead of Get", e.Key, e.Node)
}

// PanicError is a loader's panic, as an error for everybody who waits for the load.
type PanicError struct {
	Value any // what was panicked with; nil where the loader called runtime.Goexit
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return "cacheme: the loader called runtime.Goexit"
	}
	return fmt.Sprintf("cacheme: the loader panicked: %v\n%s", e.Value, e.Stack)
}

// Unwrap returns the panic's value, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// UndeliveredError says that an invalidation has not reached Redis. It is kept and delivered first thing when Redis
// answers again; until then this process reads past the entries that it concerns.
type UndeliveredError struct {
	Pending int   // invalidations that this process keeps, this one included
	Err     error // what Redis answered
}

func (e *UndeliveredError) Error() string {
	return fmt.Sprintf("cacheme: invalidation kept for later, %d pending: %v", e.Pending, e.Err)
}

// Unwrap returns what Redis answered.
func (e *UndeliveredError) Unwrap() error { return e.Err }
