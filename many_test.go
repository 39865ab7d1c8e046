package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// soon bounds what has to happen at once: nothing in these tests takes a noticeable time, unless it waits for what never
// comes.
const soon = 20 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	return ctx
}

// nervous has a Miss that may panic.
type nervous struct {
	cacheme.Node[int64]
	ID     int64 `cacheme:"field"`
	panics bool
}

func (nervous) Meta() cacheme.Meta { return cacheme.Meta{Key: "nervous:<id>"} }

func (n nervous) Miss(context.Context, string) {
	if n.panics {
		panic("no miss, please")
	}
}

func loadNervous(_ context.Context, nodes []nervous) (map[nervous]int64, error) {
	found := map[nervous]int64{}
	for _, n := range nodes {
		found[n] = n.ID
	}
	return found, nil
}

func TestGetManyWhoseMissPanicsLeavesNoKeyBehind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		nodes   []nervous
		options []cacheme.CallOption
	}{
		{"the node's own", []nervous{{ID: 1}, {ID: 2, panics: true}}, nil},
		{"the caller's", []nervous{{ID: 1}, {ID: 2}}, []cacheme.CallOption{cacheme.OnMiss(func(_ context.Context, key string) {
			if key == "nervous:2" {
				panic("no miss, please")
			}
		})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t, nervous{})
			ctx := within(t)
			func() {
				defer func() {
					if p := recover(); p != "no miss, please" {
						t.Errorf("GetManyFrom panicked with %v, want the panic of Miss", p)
					}
				}()
				_, _ = cacheme.GetManyFrom(ctx, cache.Cache, c.nodes, loadNervous, c.options...)
			}()
			for id := range int64(3) {
				v, err := cacheme.GetFrom(ctx, cache.Cache, nervous{ID: id}, func(context.Context, nervous) (int64, error) { return id, nil })
				if v != id || err != nil {
					t.Errorf("GetFrom(%d) after the panic = %d, %v, want %d", id, v, err, id)
				}
			}
		})
	}
}

// errs is an error that cannot be compared.
type errs []error

func (e errs) Error() string { return fmt.Sprintf("%d errors", len(e)) }

func (e errs) Unwrap() []error { return e }

// wrapped is an error whose type can be compared and whose value cannot.
type wrapped struct{ cause error }

func (w wrapped) Error() string { return "wrapped: " + w.cause.Error() }

func (w wrapped) Unwrap() error { return w.cause }

var errShelf, errOther = errors.New("the shelf is broken"), errors.New("the other shelf is broken")

func TestBatchLoaderMayReturnAnErrorThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	for _, want := range []error{errs{errShelf}, wrapped{errs{errShelf}}} {
		t.Run(fmt.Sprintf("%T", want), func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t, goodNode{}, goodChange{})
			_, err := cacheme.GetManyFrom(within(t), cache.Cache, []goodNode{{ID: 1}, {ID: 2}}, func(context.Context, []goodNode) (map[goodNode]int64, error) {
				return nil, want
			})
			if !errors.Is(err, errShelf) {
				t.Errorf("GetManyFrom = %v, want %v", err, want)
			}
		})
	}
}

func TestErrorOfOneBatchComesBackAsItIs(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	_, err := cacheme.GetManyFrom(within(t), cache.Cache, []goodNode{{ID: 1}, {ID: 2}, {ID: 1}}, func(context.Context, []goodNode) (map[goodNode]int64, error) {
		return nil, errShelf
	})
	if err != errShelf { //nolint:errorlint // it is not wrapped
		t.Errorf("GetManyFrom = %#v, want the loader's own error, once", err)
	}
}

// besides asks for nodes of which the first is being loaded by somebody else, whose load fails once the caller's own has
// begun.
func besides(t *testing.T, nodes []goodNode, others error, load func() (map[goodNode]int64, error)) ([]int64, error) {
	t.Helper()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	ctx := within(t)
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, err := cacheme.GetManyFrom(ctx, cache.Cache, nodes[:1], func(context.Context, []goodNode) (map[goodNode]int64, error) {
			close(entered)
			<-release
			return nil, others
		})
		if !errors.Is(err, errOther) {
			t.Errorf("the other GetManyFrom = %v, want %v", err, others)
		}
	}()
	<-entered
	values, err := cacheme.GetManyFrom(ctx, cache.Cache, nodes, func(_ context.Context, asked []goodNode) (map[goodNode]int64, error) {
		close(release) // whose load to wait for is settled before one's own begins
		if diff := cmp.Diff(nodes[1:], asked, cmp.Comparer(func(a, b goodNode) bool { return a == b })); diff != "" {
			t.Errorf("the loader was asked for others (-want +got):\n%s", diff)
		}
		return load()
	})
	<-done
	return values, err
}

func TestErrorsOfDifferentBatchesAreJoined(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		of, other error
	}{
		{"plain", errShelf, errOther},
		{"not comparable", errs{errShelf}, errs{errOther}},
		{"of both kinds", errShelf, wrapped{errs{errOther}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := besides(t, []goodNode{{ID: 1}, {ID: 2}}, c.other, func() (map[goodNode]int64, error) { return nil, c.of })
			if !errors.Is(err, errShelf) || !errors.Is(err, errOther) {
				t.Errorf("GetManyFrom = %v, want both %v and %v", err, c.of, c.other)
			}
		})
	}
}

func TestWhatIsMissingIsToldBesideAFailure(t *testing.T) {
	t.Parallel()
	nodes := []goodNode{{ID: 1}, {ID: 2}, {ID: 3}}
	values, err := besides(t, nodes, errOther, func() (map[goodNode]int64, error) { return map[goodNode]int64{{ID: 2}: 22}, nil })
	missing, ok := errors.AsType[*cacheme.MissingError](err)
	if !errors.Is(err, errOther) || !ok || !cmp.Equal(missing.Indexes, []int{2}) {
		t.Errorf("GetManyFrom = %v, want %v and that index 2 is missing", err, errOther)
	}
	if want := []int64{0, 22, 0}; !cmp.Equal(values, want) {
		t.Errorf("values = %v, want %v", values, want)
	}
}
