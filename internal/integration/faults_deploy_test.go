package integration_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// deployFaults are the rows about two versions of a program that run beside each other.
var deployFaults = []fault{
	{
		name:      "a process meets an entry of another Go type, or of another Version",
		expect:    "it is loaded anew, and told (event `foreign`)",
		elsewhere: "TestHostile/another_declaration",
	}, {
		name:   "a version with another Go type runs beside the old one",
		expect: "no errors and nothing old in either; both hear of each other's writes; they share no entries, so that loads are more",
		run: func(t *testing.T) {
			deploys(t, sees(page{ID: 1}, plainly), sees(typedPage{ID: 1}, func(v int64) pageData { return pageData{Number: v} }))
		},
	}, {
		name:   "a version with another Version runs beside the old one",
		expect: "the same",
		run:    func(t *testing.T) { deploys(t, sees(page{ID: 1}, plainly), sees(nextPage{ID: 1}, plainly)) },
	}, {
		name:   "a version with another Meta.Key runs beside the old one",
		expect: "the same",
		run:    func(t *testing.T) { deploys(t, sees(page{ID: 1}, plainly), sees(sheet{ID: 1}, plainly)) },
	}, {
		name:   "a version with one more invalid node runs beside the old one",
		expect: "the same; what only the new one depends on is fresh in the new one, and never comes from an entry of the old one",
		run: func(t *testing.T) {
			deploys(t, sees(taggedPage{ID: 1}, plainly), sees(taggedPage{ID: 1, tag: rate}, plainly))
		},
	}, {
		name:   "a version with other invalid nodes, as many as before, runs beside the old one",
		expect: "the same",
		run: func(t *testing.T) {
			deploys(t, sees(taggedPage{ID: 1, tag: "price"}, plainly), sees(taggedPage{ID: 1, tag: rate}, plainly))
		},
	}, {
		name:   "a version that compresses runs beside one that does not",
		expect: "no errors and nothing old in either; they share their entries",
		run: func(t *testing.T) {
			next := sees(longPage{ID: 1}, padded)
			next.compress = true
			deploys(t, sees(longPage{ID: 1}, padded), next)
		},
	}, {
		name:   "processes with different Hold run beside each other, and one dies with a hold",
		expect: "nothing old; the greater Hold is that of all from the first writes on, and a dead process's writes cost loads for as long",
		run:    holdsDiffer,
	},
}

// The page of the fleet, as other versions of the program declare it. All have its row in common.

type pageData struct{ Number int64 }

type typedPage struct {
	cacheme.Node[pageData]
	ID int64 `cacheme:"field"`
}

func (typedPage) Meta() cacheme.Meta                { return page{}.Meta() }
func (p typedPage) InvalidNodes() []cacheme.Invalid { return page{ID: p.ID}.InvalidNodes() }

type nextPage struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (nextPage) Meta() cacheme.Meta {
	m := page{}.Meta()
	m.Version = 2
	return m
}
func (p nextPage) InvalidNodes() []cacheme.Invalid { return page{ID: p.ID}.InvalidNodes() }

type sheet struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (sheet) Meta() cacheme.Meta                { return cacheme.Meta{Key: "sheet:<id>", TTL: 10 * time.Minute} }
func (p sheet) InvalidNodes() []cacheme.Invalid { return page{ID: p.ID}.InvalidNodes() }

// taggedPage has one more dependency, which its version says: two processes that agree on its type share its entries.
type taggedPage struct {
	cacheme.Node[int64]
	ID  int64 `cacheme:"field"`
	tag string
}

func (taggedPage) Meta() cacheme.Meta { return page{}.Meta() }
func (p taggedPage) InvalidNodes() []cacheme.Invalid {
	all := page{ID: p.ID}.InvalidNodes()
	if p.tag != "" {
		all = append(all, cacheme.Tag(p.tag))
	}
	return all
}

type longPage struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (longPage) Meta() cacheme.Meta                { return page{}.Meta() }
func (p longPage) InvalidNodes() []cacheme.Invalid { return page{ID: p.ID}.InvalidNodes() }

func plainly(v int64) int64 { return v }

// padded is long enough to be compressed.
func padded(v int64) string { return strconv.FormatInt(v, 10) + strings.Repeat(" ", 4000) }

// rate is a tag that only new versions depend on.
const rate = "rate"

// release is a version of the program.
type release struct {
	declares []cacheme.Declaration
	rated    bool // depends on the tag of that name
	compress bool
	get      func(ctx context.Context, c *cacheme.Cache, version func() int64) (int64, error)
}

// sees is one that shows a page by this node, whose value is made of a version.
func sees[N cacheme.NodeOf[V], V any](node N, of func(int64) V) release {
	rated := false
	for _, i := range any(node).(interface{ InvalidNodes() []cacheme.Invalid }).InvalidNodes() {
		rated = rated || i == cacheme.Tag(rate)
	}
	return release{
		declares: []cacheme.Declaration{any(node).(cacheme.Declaration), pageChanged{}},
		rated:    rated,
		get: func(ctx context.Context, c *cacheme.Cache, version func() int64) (int64, error) {
			v, err := cacheme.GetFrom(ctx, c, node, func(context.Context, N) (V, error) { return of(version()), nil })
			if err != nil {
				return 0, err
			}
			return versionOf(v), nil
		},
	}
}

func versionOf(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case pageData:
		return v.Number
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err == nil {
			return n
		}
	}
	return -1
}

// deploys runs two releases under traffic: first the old one, then both, then the new one. The page's row is written by
// both in turn. Where the new one also depends on a tag, that is written too, in a run of its own: it is nothing to the old one.
func deploys(t *testing.T, old, next release) {
	t.Parallel()
	server := kit.Redis(t)
	o := cacheme.Options{Prefix: suite.Prefix(), Hold: hold}
	var caches []*cacheme.Cache
	for _, r := range []release{old, next} {
		o.Compress = r.compress
		caches = append(caches, suite.NewCache(t, server.Client(), suite.Patient(o), r.declares...))
	}
	run := func(changes cacheme.Invalid, readers ...int) {
		f := newTraffic(t)
		var version atomic.Int64
		version.Store(1)
		check(t, caches[0].Invalidate(t.Context(), pageChanged{ID: 1}))
		for _, i := range readers {
			r := []release{old, next}[i]
			for range 2 {
				f.reader(func(ctx context.Context) (int64, error) { return r.get(ctx, caches[i], version.Load) })
			}
		}
		f.writer(func(ctx context.Context, v int64) error {
			version.Store(v)
			return caches[v%2].Invalidate(ctx, changes)
		})
		for range 5 {
			f.goesOn()
		}
		f.end()
		if n := f.failed.Load(); n > 0 {
			t.Errorf("%d calls failed", n)
		}
	}
	run(pageChanged{ID: 1}, 0, 1)
	if next.rated {
		// The old one reads all the while, and stores.
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 200 {
				_, err := old.get(context.Background(), caches[0], func() int64 { return 1 << 40 })
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
		}()
		run(cacheme.Tag(rate), 1)
		<-done
	}
	for _, i := range []int{0, 1} { // at rest each has its entry
		r := []release{old, next}[i]
		within(t, 30*time.Second, "it is cached", func() bool {
			loaded := false
			_, err := r.get(t.Context(), caches[i], func() int64 { loaded = true; return 1 })
			check(t, err)
			return !loaded
		})
	}
}

func holdsDiffer(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t)
	prefix := suite.Prefix()
	const short, long = 500 * time.Millisecond, 2 * time.Second
	with := func(hold time.Duration) *cacheme.Cache {
		return suite.NewCache(t, server.Client(), suite.Patient(cacheme.Options{Prefix: prefix, Hold: hold}), page{}, pageChanged{})
	}
	old, next := with(short), with(long)
	var version atomic.Int64
	version.Store(1)
	read := sees(page{ID: 1}, plainly)
	f := newTraffic(t)
	for _, c := range []*cacheme.Cache{old, next} {
		f.reader(func(ctx context.Context) (int64, error) { return read.get(ctx, c, version.Load) })
	}
	f.writer(func(ctx context.Context, v int64) error {
		h, err := []*cacheme.Cache{old, next}[v%2].Hold(ctx, pageChanged{ID: 1})
		if err != nil {
			return err
		}
		version.Store(v)
		return h.Commit(ctx)
	})
	for range 5 {
		f.goesOn()
	}
	f.end()
	if n := f.failed.Load(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
	// The one with the short hold goes away with one open: of what was found missing meanwhile, others think as long as their own.
	began := time.Now()
	h, err := old.Hold(t.Context(), pageChanged{ID: 1})
	check(t, err)
	lasts := h.Deadline().Sub(began)
	version.Add(1)
	within(t, 4*long, "it is cached", func() bool {
		loaded := false
		v, err := read.get(t.Context(), next, func() int64 { loaded = true; return version.Load() })
		check(t, err)
		if v != version.Load() {
			t.Errorf("it reads %d, want %d", v, version.Load())
		}
		return !loaded
	})
	if took := time.Since(began); took < lasts-100*time.Millisecond || lasts < long-short {
		t.Errorf("it was stored %v after a hold of %v, want %v from the first writes of the other on", took, lasts, long)
	}
}
